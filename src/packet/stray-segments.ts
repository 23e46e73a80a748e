import type { Party } from '../model/recognition.js';
import type { Timestamp } from '../model/time.js';
import { type OrderedStreams, other, WAITING_BYTES_TOTAL, type WaitingBudget } from './ordered-streams.js';
import { advanced, distance, REACH } from './sequence.js';
import { ACK, FIN, type TcpHeader } from './tcp.js';

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

/** Of one connection: what came last with numbers that are far away. */
export class StraySegments {
  readonly #order: OrderedStreams;
  readonly #budget: WaitingBudget;
  #run: StrayRun | null = null;

  constructor(order: OrderedStreams, budget: WaitingBudget) {
    this.#order = order;
    this.#budget = budget;
  }

  /** A segment whose number is far away; the run that it confirms, which is taken out, or null. */
  add(
    party: Party,
    header: TcpHeader,
    bytes: Uint8Array,
    from: number,
    to: number,
    length: number,
    origin: number,
    at: Timestamp,
    now: Timestamp,
  ): StrayRun | null {
    if (this.#run !== null && !(this.#isCurrent(this.#run) && this.#run.fits(party, header, to - from)))
      this.passOver();
    this.#run ??= this.#begin(party, header, to > from, now);
    const run = this.#run;
    if (run === null) {
      this.#order.streams[party].discard(length);
      this.#order.note();
      return null;
    }
    run.add(party, header, bytes, from, to, length, origin, at);
    this.#budget.waiting += to - from;
    return run.confirmed ? this.#take() : null;
  }

  /** The run that is confirmed by what the other side, which is `party`, acknowledges in its own place; it is taken out. */
  confirm(party: Party, acknowledgement: number): StrayRun | null {
    const run = this.#run;
    if (run === null || run.both || run.party === party || !this.#isCurrent(run)) return null;
    return run.isAcknowledged(acknowledgement) ? this.#take() : null;
  }

  /** What is kept is given up and counted. */
  passOver(): void {
    const run = this.#take();
    if (run === null) return;
    for (const { party, length } of run.segments) this.#order.streams[party].discard(length);
    this.#order.note();
  }

  /** Forgets what is kept. */
  clear(): void {
    this.#take();
  }

  #begin(party: Party, header: TcpHeader, hasBytes: boolean, now: Timestamp): StrayRun | null {
    if (!hasBytes || (header.flags & ACK) === 0 || this.#budget.waiting >= WAITING_BYTES_TOTAL) return null;
    const order = this.#order;
    // What has waited long enough is given up first, so that this does not seem to be progress later.
    order.drain(now);
    if (order.over) return null;
    const own = order.streams[party];
    const both = !order.streams[other(party)].isNear(header.acknowledgement) || !own.isAhead(header.sequence);
    return new StrayRun(party, header, both, order.count, own.next);
  }

  /** Whether the connection has not gone on in its own place meanwhile. */
  #isCurrent(run: StrayRun): boolean {
    const { count, streams } = this.#order;
    return run.both ? count - run.count === run.segments.length : streams[run.party].next === run.place;
  }

  #take(): StrayRun | null {
    const run = this.#run;
    this.#run = null;
    if (run !== null) this.#budget.waiting -= run.bytes;
    return run;
  }
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

  /** How many packets of the connection there were when it began, and where that party's own place was. */
  readonly count: number;
  readonly place: number;

  constructor(party: Party, header: TcpHeader, both: boolean, count: number, place: number) {
    this.party = party;
    this.count = count;
    this.place = place;
    this.both = both;
    this.first = header.sequence;
    this.#next[party] = header.sequence;
    this.#next[other(party)] = header.acknowledgement;
  }

  /** Whether a segment has numbers like these, and there is room for it. */
  fits(party: Party, header: TcpHeader, captured: number): boolean {
    if (this.segments.length >= RUN_SEGMENTS || this.bytes + captured > RUN_BYTES) return false;
    return isNear(this.#next[party], header.sequence) && isNear(this.#next[other(party)], header.acknowledgement);
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
