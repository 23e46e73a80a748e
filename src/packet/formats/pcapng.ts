import { NO_BYTES } from '../../model/bytes.js';
import type { PacketSink } from '../packet.js';
import {
  type CaptureComment,
  COMMENT_LENGTH_LIMIT,
  COMMENTS_LIMIT,
  type FormatParser,
  type FormatReports,
  PACKET_LIMIT,
  PacketSlot,
} from './format.js';
import {
  BLOCK_LIMIT,
  beginsBlock,
  blockEndsWell,
  blockLength,
  ENHANCED_PACKET,
  INTERFACE_DESCRIPTION,
  OBSOLETE_PACKET,
  PCAPNG_BYTE_ORDER,
  PCAPNG_SECTION,
  SIMPLE_PACKET,
  SMALLEST_BLOCK,
  TAIL,
} from './pcapng-block.js';
import { PcapngInterface } from './pcapng-interface.js';
import { eachOption } from './pcapng-options.js';

/**
 * Strategy: pcapng (draft-ietf-opsawg-pcapng) is a chain of blocks that say their length at both ends. A block is believed when both agree,
 * or when it leads to another one; else the parser looks byte by byte for the next block of a known type whose ends agree. Packets are
 * handed out, section headers and interface descriptions read, everything else is passed over.
 */

/** The shortest section header: what stands before and in it until its options. */
export const PCAPNG_SECTION_HEAD = 28;

const INTERFACE_HEAD = 16;
const SIMPLE_PACKET_HEAD = 12;
const PACKET_HEAD = 28;
/** How many interfaces of a section are known. Files merged of thousands have thousands. */
const INTERFACES_LIMIT = 65_536;
const OPTION_COMMENT = 1;

const text = new TextDecoder('utf-8', { ignoreBOM: true });

export class PcapngParser implements FormatParser {
  // Invariants: bytes before `position` are consumed; `hunting` is null or says where it began and why; `shift` added to a place in the
  // bytes being parsed gives its offset in the capture; `ended` is only set while finish runs.
  needed = SMALLEST_BLOCK;
  packets = 0;
  position = 0;

  private ended = false;
  private hunting: { readonly from: number; readonly why: string } | null = null;
  private readonly packet = new PacketSlot(NO_BYTES);
  private little = true;
  private interfaces: PcapngInterface[] = [];
  private comments = 0;
  private shift = 0;
  private view: DataView = new DataView(NO_BYTES.buffer);

  /** @param origin that of the file's first byte, or -1 */
  constructor(
    private readonly origin: number,
    private readonly reports: FormatReports,
  ) {}

  parse(bytes: Uint8Array, start: number, end: number, sink: PacketSink): number {
    if (this.packet.bytes !== bytes) this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.packet.bytes = bytes;
    this.shift = this.position - start;
    let at = start;
    let before: number;
    do {
      before = at;
      if (this.hunting) at = this.hunt(at, end);
      if (!this.hunting) at = this.readBlocks(at, end, sink);
    } while (at !== before);
    this.position = at + this.shift;
    return at - start;
  }

  finish(bytes: Uint8Array, start: number, end: number, sink: PacketSink): void {
    this.ended = true;
    const left = end - start - this.parse(bytes, start, end, sink);
    if (this.hunting) {
      const { from, why } = this.hunting;
      this.position += left;
      this.reports.warn(`${why}; no further block was found in the ${this.position - from} bytes up to the end`, from);
    } else if (left > 0) {
      this.reports.warn(`the capture is cut off after packet ${this.packets}`, this.position);
    }
  }

