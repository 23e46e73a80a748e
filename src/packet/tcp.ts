import { u16 } from '../model/bytes.js';

/** Strategy: the TCP header (RFC 9293, section 3.1) as far as reassembly needs it, into an object that is filled again for each packet. */

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;

const HEADER = 20;
/** Ports, numbers, data offset and flags: what must have been captured for the rest of a cut header to be dispensable. */
const NEEDED = 14;

export interface TcpHeader {
  sourcePort: number;
  destinationPort: number;
  /** Signed, as sequence.ts has them. */
  sequence: number;
  acknowledgement: number;
  flags: number;
  /** The header's length with its options. */
  length: number;
}

/** Reads the header at `at`; false when it was cut too short or says that it is shorter than a header can be. */
export function readTcp(bytes: Uint8Array, at: number, end: number, into: TcpHeader): boolean {
  if (at + NEEDED > end) return false;
  into.sourcePort = u16(bytes, at);
  into.destinationPort = u16(bytes, at + 2);
  into.sequence = i32(bytes, at + 4);
  into.acknowledgement = i32(bytes, at + 8);
  into.length = (bytes[at + 12]! >> 4) * 4;
  into.flags = bytes[at + 13]!;
  return into.length >= HEADER;
}

/** A keep-alive or window probe repeats the byte before the next one; it is no beginning of a stream. */
export function isProbe(length: number, flags: number): boolean {
  return length <= 1 && (flags & (PSH | SYN | FIN)) === 0;
}

/** A signed 32-bit number in network order. */
export function i32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
