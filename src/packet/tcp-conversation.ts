import type { EndKind } from '../model/connection.js';
import type { Party } from '../model/recognition.js';
import type { Timestamp } from '../model/time.js';
import { LATE_SYN_REACH, type StreamNumbers } from './ended-flows.js';
import { advanced, distance } from './sequence.js';
import { AHEAD_LIMIT, StreamAssembler, type Waiting } from './stream-assembler.js';
import { ACK, FIN, PSH, RST, SYN, type TcpHeader } from './tcp.js';

/**
 * Strategy: the two directions of one TCP connection, put in order. A segment that is next in its direction, and whose sender had
 * received nothing that we have not delivered, is delivered at once and not copied. Everything else waits.
 *
 * How long a hole is waited for depends on what the other side says. If it has acknowledged the bytes, they arrived and will not be sent
 * again: either the capture has them a little later or never. If not, a retransmission is to be expected. Either way patience is measured
 * in packets of this connection and in the capture's time, never in ours.
 *
 * The two directions are ordered by acknowledgements alone: a segment waits for what its sender had received. A segment that was sent
 * again says nothing about that, as it carries a newer acknowledgement than its bytes.
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

/** A RST with a number further from what is expected is somebody's guess; as far as a large window and an old acknowledgement explain. */
const RESET_REACH = 2 ** 24;

/** Where the streams go. For each party bytes and gaps in stream order, then its end. */
export interface StreamTarget {
  /** bytes[from, to) are borrowed. */
  bytes(party: Party, bytes: Uint8Array, from: number, to: number, at: Timestamp, origin: number): void;
  gap(party: Party, length: number, at: Timestamp): void;
  end(party: Party, how: EndKind, at: Timestamp): void;
  /** The SYN was answered by a reset. */
  refused(at: Timestamp): void;
}

/** Shared by all connections of a table. */
export interface WaitingBudget {
  /** Bytes that wait. */
  waiting: number;
}

export class TcpConversation {
  readonly #target: StreamTarget;
  readonly #budget: WaitingBudget;
  readonly #streams: readonly [StreamAssembler, StreamAssembler] = [new StreamAssembler(), new StreamAssembler()];
  /** What of the budget is ours. */
  #accounted = 0;
  /** Packets so far; the measure of patience. */
  #count = 0;
  /** Who sent the first SYN; null when none was seen. */
  initiator: Party | null = null;
  /** Nothing more will be delivered: both directions have ended, or one was reset. */
  over = false;
  /** Something waits, so time must be told. */
  unsettled = false;

  constructor(target: StreamTarget, budget: WaitingBudget) {
    this.#target = target;
    this.#budget = budget;
  }

  fromStart(party: Party): boolean {
    return this.#streams[party].fromStart;
  }

  /** Whether anything of this party's stream is known. */
  seen(party: Party): boolean {
    return this.#streams[party].state !== 'new';
  }

  /** Only the initiator's SYNs were seen. */
  get unanswered(): boolean {
    const { initiator } = this;
    if (initiator === null) return false;
    return !this.seen(other(initiator)) && !this.#streams[initiator].delivered && !this.unsettled;
  }

  /**
   * One packet: bytes[from, to) is the captured part of a payload of `length` bytes. `now` is the capture's clock, `at` the packet's
   * time.
   */
  segment(
    party: Party,
    header: TcpHeader,
    bytes: Uint8Array,
    from: number,
    to: number,
    length: number,
    origin: number,
    at: Timestamp,
    now: Timestamp,
  ): void {
    this.#count += 1;
    const own = this.#streams[party];
    const peer = this.#streams[party === 0 ? 1 : 0];
    if (
      (header.flags & (SYN | FIN | RST | ACK)) === ACK &&
      !this.unsettled &&
      own.state === 'open' &&
      header.sequence === own.next &&
      to - from === length &&
      (peer.state === 'new' ? own.delivered : distance(header.acknowledgement, peer.next) >= 0)
    ) {
      peer.acked = header.acknowledgement;
      peer.acknowledged = true;
      if (length === 0) return;
      own.next = advanced(own.next, length);
      own.delivered = true;
      this.#target.bytes(party, bytes, from, to, at, origin);
      return;
    }
    if (this.over) return;
    this.#outOfOrder(party, own, peer, header, bytes, from, to, length, origin, at, now);
  }

  /** Gives up what was waited for long enough; `now` is the capture's clock. */
  expire(now: Timestamp): void {
    if (!this.over && this.unsettled) this.#drain(now);
  }

