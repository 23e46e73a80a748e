import { readFileSync } from 'node:fs';
import { readCapture } from '../../samples/derive/capture-file.js';
import { FLAG, type Frame, framesOf } from '../../samples/derive/frame.js';
import { IP } from './packet-fields.js';

/** The connections of a recorded capture, as what copies are made from. */
export interface Recorded {
  readonly frames: readonly Frame[];
  readonly exchanges: readonly Exchanged[];
}

/** What one request was made of: the records of each side, in the pieces in which they were sent. */
export interface Exchanged {
  readonly client: readonly Uint8Array[];
  readonly server: readonly Uint8Array[];
}

const TCP_PROTOCOL = 6;
const BEGIN_REQUEST = 1;
const HEADER = 8;
/** The part of the recorded connections that is enough for a mix. */
const LEAST_USABLE = 0.8;

/** @throws when the capture is not what nginx and PHP-FPM say to each other on whole connections */
export function recorded(file: string): Recorded[] {
  const connections = new Map<number, Frame[]>();
  // The harness ends a capture with a datagram.
  const packets = readCapture(readFileSync(file)).packets.filter(({ bytes }) => bytes[IP + 9] === TCP_PROTOCOL);
  for (const frame of framesOf(packets)) {
    const known = connections.get(frame.connection);
    if (known) known.push(frame);
    else connections.set(frame.connection, [frame]);
  }
  const found = [...connections.values()].map((frames) => ({ frames, exchanges: exchanges(frames) }));
  const usable = found.filter(({ exchanges }) => exchanges.length > 0);
  if (usable.length < found.length * LEAST_USABLE) throw new Error(`${file}: most of it cannot be used`);
  return usable;
}

/**
 * One request after the other, as nginx makes them: each begins with a segment of its own. None where the segments are not all there in
 * order: a busy machine sends some twice, or sees them late.
 */
function exchanges(frames: readonly Frame[]): Exchanged[] {
  const found: { client: Uint8Array[]; server: Uint8Array[] }[] = [];
  const expected = new Map<string, number>();
  for (const { side, payload, sequence, flags } of frames) {
    if (flags & FLAG.syn) expected.set(side, sequence + 1);
    if (payload.length === 0) continue;
    if (sequence !== expected.get(side)! >>> 0) return [];
    expected.set(side, sequence + payload.length);
    if (side === 'client' && begins(payload)) found.push({ client: [], server: [] });
    const last = found.at(-1);
    if (last === undefined) return [];
    last[side].push(payload);
  }
  return found;
}

function begins(payload: Uint8Array): boolean {
  return payload.length >= 2 * HEADER && payload[0] === 1 && payload[1] === BEGIN_REQUEST && payload[5] === HEADER;
}
