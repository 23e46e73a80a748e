import type { ConnectionId } from '../model/connection.js';
import type { ConnectionSink } from '../model/connection-event.js';
import type { Party, Recogniser } from '../model/recognition.js';
import type { Timestamp } from '../model/time.js';
import { CaptureClock } from './capture-clock.js';
import { EndedFlows } from './ended-flows.js';
import { FlowAddress, hashOf } from './flow-address.js';
import { emptyCounts, type FlowCounts } from './flow-counts.js';
import { FlowIndex } from './flow-index.js';
import type { WaitingBudget } from './ordered-streams.js';
import type { Packet } from './packet.js';
import { SegmentReader } from './segment-reader.js';
import type { KeptSegment } from './stray-segments.js';
import { ACK, FIN, isProbe, RST, SYN, type TcpHeader } from './tcp.js';
import { TcpFlow } from './tcp-flow.js';
import type { ConnectionDesk } from './tracked-connection.js';
import { UnixMessages } from './unix-messages.js';

/**
 * Strategy: packets in, connection events out. A segment's connection is found by a hash of numbers, and what is in order goes straight
 * on; copies and objects are only made for what is new or out of order. All waiting is measured by the capture's own clock, and all
 * memory is bounded.
 */

/**
 * Silence after which a connection has ended, in microseconds: the first keep-alive probe of an idle connection comes after two hours
 * (net.ipv4.tcp_keepalive_time), so one without any is not there any more.
 */
export const IDLE_LIMIT = 7_500_000_000;
/** A SYN is sent again for 127 s at most (net.ipv4.tcp_syn_retries). */
export const SYN_LIMIT = 130_000_000;
/** Connections at a time. When there are more, those that were silent the longest go. */
export const FLOWS_LIMIT = 65_536;
/** How many go at once, so that finding them costs little for each. */
const EVICTED_AT_ONCE = FLOWS_LIMIT / 16;
/** How often silent connections are looked for, and those in which something waits, in microseconds. */
const SWEEP_INTERVAL = 30_000_000;
const EXPIRE_INTERVAL = 20_000;
/** On average; see #lookAfter. */
const LOOKED_AT_PER_PACKET = 16;

export interface FlowTableOptions {
  readonly sink: ConnectionSink;
  readonly recognise: Recogniser;
  /** Connections to or from one of these ports are shown whatever they say, and no others are; null: what is recognised is shown. */
  readonly ports: readonly number[] | null;
  /** Told, once each, of what is not understood. */
  readonly warn?: (text: string) => void;
  /** Numbers for connections; by default from 1. */
  readonly nextConnection?: () => ConnectionId;
}

export class FlowTable {
  readonly counts: FlowCounts = emptyCounts();
  readonly #ports: ReadonlySet<number> | null;
  readonly #desk: ConnectionDesk;
  readonly #budget: WaitingBudget = { waiting: 0 };
  readonly #reader: SegmentReader;
  readonly #unix: UnixMessages;
  readonly #clock = new CaptureClock();
  /** None of them is `over`. */
  readonly #flows = new FlowIndex<TcpFlow>();
  readonly #ended = new EndedFlows();
  /** Shown ones that were given up for others. */
  readonly #evicted = new EndedFlows(FLOWS_LIMIT, IDLE_LIMIT);
  /** In which something waits. */
  readonly #unsettled = new Set<TcpFlow>();
  #sweepAt = Number.NEGATIVE_INFINITY;
  #expireAt = Number.NEGATIVE_INFINITY;
  /** How many packets there had been when that was last done. */
  #swept = 0;
  #expired = 0;
  /** Most packets belong to the same connection as the one before. */
  #last: TcpFlow | null = null;

