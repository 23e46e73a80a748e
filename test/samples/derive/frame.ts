import type { CapturedPacket } from './capture-file.js';

/** Ethernet frames with IP and TCP, as they are on the loopback interface: fields read, fields changed, checksums made right. */

export const ETHERNET = 14;
const ETHERTYPE_IPV6 = 0x86dd;
const IPV6_HEADER = 40;
export const FLAG = { fin: 0x01, syn: 0x02, rst: 0x04, psh: 0x08, ack: 0x10 } as const;

export interface Frame {
  readonly at: number;
  readonly bytes: Uint8Array;
  /** Which connection of the capture, from 0, in the order of their SYN. */
  readonly connection: number;
  /** The one that sent the SYN is the client. */
  readonly side: 'client' | 'server';
  readonly tcp: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  readonly payload: Uint8Array;
}

/** What may be changed of a segment. */
export interface FrameChange {
  readonly at?: number;
  readonly sequence?: number;
  readonly acknowledgment?: number;
  readonly flags?: number;
  readonly payload?: Uint8Array;
  /** The port of the connection's client, in whichever direction. */
  readonly clientPort?: number;
}

/** The frames of a capture that begins with each connection's SYN. */
export function framesOf(packets: readonly CapturedPacket[]): Frame[] {
  const clients: number[] = [];
  return packets.map(({ at, bytes }) => {
    const view = viewOf(bytes);
    const tcp = tcpOf(view);
    const flags = view.getUint8(tcp + 13);
    const [from, to] = [view.getUint16(tcp), view.getUint16(tcp + 2)];
    if ((flags & (FLAG.syn | FLAG.ack)) === FLAG.syn) clients.push(from);
    const side = clients.includes(from) ? 'client' : 'server';
    return {
      at,
      bytes,
      connection: clients.lastIndexOf(side === 'client' ? from : to),
      side,
      tcp,
      sequence: view.getUint32(tcp + 4),
      acknowledgment: view.getUint32(tcp + 8),
      flags,
      payload: bytes.subarray(tcp + (view.getUint8(tcp + 12) >> 4) * 4),
    };
  });
}

/** A changed copy, with its lengths and checksums right. */
export function changed(frame: Frame, change: FrameChange): Frame {
  const { tcp, side } = frame;
  const payload = change.payload ?? frame.payload;
  const head = frame.bytes.length - frame.payload.length;
  const bytes = new Uint8Array(head + payload.length);
  bytes.set(frame.bytes.subarray(0, head));
  bytes.set(payload, head);
  const view = viewOf(bytes);
  const next = {
    ...frame,
    at: change.at ?? frame.at,
    bytes,
    sequence: change.sequence ?? frame.sequence,
    acknowledgment: change.acknowledgment ?? frame.acknowledgment,
    flags: change.flags ?? frame.flags,
    payload: bytes.subarray(head),
  };
  if (change.clientPort !== undefined) view.setUint16(tcp + (side === 'client' ? 0 : 2), change.clientPort);
  view.setUint32(tcp + 4, next.sequence);
  view.setUint32(tcp + 8, next.acknowledgment);
  view.setUint8(tcp + 13, next.flags);
  const six = view.getUint16(ETHERNET - 2) === ETHERTYPE_IPV6;
  if (six) view.setUint16(ETHERNET + 4, bytes.length - ETHERNET - IPV6_HEADER);
  else {
    view.setUint16(ETHERNET + 2, bytes.length - ETHERNET);
    sealIpv4(view, ETHERNET);
  }
  sealTcp(view, tcp, six ? ETHERNET + 8 : ETHERNET + 12, six ? 32 : 8);
  return next;
}

export function packetOf({ at, bytes }: Frame): CapturedPacket {
  return { at, bytes, originalLength: bytes.length };
}

export function packetsOf(frames: readonly Frame[]): CapturedPacket[] {
  return frames.map(packetOf);
}

/** Segments of at most `mss` bytes, as they are on a real network and never on loopback. The pieces have one time. */
export function segmented(frames: readonly Frame[], mss: number): Frame[] {
  return frames.flatMap((frame) => {
    const pieces: Frame[] = [];
    for (let from = 0; from < frame.payload.length; from += mss) {
      const last = from + mss >= frame.payload.length;
      pieces.push(
        changed(frame, {
          payload: frame.payload.slice(from, from + mss),
          sequence: wrapped(frame.sequence + from),
          flags: last ? frame.flags : frame.flags & ~(FLAG.psh | FLAG.fin),
        }),
      );
    }
    return pieces.length > 0 ? pieces : [frame];
  });
}

export function wrapped(sequence: number): number {
  return sequence >>> 0;
}

export function sealIpv4(view: DataView, ip: number, headerLength = 20): void {
  view.setUint16(ip + 10, 0);
  view.setUint16(ip + 10, checksum(view, ip, ip + headerLength, 0));
}

function sealTcp(view: DataView, tcp: number, addresses: number, addressBytes: number): void {
  const length = view.byteLength - tcp;
  const pseudo = sum(view, addresses, addresses + addressBytes) + 6 + length;
  view.setUint16(tcp + 16, 0);
  view.setUint16(tcp + 16, checksum(view, tcp, view.byteLength, pseudo));
}

function checksum(view: DataView, from: number, to: number, start: number): number {
  let folded = start + sum(view, from, to);
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

function sum(view: DataView, from: number, to: number): number {
  let total = 0;
  for (let at = from; at < to; at += 2) total += at + 1 < to ? view.getUint16(at) : view.getUint8(at) << 8;
  return total;
}

function tcpOf(view: DataView): number {
  if (view.getUint16(ETHERNET - 2) === ETHERTYPE_IPV6) return ETHERNET + IPV6_HEADER;
  return ETHERNET + (view.getUint8(ETHERNET) & 0x0f) * 4;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
