import type { EndKind } from '../model/connection.js';
import type { Party } from '../model/recognition.js';
import type { Timestamp } from '../model/time.js';
import { advanced, distance } from './sequence.js';
import { AHEAD_LIMIT, StreamAssembler, type Waiting } from './stream-assembler.js';

/**
 * Strategy: what waits in the two directions of one connection, delivered in order or given up.
 *
 * How long a hole is waited for depends on what the other side says. If it has acknowledged the bytes, they arrived and will not be sent
 * again: either the capture has them a little later or never. If not, a retransmission is to be expected. Either way patience is measured
 * in packets of this connection and in the capture's time, never in ours.
 *
 * The two directions are ordered by acknowledgements alone: a segment waits for what its sender had received. When that can never be
 * (what was sent again carries a newer acknowledgement than its bytes), patience ends it.
 */

/** What was acknowledged but not seen: captures swap packets within a batch of a network card's queue, rarely more than a few dozen. */
export const ACKED_HOLE_SEGMENTS = 64;
/** The same in microseconds: a batch is handed over within milliseconds. */
export const ACKED_HOLE_TIME = 100_000;
/** What was not acknowledged: a retransmission that is not here after eight doublings of 200 ms is not coming. Microseconds. */
export const HOLE_TIME = 60_000_000;
/** What may wait in one direction: a window of 4 MiB is more than one connection of a web server to its backend has in flight. */
export const WAITING_BYTES_LIMIT = 4 * 1024 * 1024;
export const WAITING_SEGMENTS_LIMIT = 4_096;
/** What may wait in all connections together. */
export const WAITING_BYTES_TOTAL = 64 * 1024 * 1024;

/** Where the streams go. For each party bytes and gaps in stream order, then its end. */
export interface StreamTarget {
  /** bytes[from, to) are borrowed. */
  bytes(party: Party, bytes: Uint8Array, from: number, to: number, at: Timestamp, origin: number): void;
  gap(party: Party, length: number, at: Timestamp): void;
  end(party: Party, how: EndKind, at: Timestamp): void;
  /** Segments that belong nowhere in the streams, and their bytes. */
  discarded(segments: number, bytes: number): void;
}

/** Shared by all connections of a table. */
export interface WaitingBudget {
  /** Bytes that wait. */
  waiting: number;
}

export class OrderedStreams {
  readonly #target: StreamTarget;
  readonly #budget: WaitingBudget;
  /** Of each party what it sends. */
  readonly streams: readonly [StreamAssembler, StreamAssembler] = [new StreamAssembler(), new StreamAssembler()];
  /** What of the budget is ours. */
  #accounted = 0;
  /** Packets of this connection so far; the measure of patience. */
  count = 0;
  /** Nothing more will be delivered: both directions have ended, or one was reset, or nobody wants them. */
  over = false;
  /** Something waits, so time must be told. */
  unsettled = false;

  constructor(target: StreamTarget, budget: WaitingBudget) {
    this.#target = target;
    this.#budget = budget;
  }

  /** Delivers what can be, and gives up what was waited for long enough; `now` is the capture's clock. */
  drain(now: Timestamp): void {
    while (!this.over && (this.#deliverReady() || this.#giveUpOldOf(0, now) || this.#giveUpOldOf(1, now))) {}
    this.note();
    this.#keepLimits(0);
    this.#keepLimits(1);
  }

  /** Gives up what is still waited for: delivers all there is. */
  flush(): void {
    while (!this.over && (this.#deliverReady() || this.#giveUp(0) || this.#giveUp(1))) {}
    this.note();
  }

  /** Delivers all there is and ends with a reset of this party, which ends both. */
  reset(party: Party, at: Timestamp): void {
    this.flush();
    if (!this.over) this.#endByReset(party, at);
  }

  /** Nothing more will be delivered; what waits is forgotten. */
  close(): void {
    this.over = true;
    this.note();
  }

  /** Delivers what is next in either direction, the earlier packet first; false when everything waits. */
  #deliverReady(): boolean {
    const [a, b] = this.streams;
    const first = this.#ready(a, b);
    const second = this.#ready(b, a);
    if (first === null && second === null) return false;
    this.#deliver(second === null || (first !== null && first.count <= second.count) ? 0 : 1);
    return true;
  }

  #ready(own: StreamAssembler, peer: StreamAssembler): Waiting | null {
    const head = own.waiting[0];
    if (head === undefined || own.state !== 'open' || distance(own.next, head.sequence) > 0) return null;
    return blocks(peer, head) ? null : head;
  }

  #deliver(party: Party): void {
    const own = this.streams[party];
    const head = own.shift();
    const skip = Math.max(0, distance(head.sequence, own.next));
    const { length } = head.bytes;
    if (skip < length) {
      own.progress(advanced(head.sequence, length));
      const origin = head.origin < 0 ? -1 : head.origin + skip;
      own.heardCount = Math.max(own.heardCount, head.count);
      own.heardAt = Math.max(own.heardAt, head.at);
      if (own.covered) {
        // Some of it has come, so the rest may be on its way.
        own.coveredCount = Math.max(own.coveredCount, head.count);
        own.coveredAt = Math.max(own.coveredAt, head.at);
      }
      this.#target.bytes(party, head.bytes, skip, length, head.at, origin);
    }
    if (head.end === null) return;
    // A FIN has a number of its own, which the other side acknowledges.
    own.progress(advanced(own.endAt, 1));
    own.finish();
    if (head.end === 'reset') {
      this.#flushOne(other(party));
      if (!this.over) this.#endByReset(party, head.at);
      return;
    }
    this.#target.end(party, 'fin', head.at);
    this.over ||= this.streams[other(party)].state === 'ended';
  }

  #flushOne(party: Party): void {
    const own = this.streams[party];
    while (!this.over && own.waiting.length > 0 && this.#giveUp(party)) {
      while (this.#ready(own, this.streams[other(party)]) !== null) this.#deliver(party);
    }
  }

  /** Gives up what a direction has waited for long enough; false when there is nothing. */
  #giveUpOldOf(party: Party, now: Timestamp): boolean {
    const own = this.streams[party];
    const head = own.waiting[0];
    const reset = own.doubtfulReset;
    if (reset !== null && (own.isDue(reset.sequence) || now - reset.at > HOLE_TIME)) return own.believeReset();
    if (own.state === 'settling') {
      return this.#aged(own.coveredCount, own.coveredAt, now, 1) && this.#giveUp(party);
    }
    if (own.state !== 'open') return false;
    if (head === undefined) {
      return own.covered && this.#aged(own.coveredCount, own.coveredAt, now, 1) && this.#giveUp(party);
    }
    if (own.hole === 0) {
      // It waits for the other direction alone, whose own patience comes first.
      return this.#aged(head.count, head.at, now, 2) && this.#giveUp(party);
    }
    if (!own.covered) return now - head.at > HOLE_TIME && this.#giveUp(party);
    const count = Math.max(head.count, own.coveredCount);
    return this.#aged(count, Math.max(head.at, own.coveredAt), now, 1) && this.#giveUp(party);
  }

