import type { Timestamp } from '../model/time.js';
import { countNumber, type FlowCounts } from './flow-counts.js';
import { type IpPart, PROTOCOL_TCP, readIpv4, readIpv6, skipExtensions } from './ip.js';
import { IpFragments, type WholePayload } from './ip-fragments.js';
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, type LinkPart, readLink } from './link.js';
import type { Packet } from './packet.js';
import { FIN, RST, readTcp, SYN, type TcpHeader } from './tcp.js';

/**
 * Strategy: a packet down to its TCP segment, or its message over a Unix socket. It is taken apart into objects that are filled again
 * each time. What is something else, or incomplete, is counted.
 */

/** Where segments and messages go. All bytes are borrowed; origins are those of bytes[from], or -1. */
export interface SegmentTarget {
  /** The headers are in `ip` and `tcp` of the reader; bytes[from, to) was captured of a payload of `length` bytes. */
  segment(bytes: Uint8Array, from: number, to: number, length: number, origin: number, at: Timestamp): void;
  /** bytes[from, to) was captured of a message of `length` bytes, its header included; false when the header is not there. */
  message(bytes: Uint8Array, from: number, to: number, length: number, origin: number, at: Timestamp): boolean;
  warn(text: string): void;
}

export class SegmentReader {
  readonly #target: SegmentTarget;
  readonly #counts: FlowCounts;
  readonly #fragments = new IpFragments();
  readonly #link: LinkPart = { type: 0, at: 0 };
  readonly ip: IpPart = {
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
  readonly tcp: TcpHeader = {
    sourcePort: 0,
    destinationPort: 0,
    sequence: 0,
    acknowledgement: 0,
    flags: 0,
    length: 0,
  };

  constructor(target: SegmentTarget, counts: FlowCounts) {
    this.#target = target;
    this.#counts = counts;
  }

  /** Bytes of fragments that wait for others. */
  get waitingBytes(): number {
    return this.#fragments.waitingBytes;
  }

  /** `now` is the capture's clock. */
  packet(packet: Packet, now: Timestamp): void {
    const { bytes, start, end } = packet;
    const counts = this.#counts;
    counts.packets += 1;
    if (packet.originalLength > end - start) counts.cut += 1;
    switch (readLink(packet.linkType, bytes, start, end, this.#link)) {
      case 'network':
        this.#network(packet, now);
        break;
      case 'unix':
        if (!this.#target.message(bytes, start, end, packet.originalLength, packet.origin, packet.at))
          counts.malformed += 1;
        break;
      case 'short':
        counts.malformed += 1;
        break;
      case 'unknown':
        if (countNumber(counts.linkTypes, packet.linkType))
          this.#target.warn(`packets of link type ${packet.linkType} are not understood and passed over`);
        break;
    }
  }

  /** The end of the capture: fragments that still wait are lost. */
  finish(): void {
    this.#fragments.finish();
    this.#counts.fragmentsLost = this.#fragments.lost;
  }

  #network(packet: Packet, now: Timestamp): void {
    const { bytes, start, end } = packet;
    const { type, at } = this.#link;
    const { ip, tcp } = this;
    const wireEnd = start + Math.max(packet.originalLength, end - start);
    let verdict: 'ok' | 'short' | 'malformed';
    if (type === ETHERTYPE_IPV4) verdict = readIpv4(bytes, at, end, wireEnd, ip);
    else if (type === ETHERTYPE_IPV6) verdict = readIpv6(bytes, at, end, wireEnd, ip);
    else {
      countNumber(this.#counts.etherTypes, type);
      return;
    }
    if (verdict !== 'ok') this.#counts.malformed += 1;
    else if (ip.fragment) this.#fragment(packet, now);
    else if (this.#isTcp(bytes)) {
      const payload = Math.min(ip.start + tcp.length, ip.end);
      const origin = packet.origin < 0 ? -1 : packet.origin + (payload - start);
      this.#target.segment(bytes, payload, ip.end, ip.length - tcp.length, origin, packet.at);
    }
  }

  /** Reads the TCP header of what `ip` says; false when there is none. */
  #isTcp(bytes: Uint8Array): boolean {
    const { ip, tcp } = this;
    if (ip.protocol !== PROTOCOL_TCP) countNumber(this.#counts.protocols, ip.protocol);
    else if (readTcp(bytes, ip.start, ip.end, tcp) && tcp.length <= ip.length) return true;
    else this.#counts.malformed += 1;
    return false;
  }

  #fragment(packet: Packet, now: Timestamp): void {
    const { bytes, start, origin } = packet;
    const { ip } = this;
    this.#counts.fragments += 1;
    // Of IPv6 it may yet be a header in between.
    if (ip.version === 4 && ip.protocol !== PROTOCOL_TCP) {
      countNumber(this.#counts.protocols, ip.protocol);
      return;
    }
    const place = origin < 0 ? -1 : origin + (ip.start - start);
    const whole = this.#fragments.add(ip, bytes, place, now);
    this.#counts.fragmentsLost = this.#fragments.lost;
    if (whole !== null) this.#whole(packet, whole);
  }

  /** A packet that came in pieces: its headers are read from the pieces put together. */
  #whole(packet: Packet, whole: WholePayload): void {
    const { ip } = this;
    const width = ip.version === 4 ? 4 : 16;
    const base = 2 * width;
    const bytes = new Uint8Array(base + whole.length);
    bytes.set(packet.bytes.subarray(ip.source, ip.source + width));
    bytes.set(packet.bytes.subarray(ip.destination, ip.destination + width), width);
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
    if (verdict !== 'ok' || ip.fragment) this.#counts.malformed += 1;
    else if (this.#isTcp(bytes)) this.#pieces(bytes, base, whole, packet.at);
  }

  /** The payload goes on piece by piece, so that each part can be found in the file. */
  #pieces(bytes: Uint8Array, base: number, whole: WholePayload, at: Timestamp): void {
    const { tcp } = this;
    const { sequence, flags } = tcp;
    const payload = this.ip.start + tcp.length - base;
    if (payload >= whole.length) {
      this.#target.segment(bytes, bytes.length, bytes.length, 0, -1, at);
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
      this.#target.segment(bytes, from, to, length - skip, origin < 0 ? -1 : origin + skip, at);
    }
  }
}
