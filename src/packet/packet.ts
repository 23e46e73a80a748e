import type { Timestamp } from '../model/time.js';

/**
 * One packet as a capture has it. The object and its bytes are borrowed: both are valid until the sink returns, and the object may be
 * the same one each time.
 */
export interface Packet {
  /** When it was captured; fractions keep what a nanosecond file knows. */
  readonly at: Timestamp;
  /** The LINKTYPE_ number of its interface (https://www.tcpdump.org/linktypes.html). */
  readonly linkType: number;
  /** The captured part is `bytes` from `start` to `end` (exclusive); what lies around it belongs to others. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** How long the packet was on the wire; more than was captured when the snap length cut it. */
  readonly originalLength: number;
  /** Where the byte at `start` lies in the source's own file, or -1 when it has none. */
  readonly origin: number;
}

export type PacketSink = (packet: Packet) => void;
