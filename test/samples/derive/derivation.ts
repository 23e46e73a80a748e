import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Sample } from '../sample.js';
import { type Capture, readCapture } from './capture-file.js';
import { type Frame, framesOf, segmented } from './frame.js';

/** A sample that is made from others, byte for byte the same each time. */
export interface Derivation extends Sample {
  /** The samples that it is made from. */
  readonly from: readonly string[];
  /** What is done to them: "the middle third dropped". */
  readonly how: string;
  /** Commands that making it takes. */
  readonly tools?: readonly ('editcap' | 'mergecap')[];
  /** The file's bytes; with `and`, one for each file. */
  derive(): Uint8Array | readonly Uint8Array[];
}

export const SAMPLES = fileURLToPath(new URL('../../../samples/', import.meta.url));
/** What a TCP segment carries on an Ethernet with the usual MTU of 1500 and timestamps. */
const ETHERNET_MSS = 1_448;

export function sampleBytes(name: string): Uint8Array {
  return readFileSync(SAMPLES + name);
}

export function sampleCapture(name: string): Capture {
  return readCapture(sampleBytes(name));
}

export function sampleFrames(name: string): Frame[] {
  return framesOf(sampleCapture(name).packets);
}

/** As if web server and backend had been two machines with an Ethernet between them. */
export function ethernetFrames(name: string): Frame[] {
  return segmented(sampleFrames(name), ETHERNET_MSS);
}

/** The story of short.pcap, which most are made from. */
export const SHORT = {
  from: ['short.pcap'],
  ports: [9000],
  connections: 3,
  requests: 3,
  outcomes: { completed: 3 },
} as const;
