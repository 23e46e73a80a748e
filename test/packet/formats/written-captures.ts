import { concatBytes } from '../../../src/model/bytes.js';

/** Captures as text books write them: plain, slow, and apart from the code that reads them. */

export interface PcapOptions {
  readonly little?: boolean;
  readonly magic?: number;
  readonly minor?: number;
  readonly snapLength?: number;
  readonly linkType?: number;
}

export interface PcapPacket {
  readonly seconds: number;
  /** Of a second, in the file's unit. */
  readonly fraction: number;
  readonly bytes: Uint8Array;
  /** When it is not the length of the bytes. */
  readonly original?: number;
}

export const MICROSECONDS = 0xa1b2c3d4;
export const NANOSECONDS = 0xa1b23c4d;
export const MODIFIED = 0xa1b2cd34;

export function pcap(packets: readonly PcapPacket[], options: PcapOptions = {}): Uint8Array {
  const { little = true, magic = MICROSECONDS, minor = 4, snapLength = 262_144, linkType = 1 } = options;
  const head = new DataView(new ArrayBuffer(24));
  head.setUint32(0, magic, little);
  head.setUint16(4, 2, little);
  head.setUint16(6, minor, little);
  head.setUint32(16, snapLength, little);
  head.setUint32(20, linkType, little);
  return concatBytes([
    new Uint8Array(head.buffer),
    ...packets.flatMap(({ seconds, fraction, bytes, original = bytes.length }) => {
      const view = new DataView(new ArrayBuffer(magic === MODIFIED ? 24 : 16));
      view.setUint32(0, seconds, little);
      view.setUint32(4, fraction, little);
      view.setUint32(8, bytes.length, little);
      view.setUint32(12, original, little);
      return [new Uint8Array(view.buffer), bytes];
    }),
  ]);
}

/** A packet whose bytes tell which it is. */
export function packet(number: number, length = 60): PcapPacket {
  const bytes = Uint8Array.from({ length }, (_, i) => (number * 31 + i) & 0xff);
  return { seconds: 1_700_000_000 + number, fraction: number, bytes };
}

/** A pcapng block of any type around any body, which is padded. */
export function block(type: number, body: Uint8Array, little = true): Uint8Array {
  const padded = (body.length + 3) & ~3;
  const bytes = new Uint8Array(12 + padded);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, little);
  view.setUint32(4, bytes.length, little);
  bytes.set(body, 8);
  view.setUint32(bytes.length - 4, bytes.length, little);
  return bytes;
}

export interface Option {
  readonly code: number;
  readonly value: Uint8Array;
}

export function comment(text: string): Option {
  return { code: 1, value: new TextEncoder().encode(text) };
}

export function section(options: readonly Option[] = [], little = true): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  view.setUint32(0, 0x1a2b3c4d, little);
  view.setUint16(4, 1, little);
  view.setBigInt64(8, -1n, little);
  return block(0x0a0d0d0a, concatBytes([new Uint8Array(view.buffer), written(options, little)]), little);
}

export function describedInterface(
  linkType: number,
  options: readonly Option[] = [],
  little = true,
  snapLength = 0,
): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint16(0, linkType, little);
  view.setUint32(4, snapLength, little);
  return block(1, concatBytes([new Uint8Array(view.buffer), written(options, little)]), little);
}

export interface PcapngPacket {
  readonly face?: number;
  readonly ticks: bigint;
  readonly bytes: Uint8Array;
  readonly original?: number;
  readonly options?: readonly Option[];
}

export function enhancedPacket(given: PcapngPacket, little = true): Uint8Array {
  return packetBlock(6, given, (view, face) => view.setUint32(0, face, little), little);
}

export function obsoletePacket(given: PcapngPacket, little = true): Uint8Array {
  // The two bytes after the interface count drops.
  return packetBlock(
    2,
    given,
    (view, face) => {
      view.setUint16(0, face, little);
      view.setUint16(2, 77, little);
    },
    little,
  );
}

export function simplePacket(bytes: Uint8Array, original = bytes.length, little = true): Uint8Array {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, original, little);
  return block(3, concatBytes([new Uint8Array(view.buffer), bytes]), little);
}

export function pcapng(...blocks: readonly Uint8Array[]): Uint8Array {
  return concatBytes(blocks);
}

function packetBlock(
  type: number,
  { face = 0, ticks, bytes, original = bytes.length, options = [] }: PcapngPacket,
  setInterface: (view: DataView, face: number) => void,
  little: boolean,
): Uint8Array {
  const view = new DataView(new ArrayBuffer(20));
  setInterface(view, face);
  view.setUint32(4, Number(ticks >> 32n), little);
  view.setUint32(8, Number(ticks & 0xffffffffn), little);
  view.setUint32(12, bytes.length, little);
  view.setUint32(16, original, little);
  const padding = new Uint8Array(-bytes.length & 3);
  return block(type, concatBytes([new Uint8Array(view.buffer), bytes, padding, written(options, little)]), little);
}

function written(options: readonly Option[], little: boolean): Uint8Array {
  if (options.length === 0) return new Uint8Array(0);
  return concatBytes([
    ...options.flatMap(({ code, value }) => {
      const head = new DataView(new ArrayBuffer(4));
      head.setUint16(0, code, little);
      head.setUint16(2, value.length, little);
      return [new Uint8Array(head.buffer), value, new Uint8Array(-value.length & 3)];
    }),
    new Uint8Array(4),
  ]);
}