  /** Whole blocks from `from` on. Returns where it stopped, for want of bytes or because it lost the way. */
  private readBlocks(from: number, end: number, sink: PacketSink): number {
    const { view } = this;
    let at = from;
    this.needed = SMALLEST_BLOCK;
    while (end - at >= SMALLEST_BLOCK) {
      const type = view.getUint32(at, this.little);
      if (type === PCAPNG_SECTION && !this.takeByteOrder(at)) return this.lose(at, 'a section without byte order');
      const length = view.getUint32(at + 4, this.little);
      if (length < SMALLEST_BLOCK || length > BLOCK_LIMIT || length % 4 !== 0) {
        return this.lose(at, `a block after packet ${this.packets} claims ${length} bytes`);
      }
      if (length > end - at) {
        if (this.ended && this.isBlockAhead(at + 1, end)) {
          return this.lose(at, `a block after packet ${this.packets} claims ${length} bytes`);
        }
        this.needed = length;
        return at;
      }
      if (view.getUint32(at + length - TAIL, this.little) !== length) {
        const verdict = this.leadsOn(at + length, end);
        if (verdict === null) {
          this.needed = length + SMALLEST_BLOCK;
          return at;
        }
        if (!verdict) return this.lose(at, `the block after packet ${this.packets} has two different lengths`);
        this.reports.warn(`the block after packet ${this.packets} has two different lengths`, at + this.shift);
      }
      // The packets of modern writers first: everything else is rare.
      if (type === ENHANCED_PACKET) this.readPacket(at, length, view.getUint32(at + 8, this.little), sink);
      else if (type === PCAPNG_SECTION) this.readSection(at, length);
      else if (type === INTERFACE_DESCRIPTION) this.readInterface(at, length);
      else if (type === SIMPLE_PACKET) this.readSimplePacket(at, length, sink);
      else if (type === OBSOLETE_PACKET) this.readPacket(at, length, view.getUint16(at + 8, this.little), sink);
      at += length;
    }
    return at;
  }

  private takeByteOrder(at: number): boolean {
    const little = this.view.getUint32(at + 8, true) === PCAPNG_BYTE_ORDER;
    if (!little && this.view.getUint32(at + 8, false) !== PCAPNG_BYTE_ORDER) return false;
    this.little = little;
    return true;
  }

  private readSection(at: number, length: number): void {
    this.interfaces = [];
    if (length < PCAPNG_SECTION_HEAD) return this.complain(at, 'a section header is too short');
    const major = this.view.getUint16(at + 12, this.little);
    if (major !== 1) this.complain(at, `a section is of version ${major} and is read as one of version 1`);
    this.readComments('section', at + PCAPNG_SECTION_HEAD - TAIL, at + length - TAIL);
  }

  private readInterface(at: number, length: number): void {
    const { view, little } = this;
    if (length < INTERFACE_HEAD + TAIL) return this.complain(at, 'an interface description is too short');
    if (this.interfaces.length >= INTERFACES_LIMIT) return;
    const face = new PcapngInterface(view.getUint16(at + 8, little), view.getUint32(at + 12, little));
    face.readOptions(view, at + INTERFACE_HEAD, at + length - TAIL, little);
    this.interfaces.push(face);
    this.readComments('interface', at + INTERFACE_HEAD, at + length - TAIL);
  }

  /** An enhanced or obsolete packet block: they differ in how wide the number of the interface is. */
  private readPacket(at: number, length: number, number: number, sink: PacketSink): void {
    const { view, little, packet } = this;
    if (length < PACKET_HEAD + TAIL) return this.complain(at, 'a packet block is too short');
    const face = this.interfaces[number];
    if (!face) return this.complain(at, `a packet of interface ${number}, which is not described`);
    const captured = view.getUint32(at + 20, little);
    const original = view.getUint32(at + 24, little);
    const room = length - PACKET_HEAD - TAIL;
    if (captured > room) return this.complain(at, `a packet claims ${captured} bytes in a block with room for ${room}`);
    packet.at = face.timeOf(view.getUint32(at + 12, little), view.getUint32(at + 16, little));
    packet.linkType = face.linkType;
    this.hand(at + PACKET_HEAD, captured, original, (captured + 3) & ~3, at + length - TAIL, sink);
  }

