import type { Endpoint, Side } from '../model/connection.js';
import { PACKET_BLOCK_HEAD, packetBlockLength, writePacketFrame } from './pcapng-encoder.js';

/**
 * Strategy: what passed over a socket is written as if it had been captured: raw IP packets with a TCP header, sequence numbers from the
 * stream offsets. The headers of a pair of hosts are built once per side and shared by their connections, as most connections are between
 * the same two; a packet costs one copy of the header, one of the payload and a few stores. The TCP checksum is 0 (not computed); the IPv4 header's is right.
 *
 * A Unix socket has no address, so it gets one: the named path the port SYNTHETIC_SERVER_PORT, its peer a port from the connection's
 * number, both on the loopback address of the family that the other end has. Mixed families are written as IPv6 with mapped addresses.
 */

/** The port that stands for a Unix socket's path: PHP-FPM's own default, so that tools which guess by port guess right. */
export const SYNTHETIC_SERVER_PORT = 9000;

/** The most payload that one packet carries: an IP packet has at most 65 535 bytes, and IPv6 with TCP takes 60 of them. */
export const PAYLOAD_LIMIT = 65_472;

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const TCP_HEADER = 20;
const PROTOCOL_TCP = 6;
const HOP_LIMIT = 64;
const FLAGS_PSH_ACK = 0x18;
const WINDOW = 65_535;
const DYNAMIC_PORTS = 49_152;

export class StreamPackets {
  private readonly headers: Headers;
  private readonly clientPort: number;
  private readonly serverPort: number;

  constructor(connection: number, client: Endpoint, server: Endpoint) {
    this.headers = headersOf(client, server);
    this.clientPort = client.kind === 'tcp' ? client.port : DYNAMIC_PORTS + (connection % (65_536 - DYNAMIC_PORTS));
    this.serverPort = server.kind === 'tcp' ? server.port : SYNTHETIC_SERVER_PORT;
  }

  /** Bytes that a payload of `length` takes in the file. */
  blockLength(length: number): number {
    return packetBlockLength(this.headers.client.length - PACKET_BLOCK_HEAD + length);
  }

  /**
   * Writes one packet with `payload` (at most PAYLOAD_LIMIT bytes) at `at` of `target`, whose view is `view`; there must be room for
   * blockLength. `offset` is the stream offset of the payload, `acknowledged` how much of the other side's stream has been seen.
   * Returns where in `target` the payload begins.
   */
  write(
    target: Uint8Array,
    view: DataView,
    at: number,
    side: Side,
    offset: number,
    acknowledged: number,
    payload: Uint8Array,
    time: number,
  ): number {
    const { four, sum } = this.headers;
    const head = this.headers[side];
    target.set(head, at);
    const packet = head.length - PACKET_BLOCK_HEAD + payload.length;
    writePacketFrame(view, at, packet, time);
    const ip = at + PACKET_BLOCK_HEAD;
    let tcp: number;
    if (four) {
      tcp = ip + IPV4_HEADER;
      view.setUint16(ip + 2, packet);
      view.setUint16(ip + 10, checksum(sum + packet));
    } else {
      tcp = ip + IPV6_HEADER;
      view.setUint16(ip + 4, packet - IPV6_HEADER);
    }
    view.setUint16(tcp, side === 'client' ? this.clientPort : this.serverPort);
    view.setUint16(tcp + 2, side === 'client' ? this.serverPort : this.clientPort);
    // The first byte of a stream has the number 1, as after a SYN with the number 0.
    view.setUint32(tcp + 4, wrap(offset + 1));
    view.setUint32(tcp + 8, wrap(acknowledged + 1));
    const start = at + head.length;
    target.set(payload, start);
    return start;
  }
}

/** Of each side: block head, IP header and TCP header, complete but for lengths, stamps, checksum, ports and sequence numbers. */
interface Headers {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
  readonly four: boolean;
  /** The IPv4 header's sum without the length field; the same in both directions. */
  readonly sum: number;
}

/** Pairs of hosts whose headers are remembered: web servers and backends are few. When there are more, the memory starts anew. */
const PAIRS_REMEMBERED = 256;
const remembered = new Map<string, Headers>();

