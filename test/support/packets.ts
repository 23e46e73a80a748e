import { parseIpv4, parseIpv6 } from '../../src/packet/stream-packets.js';

/** Packets as a network has them, for tests: TCP segments in IP packets in frames. */

export const FLAGS = { fin: 0x01, syn: 0x02, rst: 0x04, psh: 0x08, ack: 0x10 } as const;

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Segment {
  readonly from: Address;
  readonly to: Address;
  /** Taken modulo 2**32. */
  readonly sequence: number;
  readonly acknowledgement?: number;
  readonly flags?: number;
  readonly payload?: Uint8Array;
  /** Bytes of TCP options, a multiple of 4. */
  readonly options?: number;
}

export function tcp(segment: Segment): Uint8Array {
  const { from, to, sequence, acknowledgement = 0, flags = FLAGS.ack, payload = NOTHING, options = 0 } = segment;
  const bytes = new Uint8Array(20 + options + payload.length).fill(1);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, from.port);
  view.setUint16(2, to.port);
  view.setUint32(4, modulo(sequence));
  view.setUint32(8, modulo(acknowledgement));
  view.setUint8(12, ((20 + options) / 4) << 4);
  view.setUint8(13, flags);
  bytes.set(payload, 20 + options);
  return bytes;
}

export interface IpOptions {
  readonly protocol?: number;
  /** Bytes of IPv4 options, a multiple of 4. */
  readonly options?: number;
  /** IPv6 extension headers. */
  readonly extensions?: readonly Uint8Array[];
  /** What the length field says instead of the truth. */
  readonly length?: number;
  readonly identification?: number;
  /** A fragment: its place in the whole payload, and whether more follow. */
  readonly fragment?: { readonly offset: number; readonly more: boolean };
}

export function ip(from: string, to: string, payload: Uint8Array, options: IpOptions = {}): Uint8Array {
  return from.includes(':') ? ipv6(from, to, payload, options) : ipv4(from, to, payload, options);
}

function ipv4(from: string, to: string, payload: Uint8Array, options: IpOptions): Uint8Array {
  const header = 20 + (options.options ?? 0);
  const bytes = new Uint8Array(header + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x40 | (header / 4));
  view.setUint16(2, options.length ?? bytes.length);
  view.setUint16(4, options.identification ?? 7);
  const { fragment } = options;
  view.setUint16(6, fragment === undefined ? 0x4000 : (fragment.more ? 0x2000 : 0) | (fragment.offset / 8));
  view.setUint8(8, 64);
  view.setUint8(9, options.protocol ?? 6);
  bytes.set(parseIpv4(from)!, 12);
  bytes.set(parseIpv4(to)!, 16);
  bytes.fill(1, 20, header);
  bytes.set(payload, header);
  return bytes;
}

function ipv6(from: string, to: string, payload: Uint8Array, options: IpOptions): Uint8Array {
  const { fragment, protocol = 6 } = options;
  // Each begins with the type of what follows, which is filled in here.
  const extensions = [...(options.extensions ?? [])].map((each) => each.slice());
  const types = extensions.map((each) => each[0]!);
  if (fragment !== undefined) {
    const header = new Uint8Array(8);
    new DataView(header.buffer).setUint16(2, fragment.offset | (fragment.more ? 1 : 0));
    new DataView(header.buffer).setUint32(4, options.identification ?? 7);
    extensions.push(header);
    types.push(44);
  }
  extensions.forEach((each, i) => {
    each[0] = types[i + 1] ?? protocol;
  });
  const body = join(...extensions, payload);
  const bytes = new Uint8Array(40 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x60);
  view.setUint16(4, options.length ?? body.length);
  view.setUint8(6, types[0] ?? protocol);
  view.setUint8(7, 64);
  bytes.set(parseIpv6(from)!, 8);
  bytes.set(parseIpv6(to)!, 24);
  bytes.set(body, 40);
  return bytes;
}

/** An IPv6 extension header of `type` with `units` more than the first 8 bytes; for ip(). */
export function extension(type: number, units = 0): Uint8Array {
  const bytes = new Uint8Array(8 * (units + 1));
  bytes[0] = type;
  bytes[1] = units;
  return bytes;
}

/** An Ethernet frame; `tags` are the EtherTypes of VLAN tags around the packet. */
export function ethernet(packet: Uint8Array, tags: readonly number[] = []): Uint8Array {
  const frame = new Uint8Array(14 + 4 * tags.length + packet.length);
  const view = new DataView(frame.buffer);
  tags.forEach((tag, i) => {
    view.setUint16(12 + 4 * i, tag);
    view.setUint16(14 + 4 * i, 100 + i);
  });
  view.setUint16(12 + 4 * tags.length, etherTypeOf(packet));
  frame.set(packet, 14 + 4 * tags.length);
  return frame;
}

export function cooked(packet: Uint8Array): Uint8Array {
  const frame = new Uint8Array(16 + packet.length);
  new DataView(frame.buffer).setUint16(14, etherTypeOf(packet));
  frame.set(packet, 16);
  return frame;
}

export function cooked2(packet: Uint8Array): Uint8Array {
  const frame = new Uint8Array(20 + packet.length);
  new DataView(frame.buffer).setUint16(0, etherTypeOf(packet));
  frame.set(packet, 20);
  return frame;
}

export function loopback(packet: Uint8Array, family: number, littleEndian: boolean): Uint8Array {
  const frame = new Uint8Array(4 + packet.length);
  new DataView(frame.buffer).setUint32(0, family, littleEndian);
  frame.set(packet, 4);
  return frame;
}

/** A message as sockdump writes it. */
export function unixMessage(sender: number, peer: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(peer));
  view.setBigUint64(8, BigInt(sender));
  bytes.set(payload, 16);
  return bytes;
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function etherTypeOf(packet: Uint8Array): number {
  return packet[0]! >> 4 === 6 ? 0x86dd : 0x0800;
}

function modulo(value: number): number {
  return ((value % 2 ** 32) + 2 ** 32) % 2 ** 32;
}

const NOTHING = new Uint8Array(0);
