import type { Party } from '../model/recognition.js';
import type { Timestamp } from '../model/time.js';
import { LATE_SYN_REACH, type StreamNumbers } from './ended-flows.js';
import { OrderedStreams, other, type StreamTarget, type WaitingBudget } from './ordered-streams.js';
import { advanced, distance, REACH } from './sequence.js';
import { type KeptSegment, type StrayRun, StraySegments } from './stray-segments.js';
import type { StreamAssembler } from './stream-assembler.js';
import { ACK, FIN, isProbe, RST, SYN, type TcpHeader } from './tcp.js';
import { takeReset } from './tcp-reset.js';

/**
 * Strategy: the segments of one TCP connection. A segment that is next in its direction, and whose sender had received nothing that we
 * have not delivered, is delivered at once and not copied. Everything else is taken apart into what it says of either direction (where
 * it begins and ends, which bytes there are, what has arrived), and waits to be ordered. Numbers far from those of the connection are
 * only believed when others confirm them.
 */

/** Where the streams go, and the news that the SYN was answered by a reset. */
export interface ConversationTarget extends StreamTarget {
  refused(at: Timestamp): void;
}

export class TcpConversation {
  readonly #target: ConversationTarget;
  readonly #order: OrderedStreams;
  readonly #strays: StraySegments;
  /** Another connection uses its ports: the segments of which that is known. */
  moved: readonly KeptSegment[] | null = null;
  /** Who sent the first SYN; null when none was seen. */
  initiator: Party | null = null;

  constructor(target: ConversationTarget, budget: WaitingBudget) {
    this.#target = target;
    this.#order = new OrderedStreams(target, budget);
    this.#strays = new StraySegments(this.#order, budget);
  }

  /** Nothing more will be delivered. */
  get over(): boolean {
    return this.#order.over;
  }

  /** Something waits, so time must be told. */
  get unsettled(): boolean {
    return this.#order.unsettled;
  }

  fromStart(party: Party): boolean {
    return this.#order.streams[party].fromStart;
  }

  /** Whether anything of this party's stream is known. */
  seen(party: Party): boolean {
    return this.#order.streams[party].state !== 'new';
  }

