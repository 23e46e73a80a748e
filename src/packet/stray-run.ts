import type { Party } from '../model/recognition.js';
import type { Timestamp } from '../model/time.js';
import { advanced, distance, REACH } from './sequence.js';
import { FIN, type TcpHeader } from './tcp.js';

/**
 * Strategy: segments whose numbers are far from those of their connection. A single one is a stray (a damaged header, somebody's guess);
 * when the other side answers with numbers that agree, or several follow one another, the connection has moved there: the capture lacks
 * a long stretch of it, or its ports are used by another one whose SYN was not captured. Until that is known the segments are kept.
 */

/** What is kept until then: a question is answered, or at least acknowledged, within a few segments. */
const RUN_SEGMENTS = 16;
const RUN_BYTES = 256 * 1024;
/** So many segments, each of which begins where the one before ended, are no accident. */
const IN_ORDER = 3;

/** A segment with what TcpConversation is told of it; the bytes are a copy. */
export interface KeptSegment {
  readonly party: Party;
  readonly header: TcpHeader;
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly origin: number;
  readonly at: Timestamp;
}

export class StrayRun {
  readonly segments: KeptSegment[] = [];
  /** Who sent the first of them. */
  readonly party: Party;
  /** Both directions have other numbers, not that party's alone. */
  readonly both: boolean;
  readonly first: number;
  bytes = 0;
  /** Enough has come to believe it. */
  confirmed = false;
  /** What each party's next number is here; of the one that has said nothing, what was acknowledged. */
  readonly #next: [number, number] = [0, 0];
  #inOrder = 0;

  constructor(party: Party, header: TcpHeader, both: boolean) {
    this.party = party;
    this.both = both;
    this.first = header.sequence;
    this.#next[party] = header.sequence;
    this.#next[party === 0 ? 1 : 0] = header.acknowledgement;
  }

  /** Whether a segment has numbers like these, and there is room for it. */
  fits(party: Party, header: TcpHeader, captured: number): boolean {
    if (this.segments.length >= RUN_SEGMENTS || this.bytes + captured > RUN_BYTES) return false;
    return (
      isNear(this.#next[party], header.sequence) && isNear(this.#next[party === 0 ? 1 : 0], header.acknowledgement)
    );
  }

  /** Whether what the other side acknowledges is what these segments say. */
  isAcknowledged(acknowledgement: number): boolean {
    return distance(this.first, acknowledgement) > 0 && isNear(this.#next[this.party], acknowledgement);
  }

  /** Keeps a segment that fits. */
  add(
    party: Party,
    header: TcpHeader,
    bytes: Uint8Array,
    from: number,
    to: number,
    length: number,
    origin: number,
    at: Timestamp,
  ): void {
    const copy = new Uint8Array(to - from);
    copy.set(bytes.subarray(from, to));
    this.segments.push({ party, header: { ...header }, bytes: copy, length, origin, at });
    this.bytes += copy.length;
    const follows = header.sequence === this.#next[party];
    const end = advanced(header.sequence, length + ((header.flags & FIN) === 0 ? 0 : 1));
    if (distance(this.#next[party], end) > 0) this.#next[party] = end;
    if (party !== this.party) this.confirmed = true;
    else if (follows) this.#inOrder += 1;
    this.confirmed ||= this.#inOrder >= IN_ORDER;
  }
}

function isNear(expected: number, sequence: number): boolean {
  return Math.abs(distance(expected, sequence)) <= REACH;
}