  #aged(count: number, at: Timestamp, now: Timestamp, times: number): boolean {
    return this.count - count > times * ACKED_HOLE_SEGMENTS || now - at > times * ACKED_HOLE_TIME;
  }

  /** Gives up whatever the first waiting entry of a direction waits for; false when it waits for nothing. */
  #giveUp(party: Party): boolean {
    if (this.#skipHole(party)) return true;
    const own = this.streams[party];
    if (own.state !== 'open') return false;
    if (own.waiting.length === 0) return own.believeReset();
    if (!this.#skipHole(other(party))) this.#deliver(party);
    return true;
  }

  /** Reports the missing bytes before what waits, or as many of them as have been acknowledged. */
  #skipHole(party: Party): boolean {
    const own = this.streams[party];
    if (own.state === 'settling') {
      own.settle();
      return true;
    }
    if (own.state !== 'open') return false;
    const head = own.waiting[0];
    let length = own.hole;
    if (own.covered) {
      const passed = distance(own.next, own.passed);
      length = head === undefined ? passed : Math.min(length, passed);
      const peer = this.streams[other(party)];
      if (head === undefined && !own.cut && (passed === 1 || peer.endKnown)) {
        // The last number is more likely a FIN that was not captured than a byte, alone or where the other side ends as well.
        own.finMissed = true;
        own.covered = false;
        if (passed === 1) return true;
        length = passed - 1;
      }
    }
    if (length <= 0) return false;
    if (!own.covered && own.dropStray(ACKED_HOLE_SEGMENTS, ACKED_HOLE_TIME)) return true;
    own.giveUp(advanced(own.next, length));
    this.#target.gap(party, length, head?.at ?? own.coveredAt);
    return true;
  }

  /** What may wait is bounded: the oldest hole of this direction is given up until it fits. */
  #keepLimits(party: Party): void {
    const own = this.streams[party];
    while (
      !this.over &&
      own.waiting.length > 0 &&
      (own.waitingBytes > WAITING_BYTES_LIMIT ||
        own.waiting.length > WAITING_SEGMENTS_LIMIT ||
        this.#budget.waiting > WAITING_BYTES_TOTAL) &&
      this.#giveUp(party)
    ) {
      while (!this.over && this.#deliverReady()) {}
      this.note();
    }
  }

  /** Brings the accounts up to date after anything that may have changed what waits. */
  note(): void {
    const [a, b] = this.streams;
    if (a.discards + b.discards > 0) {
      this.#target.discarded(a.discards + b.discards, a.discardedBytes + b.discardedBytes);
      a.discards = b.discards = a.discardedBytes = b.discardedBytes = 0;
    }
    if (this.over) {
      a.clear();
      b.clear();
    }
    const bytes = a.waitingBytes + b.waitingBytes;
    this.#budget.waiting += bytes - this.#accounted;
    this.#accounted = bytes;
    const waits = a.waiting.length > 0 || b.waiting.length > 0 || a.covered || b.covered;
    this.unsettled = !this.over && (waits || a.doubtfulReset !== null || b.doubtfulReset !== null);
  }

  #endByReset(party: Party, at: Timestamp): void {
    this.#target.end(party, 'reset', at);
    this.over = true;
  }
}

/** Whether `head` must wait: its sender had received bytes of `peer` that have not been delivered yet. */
function blocks(peer: StreamAssembler, head: Waiting): boolean {
  if (head.acknowledgement === null) return false;
  if (peer.state === 'settling') {
    const first = peer.waiting[0];
    return first !== undefined && distance(first.sequence, head.acknowledgement) > 0;
  }
  if (peer.state !== 'open') return false;
  const missing = distance(peer.next, head.acknowledgement);
  if (missing === 1 && peer.finMissed) return false;
  return missing > 0 && missing <= AHEAD_LIMIT;
}

export function other(party: Party): Party {
  return party === 0 ? 1 : 0;
}
