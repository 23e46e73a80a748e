import type { Timestamp } from '../../model/time.js';
import type { Packet, PacketSink } from '../packet.js';

/**
 * Strategy: a parser is a loop over somebody else's buffer. It is given the bytes that nobody has consumed yet, hands out what is complete
 * in them, says how many it is done with, and how many it wants to see before it can go on. It holds no bytes, so the caller decides
 * about memory, and `needed` is bounded, so a file cannot decide about it.
 */

/**
 * No packet is longer than this, and none that says so is believed. The largest that any capture library writes is 256 KiB on networks;
 * the rest is room for what is not a network.
 */
export const PACKET_LIMIT = 16 * 1024 * 1024;

/** The most that `needed` ever is: a packet, and what a format puts around it. */
export const NEEDED_LIMIT = PACKET_LIMIT + 64 * 1024;

/** libpcap's MAXIMUM_SNAPLEN: what no packet of a network exceeds, and hence what a search for the next packet believes. */
export const NETWORK_PACKET_LIMIT = 262_144;

/** How many comments of one capture are passed on, and how many bytes of each: they are read by people. */
export const COMMENTS_LIMIT = 1_000;
export const COMMENT_LENGTH_LIMIT = 4_000;

/** A remark that somebody wrote into a capture. Its text is hostile like everything else in it. */
export interface CaptureComment {
  readonly subject: 'section' | 'interface' | 'packet';
  /** Which packet of the capture, counted from 1; null when it is not about a packet. */
  readonly packet: number | null;
  readonly at: Timestamp | null;
  readonly text: string;
}

/** What a parser has to say beside packets. `offset` counts in the capture as it was before any compression. */
export interface FormatReports {
  warn(text: string, offset: number): void;
  /** Comes before the packet that it is about. */
  comment(comment: CaptureComment): void;
}

/** Parses one capture from its first byte to its last. Never throws on what it reads. */
export interface FormatParser {
  /** How many unconsumed bytes parse wants to see before it can get any further; at most NEEDED_LIMIT. */
  readonly needed: number;
  /** How many packets were handed out. */
  readonly packets: number;
  /** How many bytes were consumed. */
  readonly position: number;
  /**
   * Reads on in bytes[start, end), which follow those consumed before. Returns how many of them it is done with; the rest must come
   * again, followed by more. The packets lie in `bytes` and are as borrowed as these are.
   */
  parse(bytes: Uint8Array, start: number, end: number, sink: PacketSink): number;
  /** As parse, of the last bytes there are: what cannot be read now is reported. To be called once, also when none are left. */
  finish(bytes: Uint8Array, start: number, end: number, sink: PacketSink): void;
}

/** The one packet object of a parser, filled anew for each packet. */
export class PacketSlot implements Packet {
  // Fractions at first, so that V8 gives these fields room for doubles from the beginning.
  at = 0.5;
  origin = -0.5;
  linkType = 0;
  start = 0;
  end = 0;
  originalLength = 0;

  constructor(public bytes: Uint8Array) {}
}