  /** A simple packet block has neither time nor interface: it is of the first one, and of the time of the packet before. */
  private readSimplePacket(at: number, length: number, sink: PacketSink): void {
    const { packet } = this;
    const face = this.interfaces[0];
    if (length < SIMPLE_PACKET_HEAD + TAIL) return this.complain(at, 'a packet block is too short');
    if (!face) return this.complain(at, 'a packet of interface 0, which is not described');
    const original = this.view.getUint32(at + 8, this.little);
    const room = length - SIMPLE_PACKET_HEAD - TAIL;
    const captured = Math.min(original, room, face.snapLength === 0 ? room : face.snapLength);
    if (this.packets === 0) packet.at = 0;
    packet.linkType = face.linkType;
    this.hand(at + SIMPLE_PACKET_HEAD, captured, original, room, at + length - TAIL, sink);
  }

  private hand(body: number, captured: number, original: number, padded: number, end: number, sink: PacketSink): void {
    const { packet } = this;
    packet.start = body;
    packet.end = body + captured;
    packet.originalLength = original < captured || original > PACKET_LIMIT ? captured : original;
    packet.origin = this.origin < 0 ? -1 : this.origin + this.shift + body;
    this.packets += 1;
    if (end - body > padded) this.readComments('packet', body + padded, end);
    sink(packet);
  }

  private readComments(subject: CaptureComment['subject'], start: number, end: number): void {
    const { view, packet } = this;
    if (this.comments > COMMENTS_LIMIT) return;
    eachOption(view, start, end, this.little, (code, at, length) => {
      if (code !== OPTION_COMMENT || length === 0 || this.comments > COMMENTS_LIMIT) return;
      this.comments += 1;
      if (this.comments > COMMENTS_LIMIT) {
        this.complain(at, `the comments after the first ${COMMENTS_LIMIT} are left out`);
        return;
      }
      const ofPacket = subject === 'packet';
      this.reports.comment({
        subject,
        packet: ofPacket ? this.packets : null,
        at: ofPacket ? packet.at : null,
        text: text.decode(packet.bytes.subarray(at, at + Math.min(length, COMMENT_LENGTH_LIMIT))),
      });
    });
  }

  private complain(at: number, what: string): void {
    this.reports.warn(what, at + this.shift);
  }

  private lose(at: number, why: string): number {
    this.hunting = { from: at + this.shift, why };
    return at + 1;
  }

  /** Whether a block's head stands at `at`, where one whose two lengths differ ends; null when that takes more bytes to tell. */
  private leadsOn(at: number, end: number): boolean | null {
    if (end - at < SMALLEST_BLOCK) return this.ended ? at === end : null;
    if (!beginsBlock(this.view, at, this.little)) return false;
    const length = this.view.getUint32(at + 4, this.little);
    return length >= SMALLEST_BLOCK && length <= BLOCK_LIMIT && length % 4 === 0;
  }

  /** Looks for the next block. Returns where it is, or where it needs more bytes to tell. */
  private hunt(from: number, end: number): number {
    this.needed = SMALLEST_BLOCK;
    for (let at = from; end - at >= SMALLEST_BLOCK; at += 1) {
      const length = blockLength(this.view, at, this.little);
      if (length === 0) continue;
      if (length > end - at) {
        if (this.ended) continue;
        this.needed = length;
        return at;
      }
      if (!blockEndsWell(this.view, at, length, this.little)) continue;
      const { from: lostAt, why } = this.hunting!;
      this.hunting = null;
      this.reports.warn(`${why}; ${at + this.shift - lostAt} bytes were skipped`, lostAt);
      return at;
    }
    return Math.max(from, end - SMALLEST_BLOCK + 1);
  }

  private isBlockAhead(from: number, end: number): boolean {
    for (let at = from; end - at >= SMALLEST_BLOCK; at += 1) {
      const length = blockLength(this.view, at, this.little);
      if (length !== 0 && length <= end - at && blockEndsWell(this.view, at, length, this.little)) return true;
    }
    return false;
  }
}