  constructor(options: FlowTableOptions) {
    this.#ports = options.ports === null ? null : new Set(options.ports);
    const { counts } = this;
    let connections = 0;
    this.#desk = {
      sink: options.sink,
      recognise: options.recognise,
      nextConnection: options.nextConnection ?? (() => ++connections),
      held: 0,
      shown: () => {
        counts.connections += 1;
      },
      foreign: (protocol) => {
        counts.foreign.set(protocol, (counts.foreign.get(protocol) ?? 0) + 1);
      },
      missing: (bytes) => {
        counts.missingBytes += bytes;
      },
      discarded: (segments, bytes) => {
        counts.discardedSegments += segments;
        counts.discardedBytes += bytes;
      },
    };
    const unix = new UnixMessages(this.#desk);
    this.#unix = unix;
    this.#reader = new SegmentReader(
      {
        segment: (bytes, from, to, length, origin, at) => this.#segment(bytes, from, to, length, origin, at),
        message: (bytes, from, to, length, origin, at) => unix.message(bytes, from, to, length, origin, at),
        warn: (text) => options.warn?.(text),
      },
      counts,
    );
  }

  /** Bytes that wait for others or for a decision. */
  get heldBytes(): number {
    return this.#budget.waiting + this.#desk.held + this.#reader.waitingBytes;
  }

  /** Connections that are remembered. */
  get flows(): number {
    return this.#flows.size + this.#ended.size + this.#evicted.size;
  }

  packet(packet: Packet): void {
    const leapt = this.#clock.tick(packet.at);
    const { now } = this.#clock;
    // The packet before was of this time already, when that was not believed yet.
    if (leapt && this.#last !== null) this.#last.lastAt = now;
    this.#reader.packet(packet, now);
    // Only then: who breaks a long silence with this packet is not silent.
    if (now >= this.#expireAt || now < this.#expireAt - 2 * EXPIRE_INTERVAL) this.#lookAfter(now);
  }

  /** The end of the capture: what waits is delivered, what is open ends. */
  finish(): void {
    const { now } = this.#clock;
    for (const flow of this.#flows.all()) flow.close(now, 'capture-end');
    this.#unix.finish(now);
    this.#flows.clear();
    this.#unsettled.clear();
    this.#ended.clear();
    this.#evicted.clear();
    this.#last = null;
    this.#reader.finish();
  }

  /** A TCP segment, whose headers the reader has: bytes[from, to) was captured of a payload of `length` bytes. */
  #segment(bytes: Uint8Array, from: number, to: number, length: number, origin: number, at: Timestamp): void {
    const { ip, tcp } = this.#reader;
    const ports = this.#ports;
    if (ports !== null && !ports.has(tcp.destinationPort) && !ports.has(tcp.sourcePort)) {
      this.counts.otherPorts += 1;
      return;
    }
    const { now } = this.#clock;
    let flow = this.#last;
    let party: Party | -1 = flow === null ? -1 : flow.address.sender(bytes, ip, tcp);
    if (flow === null || party < 0) {
      const hash = hashOf(bytes, ip, tcp);
      flow = this.#flows.find(bytes, ip, tcp, hash);
      if (flow === null) {
        let beyond = this.#ended.remnant(bytes, ip, tcp, hash, length, now);
        if (beyond < 0 && this.#evicted.size > 0) beyond = this.#evicted.remnant(bytes, ip, tcp, hash, length, now);
        if (beyond > 0) this.#desk.discarded(1, beyond);
        if (beyond >= 0) return;
        if (!begins(tcp, length)) {
          this.counts.stray += 1;
          return;
        }
        flow = this.#begin(new FlowAddress(bytes, ip, tcp, hash), at);
      }
      party = flow.address.sender(bytes, ip, tcp);
    }
    if ((tcp.flags & SYN) !== 0 && flow.conversation.reuses(party as Party, tcp)) {
      flow.note('its ports were used again for another connection', at);
      this.#forget(flow, 'timeout', at);
      flow = this.#begin(new FlowAddress(bytes, ip, tcp, flow.address.hash), at);
      party = 0;
    }
    this.#last = flow;
    flow.lastAt = now;
    if (flow.state === 'live') {
      const { conversation } = flow;
      const before = conversation.unsettled;
      conversation.segment(party as Party, tcp, bytes, from, to, length, origin, at, now);
      if (conversation.unsettled !== before) this.#listUnsettled(flow);
      if (conversation.moved !== null) this.#restart(flow, conversation.moved);
      else if (conversation.over && flow.state === 'live') this.#end(flow, at);
    } else this.#follow(flow, party as Party, at);
  }

  /** Another connection has its ports; these are the segments of which that is known. */
  #restart(flow: TcpFlow, segments: readonly KeptSegment[]): void {
    const { at } = segments[0]!;
    const { now } = this.#clock;
    flow.note('its ports were used again for another connection, the beginning of which was not captured', at);
    this.#forget(flow, 'timeout', at);
    const next = this.#begin(flow.address, at);
    this.#last = next;
    const { conversation } = next;
    for (const { party, header, bytes, length, origin, at } of segments)
      conversation.segment(party, header, bytes, 0, bytes.length, length, origin, at, now);
    this.#listUnsettled(next);
    if (conversation.over && next.state === 'live') this.#end(next, this.#clock.now);
  }

  #begin(address: FlowAddress, at: Timestamp): TcpFlow {
    const ports = this.#ports;
    const first = ports?.has(address.port(0)) ?? false;
    const second = ports?.has(address.port(1)) ?? false;
    const server: Party | null = first === second ? null : first ? 0 : 1;
    const { now } = this.#clock;
    const flow = new TcpFlow(this.#desk, this.#budget, address, server, ports !== null, at, now);
    this.#flows.add(flow);
    if (this.#flows.size > FLOWS_LIMIT) this.#evict(flow);
    return flow;
  }

  /** A connection of another protocol is only watched for its end. */
  #follow(flow: TcpFlow, party: Party, at: Timestamp): void {
    const { flags } = this.#reader.tcp;
    if ((flags & FIN) !== 0) flow.finished |= 1 << party;
    if ((flags & RST) !== 0 || flow.finished === 3) this.#end(flow, at);
  }

  /** A connection has ended by itself: late packets of it are expected. */
  #end(flow: TcpFlow, at: Timestamp): void {
    const { conversation, address, shown } = flow;
    const listened = flow.state === 'live';
    this.#forget(flow, null, at);
    const first = listened ? conversation.numbers(0) : null;
    this.#ended.add(address, first, listened ? conversation.numbers(1) : null, shown, this.#clock.now);
  }

  #listUnsettled(flow: TcpFlow): void {
    if (flow.conversation.unsettled) this.#unsettled.add(flow);
    else this.#unsettled.delete(flow);
  }

  /**
   * Looks after what waits, and now and then after what is silent. A capture in which time leaps from packet to packet must not have
   * everything looked at for each of them, so there are packets to be seen as well before it is done again.
   */
  #lookAfter(now: Timestamp): void {
    this.#expireAt = now + EXPIRE_INTERVAL;
    const { packets } = this.counts;
    if ((packets - this.#expired) * LOOKED_AT_PER_PACKET >= this.#unsettled.size) {
      this.#expired = packets;
      this.#expire(now);
    }
    const due = now >= this.#sweepAt || now < this.#sweepAt - 2 * SWEEP_INTERVAL;
    if (due && (packets - this.#swept) * LOOKED_AT_PER_PACKET >= this.#flows.size) {
      this.#swept = packets;
      this.#sweepAt = now + SWEEP_INTERVAL;
      this.#sweep(now);
    }
  }

  #expire(now: Timestamp): void {
    for (const flow of this.#unsettled) {
      flow.conversation.expire(now);
      if (!flow.conversation.unsettled) this.#unsettled.delete(flow);
      if (flow.conversation.over && flow.state === 'live') this.#end(flow, flow.lastAt);
    }
  }

  #sweep(now: Timestamp): void {
    for (const flow of this.#flows.all()) {
      const silence = now - flow.lastAt;
      if (silence > IDLE_LIMIT || (silence > SYN_LIMIT && flow.conversation.unanswered))
        this.#forget(flow, 'timeout', now);
    }
  }

  #evict(except: TcpFlow): void {
    const { now } = this.#clock;
    const others = this.#flows.all().filter((flow) => flow !== except);
    others.sort((a, b) => a.lastAt - b.lastAt);
    for (const flow of others.slice(0, EVICTED_AT_ONCE)) {
      const { conversation, address, shown, client } = flow;
      this.#forget(flow, 'timeout', now);
      if (!shown) continue;
      this.counts.evicted += 1;
      this.#evicted.add(address, conversation.numbers(0), conversation.numbers(1), true, now, client);
    }
  }

  /** Takes a flow out of the table and closes it; with `how`, the sides that have not ended end so. */
  #forget(flow: TcpFlow, how: 'timeout' | null, at: Timestamp): void {
    flow.close(at, how);
    this.#unsettled.delete(flow);
    this.#flows.remove(flow);
    if (this.#last === flow) this.#last = null;
  }
}

/** Whether a packet of no known connection begins one. Acknowledgements, resets and probes alone are what is left of others. */
function begins({ flags }: TcpHeader, length: number): boolean {
  if ((flags & RST) !== 0) return false;
  if ((flags & SYN) !== 0) return true;
  return length > 0 && (flags & ACK) !== 0 && !isProbe(length, flags);
}