  /** Gives up what is still waited for: delivers all there is. */
  flush(): void {
    while (!this.over && (this.#deliverReady() || this.#giveUp(0) || this.#giveUp(1))) {}
    this.#note();
  }

  /** Forgets what waits: nobody wants the streams. */
  abandon(): void {
    this.over = true;
    this.#note();
  }

  /** Whether a SYN with this number begins another connection between the same ports. */
  reuses(party: Party, header: TcpHeader): boolean {
    const own = this.#streams[party];
    const peer = this.#streams[other(party)];
    if (own.synSeen) return header.sequence !== own.initial;
    if (own.state === 'new') {
      if ((header.flags & ACK) === 0) return peer.delivered;
      return peer.synSeen && !nearby(advanced(peer.initial, 1), header.acknowledgement);
    }
    const first = own.state === 'settling' ? (own.waiting[0]?.sequence ?? header.sequence) : advanced(own.initial, 1);
    const late = distance(advanced(header.sequence, 1), first);
    return late < 0 || late > LATE_SYN_REACH;
  }

  /** Where a party's numbers began and ended; null when it was never heard. */
  numbers(party: Party): StreamNumbers | null {
    const { state, initial, synSeen, next } = this.#streams[party];
    return state === 'open' || state === 'ended' ? { initial, synSeen, next } : null;
  }

  #outOfOrder(
    party: Party,
    own: StreamAssembler,
    peer: StreamAssembler,
    header: TcpHeader,
    bytes: Uint8Array,
    from: number,
    to: number,
    length: number,
    origin: number,
    at: Timestamp,
    now: Timestamp,
  ): void {
    const { flags } = header;
    let { sequence } = header;
    if ((flags & SYN) !== 0) {
      own.begin(advanced(sequence, 1), true);
      if (this.initiator === null) this.initiator = (flags & ACK) === 0 ? party : other(party);
      if ((flags & ACK) !== 0 && (peer.state === 'new' || peer.state === 'settling'))
        peer.begin(header.acknowledgement, false);
      sequence = advanced(sequence, 1);
    }
    if ((flags & ACK) !== 0) this.#acknowledged(own, peer, header, at);
    if ((flags & RST) !== 0) {
      this.#reset(party, own, peer, header, at);
    } else if (own.state !== 'ended') {
      const acknowledgement = (flags & ACK) !== 0 ? header.acknowledgement : null;
      if (length > 0 && !(own.state === 'new' && isProbe(length, flags))) {
        if (to > from) own.add(sequence, bytes, from, to, origin, at, this.#count, acknowledgement);
        if (to - from < length) this.#cut(own, sequence, advanced(sequence, length), at);
      }
      if ((flags & FIN) !== 0) {
        own.addEnd('fin', advanced(sequence, length), at, this.#count, acknowledgement);
      }
    }
    this.#drain(now);
    this.#keepLimits(party, own);
  }

  #acknowledged(own: StreamAssembler, peer: StreamAssembler, header: TcpHeader, at: Timestamp): void {
    const first = peer.waiting[0];
    const open = peer.state === 'new' || (first !== undefined && peer.state === 'settling');
    // The first segment after a SYN acknowledges the other side's SYN and, as a client speaks first, nothing else.
    if (open && own.synSeen && header.sequence === advanced(own.initial, 1) && (header.flags & RST) === 0) {
      if (first === undefined || distance(header.acknowledgement, first.sequence) >= 0)
        peer.begin(header.acknowledgement, false);
    }
    peer.acknowledge(header.acknowledgement, this.#count, at);
  }

  /** The snap length cut a packet: what lies before `end` was on the wire and is not in the capture. */
  #cut(own: StreamAssembler, sequence: number, end: number, at: Timestamp): void {
    if (own.state === 'new') own.join(sequence);
    else if (own.state === 'settling') own.settle();
    own.cover(end, this.#count, at);
    own.cut ||= own.covered;
  }

  #reset(party: Party, own: StreamAssembler, peer: StreamAssembler, header: TcpHeader, at: Timestamp): void {
    const { sequence, acknowledgement, flags } = header;
    const acknowledges = (flags & ACK) !== 0;
    if (own.state === 'new') {
      const answersSyn = peer.synSeen && acknowledges && nearby(advanced(peer.initial, 1), acknowledgement);
      if (answersSyn && !peer.delivered && this.initiator === other(party)) {
        this.over = true;
        this.#target.refused(at);
        return;
      }
      const expected = own.acknowledged
        ? nearby(own.acked, sequence)
        : acknowledges && peer.state === 'open' && nearby(peer.next, acknowledgement);
      if (!expected) return;
      own.join(sequence);
    } else if (own.state === 'settling') {
      if (!nearby(own.waiting[0]?.sequence ?? sequence, sequence)) return;
      own.settle();
    } else {
      const ahead = distance(own.next, sequence);
      const known = own.acknowledged ? Math.min(0, distance(own.next, own.acked)) : 0;
      if (ahead > RESET_REACH || ahead < known - LATE_SYN_REACH) return;
    }
    if (own.endKnown) {
      // After a FIN: whatever waits before it will not be sent again.
      this.flush();
      if (!this.over) this.#endByReset(party, at);
      return;
    }
    const place = distance(own.next, sequence) > 0 ? sequence : own.next;
    own.addEnd('reset', place, at, this.#count, acknowledges ? acknowledgement : null);
    own.cover(place, this.#count, at);
    const last = peer.waiting.at(-1);
    if (last !== undefined) peer.cover(advanced(last.sequence, last.bytes.length), this.#count, at);
  }

  #endByReset(party: Party, at: Timestamp): void {
    this.#target.end(party, 'reset', at);
    this.over = true;
  }

  #drain(now: Timestamp): void {
    while (!this.over && (this.#deliverReady() || this.#giveUpOld(now))) {}
    this.#note();
  }

  /** Delivers what is next in either direction, the earlier packet first; false when everything waits. */
  #deliverReady(): boolean {
    const [a, b] = this.#streams;
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
    const own = this.#streams[party];
    const head = own.shift();
    const skip = Math.max(0, distance(head.sequence, own.next));
    const { length } = head.bytes;
    if (skip < length) {
      own.progress(advanced(head.sequence, length));
      const origin = head.origin < 0 ? -1 : head.origin + skip;
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
    this.over ||= this.#streams[other(party)].state === 'ended';
  }

  #flushOne(party: Party): void {
    const own = this.#streams[party];
    while (!this.over && own.waiting.length > 0 && this.#giveUp(party)) {
      while (this.#ready(own, this.#streams[other(party)]) !== null) this.#deliver(party);
    }
  }

  /** Gives up one thing that was waited for long enough; false when there is none. */
  #giveUpOld(now: Timestamp): boolean {
    return this.#giveUpOldOf(0, now) || this.#giveUpOldOf(1, now);
  }

  #giveUpOldOf(party: Party, now: Timestamp): boolean {
    const own = this.#streams[party];
    const head = own.waiting[0];
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
    return this.#count - count > times * ACKED_HOLE_SEGMENTS || now - at > times * ACKED_HOLE_TIME;
  }

  /** Gives up whatever the first waiting entry of a direction waits for; false when it waits for nothing. */
  #giveUp(party: Party): boolean {
    if (this.#skipHole(party)) return true;
    const own = this.#streams[party];
    if (own.waiting.length === 0 || own.state !== 'open') return false;
    if (!this.#skipHole(other(party))) this.#deliver(party);
    return true;
  }

  /** Reports the missing bytes before what waits, or as many of them as have been acknowledged. */
  #skipHole(party: Party): boolean {
    const own = this.#streams[party];
    if (own.state === 'settling') {
      own.settle();
      return true;
    }
    if (own.state !== 'open') return false;
    const head = own.waiting[0];
    let length = own.hole;
    if (own.covered) {
      const passed = distance(own.next, own.passed);
      if (head === undefined && passed === 1 && !own.cut) {
        // More likely a FIN that was not captured than a byte.
        own.finMissed = true;
        own.covered = false;
        return true;
      }
      length = head === undefined ? passed : Math.min(length, passed);
    }
    if (length <= 0) return false;
    own.progress(advanced(own.next, length));
    this.#target.gap(party, length, head?.at ?? own.coveredAt);
    return true;
  }

  /** What may wait is bounded: the oldest hole of this direction is given up until it fits. */
  #keepLimits(party: Party, own: StreamAssembler): void {
    while (
      !this.over &&
      own.waiting.length > 0 &&
      (own.waitingBytes > WAITING_BYTES_LIMIT ||
        own.waiting.length > WAITING_SEGMENTS_LIMIT ||
        this.#budget.waiting > WAITING_BYTES_TOTAL) &&
      this.#giveUp(party)
    ) {
      while (!this.over && this.#deliverReady()) {}
      this.#note();
    }
  }

  /** Brings the accounts up to date after anything that may have changed what waits. */
  #note(): void {
    const [a, b] = this.#streams;
    if (this.over) {
      a.clear();
      b.clear();
    }
    const bytes = a.waitingBytes + b.waitingBytes;
    this.#budget.waiting += bytes - this.#accounted;
    this.#accounted = bytes;
    this.unsettled = !this.over && (a.waiting.length > 0 || b.waiting.length > 0 || a.covered || b.covered);
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

function nearby(expected: number, sequence: number): boolean {
  return Math.abs(distance(expected, sequence)) <= RESET_REACH;
}

/** A keep-alive or window probe repeats the byte before the next one; it is no beginning of a stream. */
export function isProbe(length: number, flags: number): boolean {
  return length <= 1 && (flags & (PSH | SYN | FIN)) === 0;
}

export function other(party: Party): Party {
  return party === 0 ? 1 : 0;
}
