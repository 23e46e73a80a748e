import type { ConnectionId } from '../model/connection.js';
import type { ConnectionSink } from '../model/connection-event.js';
import type { Party, Recogniser } from '../model/recognition.js';
import type { Timestamp } from '../model/time.js';
import { CaptureClock } from './capture-clock.js';
import { EndedFlows } from './ended-flows.js';
import { FlowAddress, hashOf } from './flow-address.js';
import { countNumber, emptyCounts, type FlowCounts } from './flow-counts.js';
import { type IpPart, PROTOCOL_TCP, readIpv4, readIpv6, skipExtensions } from './ip.js';
import { IpFragments, type WholePayload } from './ip-fragments.js';
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, type LinkPart, readLink } from './link.js';
import type { Packet } from './packet.js';
import { ACK, FIN, RST, readTcp, SYN, type TcpHeader } from './tcp.js';
import { isProbe } from './tcp-conversation.js';
import { TcpFlow } from './tcp-flow.js';
import type { ConnectionDesk } from './tracked-connection.js';
import { UnixMessages } from './unix-messages.js';

/**
 * Strategy: packets in, connection events out. Every packet is taken apart into objects that are filled again each time, its connection
 * is found by a hash of numbers, and a segment that is in order goes straight on; a Map, a copy or an object is only made for what is
 * new or out of order. All waiting is measured by the capture's own clock, and all memory is bounded.
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
  readonly #options: FlowTableOptions;
  readonly #ports: ReadonlySet<number> | null;
  readonly #desk: ConnectionDesk;
  readonly #budget = { waiting: 0 };
  readonly #unix: UnixMessages;
  readonly #fragments = new IpFragments();
  readonly #clock = new CaptureClock();
  /** By hash; flows with the same one are chained. None of them is `over`. */
  readonly #flows = new Map<number, TcpFlow>();
  #live = 0;
  /** In which something waits. */
  readonly #unsettled = new Set<TcpFlow>();
  readonly #ended = new EndedFlows();
  #sweepAt = Number.NEGATIVE_INFINITY;
  #expireAt = Number.NEGATIVE_INFINITY;
  /** Most packets belong to the same connection as the one before. */
  #last: TcpFlow | null = null;
  readonly #link: LinkPart = { type: 0, at: 0 };
  readonly #ip: IpPart = {
    version: 4,
    source: 0,
    destination: 0,
    protocol: 0,
    start: 0,
    end: 0,
    length: 0,
    fragment: false,
    fragmentOffset: 0,
    moreFragments: false,
    identification: 0,
  };
  readonly #tcp: TcpHeader = {
    sourcePort: 0,
    destinationPort: 0,
    sequence: 0,
    acknowledgement: 0,
    flags: 0,
    length: 0,
  };

  constructor(options: FlowTableOptions) {
    this.#options = options;
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
    };
    this.#unix = new UnixMessages(this.#desk);
  }

  /** Bytes that wait for others or for a decision. */
  get heldBytes(): number {
    return this.#budget.waiting + this.#desk.held + this.#fragments.waitingBytes;
  }

  /** Connections that are remembered. */
  get flows(): number {
    return this.#live + this.#ended.size;
  }

  packet(packet: Packet): void {
    const { bytes, start, end, at } = packet;
    this.counts.packets += 1;
    if (packet.originalLength > end - start) this.counts.cut += 1;
    this.#clock.tick(at);
    const { now } = this.#clock;
    if (now >= this.#expireAt || now < this.#expireAt - 2 * EXPIRE_INTERVAL) this.#expire(now);
    const link = this.#link;
    switch (readLink(packet.linkType, bytes, start, end, link)) {
      case 'network':
        this.#network(packet, link);
        break;
      case 'unix':
        if (!this.#unix.message(bytes, start, end, packet.originalLength, packet.origin, at))
          this.counts.malformed += 1;
        break;
      case 'short':
        this.counts.malformed += 1;
        break;
      case 'unknown':
        if (countNumber(this.counts.linkTypes, packet.linkType))
          this.#options.warn?.(`packets of link type ${packet.linkType} are not understood and passed over`);
        break;
    }
  }

  /** The end of the capture: what waits is delivered, what is open ends. */
  finish(): void {
    const { now } = this.#clock;
    for (const flow of this.#all()) flow.close(now, 'capture-end');
    this.#unix.finish(now);
    this.#flows.clear();
    this.#unsettled.clear();
    this.#ended.clear();
    this.#live = 0;
    this.#last = null;
    this.#fragments.finish();
    this.counts.fragmentsLost = this.#fragments.lost;
  }

  #network(packet: Packet, link: LinkPart): void {
    const { bytes, start, end } = packet;
    const ip = this.#ip;
    const wireEnd = start + Math.max(packet.originalLength, end - start);
    let verdict: 'ok' | 'short' | 'malformed';
    if (link.type === ETHERTYPE_IPV4) verdict = readIpv4(bytes, link.at, end, wireEnd, ip);
    else if (link.type === ETHERTYPE_IPV6) verdict = readIpv6(bytes, link.at, end, wireEnd, ip);
    else {
      countNumber(this.counts.etherTypes, link.type);
      return;
    }
    if (verdict !== 'ok') this.counts.malformed += 1;
    else if (ip.fragment) this.#fragment(packet);
    else if (ip.protocol !== PROTOCOL_TCP) countNumber(this.counts.protocols, ip.protocol);
    else if (!readTcp(bytes, ip.start, ip.end, this.#tcp) || this.#tcp.length > ip.length) this.counts.malformed += 1;
    else {
      const payload = Math.min(ip.start + this.#tcp.length, ip.end);
      const origin = packet.origin < 0 ? -1 : packet.origin + (payload - start);
      this.#segment(bytes, payload, ip.end, ip.length - this.#tcp.length, origin, packet.at);
    }
  }

  #fragment(packet: Packet): void {
    const { bytes, start, origin, at } = packet;
    const ip = this.#ip;
    this.counts.fragments += 1;
    // Of IPv6 it may yet be a header in between.
    if (ip.version === 4 && ip.protocol !== PROTOCOL_TCP) {
      countNumber(this.counts.protocols, ip.protocol);
      return;
    }
    const place = origin < 0 ? -1 : origin + (ip.start - start);
    const whole = this.#fragments.add(ip, bytes, place, this.#clock.now);
    this.counts.fragmentsLost = this.#fragments.lost;
    if (whole !== null) this.#whole(packet, whole, at);
  }

  /**
   * A packet that came in pieces: its headers are read from the pieces put together, its payload goes on piece by piece, so that each
   * part can be found in the file.
   */
  #whole(packet: Packet, whole: WholePayload, at: Timestamp): void {
    const ip = this.#ip;
    const width = ip.version === 4 ? 4 : 16;
    const bytes = new Uint8Array(2 * width + whole.length);
    bytes.set(packet.bytes.subarray(ip.source, ip.source + width));
    bytes.set(packet.bytes.subarray(ip.destination, ip.destination + width), width);
    const base = 2 * width;
    let captured = 0;
    for (const piece of whole.pieces) {
      bytes.set(piece.bytes, base + piece.offset);
      if (piece.offset === captured) captured += piece.bytes.length;
    }
    ip.source = 0;
    ip.destination = width;
    ip.protocol = whole.protocol;
    ip.start = base;
    ip.end = base + captured;
    ip.length = whole.length;
    ip.fragment = false;
    const verdict = ip.version === 6 ? skipExtensions(bytes, ip) : 'ok';
    if (verdict !== 'ok' || ip.fragment) this.counts.malformed += 1;
    else if (ip.protocol !== PROTOCOL_TCP) countNumber(this.counts.protocols, ip.protocol);
    else if (!readTcp(bytes, ip.start, ip.end, this.#tcp) || this.#tcp.length > ip.length) this.counts.malformed += 1;
    else this.#pieces(bytes, base, whole, at);
  }

  #pieces(bytes: Uint8Array, base: number, whole: WholePayload, at: Timestamp): void {
    const tcp = this.#tcp;
    const { sequence, flags } = tcp;
    const payload = this.#ip.start + tcp.length - base;
    if (payload >= whole.length) {
      this.#segment(bytes, bytes.length, bytes.length, 0, -1, at);
      return;
    }
    const first = (flags & SYN) === 0 ? sequence : (sequence + 1) | 0;
    for (const { offset, length, bytes: captured, origin } of whole.pieces) {
      const skip = Math.max(0, payload - offset);
      if (skip >= length) continue;
      const from = base + offset + skip;
      const to = Math.max(from, base + offset + captured.length);
      const isFirst = offset <= payload;
      const isLast = offset + length >= whole.length;
      tcp.sequence = isFirst ? sequence : (first + offset - payload) | 0;
      tcp.flags = flags & ~((isFirst ? 0 : SYN) | (isLast ? 0 : FIN | RST));
      this.#segment(bytes, from, to, length - skip, origin < 0 ? -1 : origin + skip, at);
    }
  }

  /** A TCP segment, whose header is in #tcp and addresses in #ip: bytes[from, to) was captured of a payload of `length` bytes. */
  #segment(bytes: Uint8Array, from: number, to: number, length: number, origin: number, at: Timestamp): void {
    const tcp = this.#tcp;
    const ports = this.#ports;
    if (ports !== null && !ports.has(tcp.destinationPort) && !ports.has(tcp.sourcePort)) {
      this.counts.otherPorts += 1;
      return;
    }
    const { now } = this.#clock;
    let flow = this.#last;
    let party: Party | -1 = flow === null ? -1 : flow.address.sender(bytes, this.#ip, tcp);
    if (flow === null || party < 0) {
      const hash = hashOf(bytes, this.#ip, tcp);
      flow = this.#flows.get(hash) ?? null;
      for (; flow !== null; flow = flow.chained) {
        party = flow.address.sender(bytes, this.#ip, tcp);
        if (party >= 0) break;
      }
      if (flow === null) {
        if (this.#ended.isRemnant(bytes, this.#ip, tcp, hash, length, now)) return;
        if (!begins(tcp, length)) {
          this.counts.stray += 1;
          return;
        }
        flow = this.#begin(bytes, hash, at);
        party = 0;
      }
    }
    if ((tcp.flags & SYN) !== 0 && flow.conversation.reuses(party as Party, tcp)) {
      flow.note('its ports were used again for another connection', at);
      this.#forget(flow, 'timeout', at);
      flow = this.#begin(bytes, flow.address.hash, at);
      party = 0;
    }
    this.#last = flow;
    flow.lastAt = now;
    if (flow.state === 'live') {
      const { conversation } = flow;
      const before = conversation.unsettled;
      conversation.segment(party as Party, tcp, bytes, from, to, length, origin, at, now);
      if (conversation.unsettled !== before) this.#listUnsettled(flow);
      if (conversation.over && flow.state === 'live') this.#end(flow, at);
    } else this.#follow(flow, party as Party, at);
  }

  #begin(bytes: Uint8Array, hash: number, at: Timestamp): TcpFlow {
    const ports = this.#ports;
    const tcp = this.#tcp;
    const source = ports?.has(tcp.sourcePort) ?? false;
    const destination = ports?.has(tcp.destinationPort) ?? false;
    const server: Party | null = source === destination ? null : source ? 0 : 1;
    const address = new FlowAddress(bytes, this.#ip, tcp, hash);
    const { now } = this.#clock;
    const flow = new TcpFlow(this.#desk, this.#budget, address, server, ports !== null, at, now);
    flow.chained = this.#flows.get(hash) ?? null;
    this.#flows.set(hash, flow);
    this.#live += 1;
    if (this.#live > FLOWS_LIMIT) this.#evict(flow);
    return flow;
  }

  /** A connection of another protocol is only watched for its end. */
  #follow(flow: TcpFlow, party: Party, at: Timestamp): void {
    const { flags } = this.#tcp;
    if ((flags & FIN) !== 0) flow.finished |= 1 << party;
    if ((flags & RST) !== 0 || flow.finished === 3) this.#end(flow, at);
  }

  /** A connection has ended by itself: late packets of it are expected. */
  #end(flow: TcpFlow, at: Timestamp): void {
    const { conversation, address } = flow;
    const listened = flow.state === 'live';
    this.#forget(flow, null, at);
    const first = listened ? conversation.numbers(0) : null;
    this.#ended.add(address, first, listened ? conversation.numbers(1) : null, this.#clock.now);
  }

  #listUnsettled(flow: TcpFlow): void {
    if (flow.conversation.unsettled) this.#unsettled.add(flow);
    else this.#unsettled.delete(flow);
  }

  /** Looks after what waits, and now and then after what is silent. */
  #expire(now: Timestamp): void {
    this.#expireAt = now + EXPIRE_INTERVAL;
    for (const flow of this.#unsettled) {
      flow.conversation.expire(now);
      if (!flow.conversation.unsettled) this.#unsettled.delete(flow);
      if (flow.conversation.over && flow.state === 'live') this.#end(flow, flow.lastAt);
    }
    if (now >= this.#sweepAt || now < this.#sweepAt - 2 * SWEEP_INTERVAL) this.#sweep(now);
  }

  #sweep(now: Timestamp): void {
    this.#sweepAt = now + SWEEP_INTERVAL;
    for (const flow of this.#all()) {
      const silence = now - flow.lastAt;
      if (silence > IDLE_LIMIT || (silence > SYN_LIMIT && flow.conversation.unanswered))
        this.#forget(flow, 'timeout', now);
    }
  }

  #evict(except: TcpFlow): void {
    const live: TcpFlow[] = [];
    for (const flow of this.#all()) if (flow !== except) live.push(flow);
    live.sort((a, b) => a.lastAt - b.lastAt);
    const { now } = this.#clock;
    for (const flow of live.slice(0, EVICTED_AT_ONCE)) this.#forget(flow, 'timeout', now);
  }

  /** Takes a flow out of the table and closes it; with `how`, the sides that have not ended end so. */
  #forget(flow: TcpFlow, how: 'timeout' | null, at: Timestamp): void {
    flow.close(at, how);
    this.#live -= 1;
    this.#unsettled.delete(flow);
    const { hash } = flow.address;
    let before: TcpFlow | null = null;
    for (let each = this.#flows.get(hash) ?? null; each !== flow && each !== null; each = each.chained) before = each;
    if (before !== null) before.chained = flow.chained;
    else if (flow.chained !== null) this.#flows.set(hash, flow.chained);
    else this.#flows.delete(hash);
    flow.chained = null;
    if (this.#last === flow) this.#last = null;
  }

  *#all(): Generator<TcpFlow> {
    for (const first of [...this.#flows.values()]) {
      for (let flow: TcpFlow | null = first; flow !== null; ) {
        const next: TcpFlow | null = flow.chained;
        yield flow;
        flow = next;
      }
    }
  }
}

/** Whether a packet of no known connection begins one. Acknowledgements, resets and probes alone are what is left of others. */
function begins({ flags }: TcpHeader, length: number): boolean {
  if ((flags & RST) !== 0) return false;
  if ((flags & SYN) !== 0) return true;
  return length > 0 && (flags & ACK) !== 0 && !isProbe(length, flags);
}