function headersOf(client: Endpoint, server: Endpoint): Headers {
  const pair = `${client.kind === 'tcp' ? client.host : ''} ${server.kind === 'tcp' ? server.host : ''}`;
  const known = remembered.get(pair);
  if (known !== undefined) return known;
  const from = address(client);
  const to = address(server);
  const four = (from?.length ?? 4) === 4 && (to?.length ?? 4) === 4;
  const here = inFamily(from, four);
  const there = inFamily(to, four);
  const made = { client: header(four, here, there), server: header(four, there, here), four };
  const headers = { ...made, sum: four ? headerSum(made.client, PACKET_BLOCK_HEAD) : 0 };
  if (remembered.size >= PAIRS_REMEMBERED) remembered.clear();
  remembered.set(pair, headers);
  return headers;
}

function wrap(value: number): number {
  return value % 4_294_967_296;
}

function header(four: boolean, from: Uint8Array, to: Uint8Array): Uint8Array {
  const ipLength = four ? IPV4_HEADER : IPV6_HEADER;
  const bytes = new Uint8Array(PACKET_BLOCK_HEAD + ipLength + TCP_HEADER);
  const view = new DataView(bytes.buffer);
  const ip = PACKET_BLOCK_HEAD;
  if (four) {
    view.setUint8(ip, 0x45);
    // Don't fragment.
    view.setUint16(ip + 6, 0x4000);
    view.setUint8(ip + 8, HOP_LIMIT);
    view.setUint8(ip + 9, PROTOCOL_TCP);
    bytes.set(from, ip + 12);
    bytes.set(to, ip + 16);
  } else {
    view.setUint8(ip, 0x60);
    view.setUint8(ip + 6, PROTOCOL_TCP);
    view.setUint8(ip + 7, HOP_LIMIT);
    bytes.set(from, ip + 8);
    bytes.set(to, ip + 24);
  }
  const tcp = ip + ipLength;
  view.setUint8(tcp + 12, (TCP_HEADER / 4) << 4);
  view.setUint8(tcp + 13, FLAGS_PSH_ACK);
  view.setUint16(tcp + 14, WINDOW);
  return bytes;
}

function headerSum(bytes: Uint8Array, at: number): number {
  let sum = 0;
  for (let i = at; i < at + IPV4_HEADER; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  return sum;
}

function checksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return ~folded & 0xffff;
}

/** 4 or 16 bytes; null for a Unix socket and for a host that is no literal address. */
function address(endpoint: Endpoint): Uint8Array | null {
  if (endpoint.kind === 'unix') return null;
  return endpoint.host.includes(':') ? parseIpv6(endpoint.host) : parseIpv4(endpoint.host);
}

function inFamily(bytes: Uint8Array | null, four: boolean): Uint8Array {
  if (four) return bytes ?? Uint8Array.of(127, 0, 0, 1);
  const six = new Uint8Array(16);
  if (bytes === null) six[15] = 1;
  else if (bytes.length === 16) six.set(bytes);
  else {
    six[10] = 0xff;
    six[11] = 0xff;
    six.set(bytes, 12);
  }
  return six;
}

/** `192.0.2.1` to its 4 bytes; null when it is not one. */
export function parseIpv4(text: string): Uint8Array | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return null;
  return Uint8Array.from(parts, Number);
}

/** `2001:db8::1`, also with a zone or an IPv4 tail, to its 16 bytes; null when it is not one. */
export function parseIpv6(text: string): Uint8Array | null {
  let body = text.split('%')[0]!;
  const tail = body.slice(body.lastIndexOf(':') + 1);
  if (tail.includes('.')) {
    const four = parseIpv4(tail);
    if (four === null) return null;
    const group = (at: number) => ((four[at]! << 8) | four[at + 1]!).toString(16);
    body = `${body.slice(0, -tail.length)}${group(0)}:${group(2)}`;
  }
  const halves = body.split('::');
  if (halves.length > 2) return null;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const count = groups.reduce((sum, each) => sum + each.length, 0);
  if (halves.length === 1 ? count !== 8 : count > 7) return null;
  const all = [...groups[0]!, ...new Array<string>(8 - count).fill('0'), ...(groups[1] ?? [])];
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  const bytes = new Uint8Array(16);
  all.forEach((group, i) => {
    const value = Number.parseInt(group, 16);
    bytes[2 * i] = value >> 8;
    bytes[2 * i + 1] = value & 0xff;
  });
  return bytes;
}
