import type { Party } from '../model/recognition.js';
import type { Timestamp } from '../model/time.js';
import type { FlowAddress } from './flow-address.js';
import type { IpPart } from './ip.js';
import { distance } from './sequence.js';
import { SYN, type TcpHeader } from './tcp.js';

/**
 * Strategy: what is left of connections that have ended, as TIME_WAIT has it (RFC 9293, section 3.4.2): the last acknowledgement and late
 * repetitions must not begin new ones. Little is kept of each, the oldest give way, and what is too old is as good as forgotten.
 */

/** How long an ended connection is remembered, in microseconds: Linux's TIME_WAIT. */
export const LINGER_TIME = 60_000_000;
/** And how many: a late packet comes within a few retransmission timeouts, in which no server ends more. */
export const LINGER_LIMIT = 4_096;

/** A SYN may come later than the bytes it began, and these may be the first that were seen. */
export const LATE_SYN_REACH = 65_536;
/** Bytes this far from where a stream ended are those of another one. */
const ELSEWHERE = 2 ** 24;

/** Where a party's numbers began and ended; null when it was never heard, or nobody listened. */
export interface StreamNumbers {
  readonly initial: number;
  readonly synSeen: boolean;
  readonly next: number;
}

interface EndedFlow {
  readonly address: FlowAddress;
  readonly first: StreamNumbers | null;
  readonly second: StreamNumbers | null;
  readonly at: Timestamp;
  chained: EndedFlow | null;
}

export class EndedFlows {
  readonly #byHash = new Map<number, EndedFlow>();
  /** A ring; `#at` is the place of the oldest, once it is full. */
  readonly #ring: EndedFlow[] = [];
  #at = 0;

  get size(): number {
    return this.#ring.length;
  }

  add(address: FlowAddress, first: StreamNumbers | null, second: StreamNumbers | null, now: Timestamp): void {
    const flow = { address, first, second, at: now, chained: this.#byHash.get(address.hash) ?? null };
    this.#byHash.set(address.hash, flow);
    const oldest = this.#ring[this.#at];
    if (oldest !== undefined) this.#forget(oldest);
    this.#ring[this.#at] = flow;
    this.#at = (this.#at + 1) % LINGER_LIMIT;
  }

  /** Whether a packet that belongs to no living connection is one of these, late; its payload has `length` bytes. */
  isRemnant(bytes: Uint8Array, ip: IpPart, tcp: TcpHeader, hash: number, length: number, now: Timestamp): boolean {
    for (let flow = this.#byHash.get(hash) ?? null; flow !== null; flow = flow.chained) {
      const party: Party | -1 = flow.address.sender(bytes, ip, tcp);
      // The first that is found ended last.
      if (party >= 0) return now - flow.at <= LINGER_TIME && isOf(party === 0 ? flow.first : flow.second, tcp, length);
    }
    return false;
  }

  clear(): void {
    this.#byHash.clear();
    this.#ring.length = 0;
    this.#at = 0;
  }

  #forget(flow: EndedFlow): void {
    const { hash } = flow.address;
    let before: EndedFlow | null = null;
    for (let each = this.#byHash.get(hash) ?? null; each !== null && each !== flow; each = each.chained) before = each;
    if (before !== null) before.chained = flow.chained;
    else if (flow.chained !== null) this.#byHash.set(hash, flow.chained);
    else this.#byHash.delete(hash);
  }
}

function isOf(numbers: StreamNumbers | null, tcp: TcpHeader, length: number): boolean {
  if ((tcp.flags & SYN) !== 0) {
    if (numbers === null) return false;
    const late = distance(tcp.sequence, numbers.initial);
    return numbers.synSeen ? late === 0 : late >= 0 && late <= LATE_SYN_REACH;
  }
  return numbers === null || length === 0 || Math.abs(distance(numbers.next, tcp.sequence)) <= ELSEWHERE;
}