  /** Only the initiator's SYNs were seen. */
  get unanswered(): boolean {
    const { initiator } = this;
    if (initiator === null) return false;
    return !this.seen(other(initiator)) && !this.#order.streams[initiator].delivered && !this.unsettled;
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
    const order = this.#order;
    order.count += 1;
    const own = order.streams[party];
    const peer = order.streams[party === 0 ? 1 : 0];
    if (
      (header.flags & (SYN | FIN | RST | ACK)) === ACK &&
      !order.unsettled &&
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
    if (order.over) return;
    if ((header.flags & (SYN | RST)) === 0 && !own.isNear(header.sequence) && !own.believes(header.sequence)) {
      const run = this.#strays.add(party, header, bytes, from, to, length, origin, at, now);
      if (run !== null) this.#move(run, now);
      return;
    }
    this.#outOfOrder(party, own, peer, header, bytes, from, to, length, origin, at, now);
  }

  /** What came with numbers that are far away is given up, when nothing has confirmed them. */
  passOver(): void {
    this.#strays.passOver();
  }

  /** Gives up what was waited for long enough; `now` is the capture's clock. */
  expire(now: Timestamp): void {
    if (!this.over && this.unsettled) this.#order.drain(now);
  }

  /** Gives up what is still waited for: delivers all there is. */
  flush(): void {
    this.#order.flush();
  }

  /** Forgets what waits: nobody wants the streams. */
  abandon(): void {
    this.#strays.clear();
    this.#order.close();
  }

  /** Whether a SYN with this number begins another connection between the same ports. */
  reuses(party: Party, header: TcpHeader): boolean {
    const own = this.#order.streams[party];
    const peer = this.#order.streams[other(party)];
    if (own.synSeen) return header.sequence !== own.initial;
    if (own.state === 'new') {
      if ((header.flags & ACK) === 0) return peer.delivered;
      return peer.synSeen && Math.abs(distance(advanced(peer.initial, 1), header.acknowledgement)) > REACH;
    }
    const first = own.state === 'settling' ? (own.waiting[0]?.sequence ?? header.sequence) : advanced(own.initial, 1);
    const late = distance(advanced(header.sequence, 1), first);
    return late < 0 || late > LATE_SYN_REACH;
  }

  /** Where a party's numbers began and ended; null when it was never heard. */
  numbers(party: Party): StreamNumbers | null {
    const { state, initial, synSeen, next } = this.#order.streams[party];
    return state === 'open' || state === 'ended' ? { initial, synSeen, next, ended: state === 'ended' } : null;
  }

  /** The connection has moved on: both of its directions, or one by more than was captured of it. */
  #move(run: StrayRun, now: Timestamp): void {
    if (run.both) {
      this.moved = run.segments;
      return;
    }
    this.#order.streams[run.party].reach(run.first);
    for (const { party, header, bytes, length, origin, at } of run.segments)
      this.segment(party, header, bytes, 0, bytes.length, length, origin, at, now);
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
    let acknowledgement = (flags & ACK) === 0 ? null : header.acknowledgement;
    if ((flags & SYN) !== 0) {
      own.begin(advanced(sequence, 1), true);
      if (this.initiator === null) this.initiator = (flags & ACK) === 0 ? party : other(party);
      if ((flags & ACK) !== 0 && mayBegin(peer, header.acknowledgement)) peer.begin(header.acknowledgement, false);
      sequence = advanced(sequence, 1);
    }
    if (acknowledgement !== null) {
      if (!this.#isBelieved(party, peer, acknowledgement, now)) acknowledgement = null;
      else this.#acknowledged(own, peer, header, at);
    }
    if ((flags & RST) !== 0) {
      const refused = takeReset(this.#order, party, this.initiator, header, at);
      if (refused) this.#target.refused(at);
    } else if (own.state === 'ended') {
      own.late(sequence, advanced(sequence, length));
    } else {
      const reset = own.doubtfulReset;
      if (reset !== null && acknowledgement !== null && distance(reset.heard, acknowledgement) > 0) own.disproveReset();
      if (length > 0 && !(own.state === 'new' && isProbe(length, flags))) {
        if (to > from) own.add(sequence, bytes, from, to, origin, at, this.#order.count, acknowledgement);
        if (to - from < length) this.#cut(own, sequence, advanced(sequence, length), at);
      }
      if ((flags & FIN) !== 0) {
        own.addEnd('fin', advanced(sequence, length), at, this.#order.count, acknowledgement);
      }
    }
    if (!this.over) this.#order.drain(now);
  }

  /** Whether the other side can have sent what is acknowledged: it is not far away, or was acknowledged or sent before. */
  #isBelieved(party: Party, peer: StreamAssembler, acknowledgement: number, now: Timestamp): boolean {
    if (peer.isNear(acknowledgement)) return true;
    const run = this.#strays.confirm(party, acknowledgement);
    if (run !== null) this.#move(run, now);
    if (run !== null || peer.believes(acknowledgement)) return true;
    peer.doubted = acknowledgement;
    return false;
  }

  #acknowledged(own: StreamAssembler, peer: StreamAssembler, header: TcpHeader, at: Timestamp): void {
    // The first segment after a SYN acknowledges the other side's SYN and, as a client speaks first, nothing else.
    const first = own.synSeen && header.sequence === advanced(own.initial, 1) && (header.flags & RST) === 0;
    if (first && mayBegin(peer, header.acknowledgement)) peer.begin(header.acknowledgement, false);
    peer.acknowledge(header.acknowledgement, this.#order.count, at);
  }

  /** The snap length cut a packet: what lies before `end` was on the wire and is not in the capture. */
  #cut(own: StreamAssembler, sequence: number, end: number, at: Timestamp): void {
    if (own.state === 'new') own.join(sequence);
    else if (own.state === 'settling') own.settle();
    own.cover(end, this.#order.count, at);
    own.cut ||= own.covered;
  }
}

/** Whether a stream whose SYN was not seen may begin at `first`: with what is known of it, or not long before. */
function mayBegin(stream: StreamAssembler, first: number): boolean {
  if (stream.state === 'new') return true;
  const head = stream.waiting[0];
  if (stream.state !== 'settling' || head === undefined) return false;
  const missing = distance(first, head.sequence);
  return missing >= 0 && missing <= LATE_SYN_REACH;
}
