import type { Timestamp } from '../model/time.js';
import type { IpPart } from './ip.js';

/**
 * Strategy: fragments of IP packets (RFC 791, section 3.2; RFC 8200, section 4.5) are copied until a packet is whole. Where each piece
 * lay in the file is kept, as the bytes of a stream are found there again. A first copy wins over a later one; what contradicts the
 * pieces before about the packet's length belongs to another packet with the same number, and those before are given up.
 */

/** Packets in pieces at once, their bytes, and how long they are waited for (RFC 8200 says 60 s), in microseconds. The oldest goes first. */
export const FRAGMENTED_LIMIT = 256;
export const FRAGMENT_BYTES_LIMIT = 4 * 1024 * 1024;
export const FRAGMENT_TIME = 60_000_000;
/** Of one packet: 64 KiB in the smallest pieces that a link must carry (RFC 791: 68 bytes) are 1366. */
export const FRAGMENTS_PER_PACKET = 1_400;
const LARGEST_PAYLOAD = 65_535;

/** A part of a whole payload, which lay in the file as one. */
export interface FragmentPiece {
  /** Its place in the payload. */
  readonly offset: number;
  /** What was captured of it; less than `length` when the snap length cut it. */
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly origin: number;
}

/** A packet whose pieces are complete; they are sorted, do not overlap and leave nothing out. */
export interface WholePayload {
  readonly protocol: number;
  readonly pieces: readonly FragmentPiece[];
  readonly length: number;
}

interface Fragmented {
  readonly key: string;
  readonly at: Timestamp;
  readonly pieces: FragmentPiece[];
  bytes: number;
  /** The payload's length, as soon as the last fragment is known. */
  total: number;
  /** Of the fragment with offset 0, which alone says it. */
  protocol: number;
}

export class IpFragments {
  /** In the order of their first fragments. */
  readonly #packets = new Map<string, Fragmented>();
  #bytes = 0;
  /** Packets that were given up. */
  lost = 0;

  get waitingBytes(): number {
    return this.#bytes;
  }

  /** Gives up everything that waits. */
  finish(): void {
    for (const packet of this.#packets.values()) this.#giveUp(packet);
  }

  /** Takes in a fragment; the whole payload when it was the last that was missing. `origin` is that of the payload's first byte. */
  add(part: IpPart, bytes: Uint8Array, origin: number, now: Timestamp): WholePayload | null {
    this.#forgetOld(now);
    const offset = part.fragmentOffset;
    const end = offset + part.length;
    if (part.length === 0 || end > LARGEST_PAYLOAD) return null;
    let packet = this.#packetOf(part, bytes, now);
    if (contradicts(packet, end, part.moreFragments)) {
      this.#giveUp(packet);
      packet = this.#packetOf(part, bytes, now);
    }
    if (offset === 0) packet.protocol = part.protocol;
    if (!part.moreFragments) packet.total = end;
    this.#insert(packet, offset, bytes, part.start, part.end, part.length, origin);
    if (packet.total >= 0 && isWhole(packet)) {
      this.#forget(packet);
      return { protocol: packet.protocol, pieces: packet.pieces, length: packet.total };
    }
    if (packet.pieces.length > FRAGMENTS_PER_PACKET) this.#giveUp(packet);
    while (this.#bytes > FRAGMENT_BYTES_LIMIT || this.#packets.size > FRAGMENTED_LIMIT) this.#giveUpOldest();
    return null;
  }

  #packetOf(part: IpPart, bytes: Uint8Array, now: Timestamp): Fragmented {
    const width = part.version === 4 ? 4 : 16;
    const source = bytes.subarray(part.source, part.source + width).join();
    const destination = bytes.subarray(part.destination, part.destination + width).join();
    // RFC 791 tells packets apart by their protocol as well; RFC 8200 does not.
    const protocol = part.version === 4 ? part.protocol : '';
    const key = `${source} ${destination} ${part.identification} ${protocol}`;
    let packet = this.#packets.get(key);
    if (packet === undefined) {
      packet = { key, at: now, pieces: [], bytes: 0, total: -1, protocol: part.protocol };
      this.#packets.set(key, packet);
    }
    return packet;
  }

  /** Copies what is new of a fragment, of which bytes[from, to) were captured. */
  #insert(
    packet: Fragmented,
    offset: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    length: number,
    origin: number,
  ): void {
    let at = offset;
    const end = offset + length;
    let index = packet.pieces.findIndex((piece) => piece.offset + piece.length > offset);
    if (index < 0) index = packet.pieces.length;
    while (at < end) {
      const beyond = packet.pieces[index];
      const free = Math.min(end, beyond?.offset ?? end) - at;
      if (free > 0) {
        const start = Math.min(to, from + at - offset);
        const copy = new Uint8Array(Math.min(free, to - start));
        copy.set(bytes.subarray(start, start + copy.length));
        const place = origin < 0 ? -1 : origin + at - offset;
        packet.pieces.splice(index, 0, { offset: at, bytes: copy, length: free, origin: place });
        packet.bytes += copy.length;
        this.#bytes += copy.length;
        at += free;
      } else if (beyond !== undefined) at = Math.max(at, beyond.offset + beyond.length);
      index += 1;
    }
  }

  #forgetOld(now: Timestamp): void {
    for (const packet of this.#packets.values()) {
      if (now - packet.at <= FRAGMENT_TIME) return;
      this.#giveUp(packet);
    }
  }

  #giveUpOldest(): void {
    for (const packet of this.#packets.values()) {
      this.#giveUp(packet);
      return;
    }
  }

  #giveUp(packet: Fragmented): void {
    this.lost += 1;
    this.#forget(packet);
  }

  #forget(packet: Fragmented): void {
    if (this.#packets.delete(packet.key)) this.#bytes -= packet.bytes;
  }
}

/** Whether a fragment that ends at `end` cannot be of this packet: one of the two goes on behind where the other says it ends. */
function contradicts(packet: Fragmented, end: number, moreFragments: boolean): boolean {
  const { total } = packet;
  if (total >= 0) return moreFragments ? end > total : end !== total;
  const last = packet.pieces.at(-1);
  return !moreFragments && last !== undefined && last.offset + last.length > end;
}

function isWhole(packet: Fragmented): boolean {
  let at = 0;
  for (const piece of packet.pieces) {
    if (piece.offset !== at) return false;
    at += piece.length;
  }
  return at === packet.total;
}
