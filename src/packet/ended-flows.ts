import type { Party } from '../model/recognition.js';
import type { Timestamp } from '../model/time.js';
import type { FlowAddress } from './flow-address.js';
import { FlowIndex, type Indexed } from './flow-index.js';
import type { IpPart } from './ip.js';
import { advanced, distance, REACH } from './sequence.js';
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

/** Where a party's numbers began and ended; null when it was never heard, or nobody listened. */
export interface StreamNumbers {
  readonly initial: number;
  readonly synSeen: boolean;
  readonly next: number;
  /** Its sender ended it. */
  readonly ended: boolean;
}

interface EndedFlow extends Indexed<EndedFlow> {
  readonly first: StreamNumbers | null;
  readonly second: StreamNumbers | null;
  readonly at: Timestamp;
  readonly shown: boolean;
  /** Of one that was given up, who asks: what this party says is new. */
  readonly client: Party | null;
}

export class EndedFlows {
  readonly #index = new FlowIndex<EndedFlow>();
  /** A ring; `#at` is the place of the oldest, once it is full. */
  readonly #ring: EndedFlow[] = [];
  #at = 0;
  readonly #limit: number;
  readonly #time: number;

  /** How many are remembered, and how long, in microseconds. */
  constructor(limit = LINGER_LIMIT, time = LINGER_TIME) {
    this.#limit = limit;
    this.#time = time;
  }

  get size(): number {
    return this.#index.size;
  }

  add(
    address: FlowAddress,
    first: StreamNumbers | null,
    second: StreamNumbers | null,
    shown: boolean,
    now: Timestamp,
    client: Party | null = null,
  ): void {
    const flow = { address, first, second, shown, at: now, client, chained: null };
    this.#index.add(flow);
    const oldest = this.#ring[this.#at];
    if (oldest !== undefined) this.#index.remove(oldest);
    this.#ring[this.#at] = flow;
    this.#at = (this.#at + 1) % this.#limit;
  }

  /**
   * Whether a packet that belongs to no living connection is one of these, late; its payload has `length` bytes. Returns -1 when it is
   * not, else how many of them should have been shown: they lie before where it was joined under way, or behind where its sender had
   * ended, or the connection was given up.
   */
  remnant(bytes: Uint8Array, ip: IpPart, tcp: TcpHeader, hash: number, length: number, now: Timestamp): number {
    const flow = this.#index.find(bytes, ip, tcp, hash);
    if (flow === null || now - flow.at > this.#time) return -1;
    const sender = flow.address.sender(bytes, ip, tcp);
    if (sender === flow.client && length > 0) return -1;
    const numbers = sender === 0 ? flow.first : flow.second;
    if (!isOf(numbers, tcp, length)) return -1;
    if (!flow.shown || (tcp.flags & SYN) !== 0) return 0;
    if (numbers === null) return flow.client === null ? 0 : length;
    const before = numbers.synSeen ? 0 : distance(tcp.sequence, advanced(numbers.initial, 1));
    // A single byte there is a probe.
    if (before > 1 && before <= REACH) return Math.min(length, before);
    if (flow.client === null && !numbers.ended) return 0;
    return Math.max(0, Math.min(length, distance(numbers.next, advanced(tcp.sequence, length))));
  }

  clear(): void {
    this.#index.clear();
    this.#ring.length = 0;
    this.#at = 0;
  }
}

function isOf(numbers: StreamNumbers | null, tcp: TcpHeader, length: number): boolean {
  if ((tcp.flags & SYN) !== 0) {
    if (numbers === null) return false;
    const late = distance(tcp.sequence, numbers.initial);
    return numbers.synSeen ? late === 0 : late >= 0 && late <= LATE_SYN_REACH;
  }
  return numbers === null || length === 0 || Math.abs(distance(numbers.next, tcp.sequence)) <= REACH;
}
