import { NO_BYTES } from '../../model/bytes.js';
import { MICROSECONDS_PER_SECOND } from '../../model/time.js';
import type { PacketSink } from '../packet.js';
import { type FormatParser, type FormatReports, NETWORK_PACKET_LIMIT, PACKET_LIMIT, PacketSlot } from './format.js';

/**
 * Strategy: classic pcap (draft-ietf-opsawg-pcap) has no marks to hold on to: a packet begins where the length of the one before says. So
 * a header whose numbers agree with one another is taken at once, and any other only after a look at the header that it leads to. When
 * that is none either, the parser hunts byte by byte for a run of headers that lead to one another. What it hunts through is passed over
 * without being held.
 */

/** The magic numbers of the format, as they read in the order of the file. */
export const PCAP_MICROSECONDS = 0xa1b2c3d4;
export const PCAP_NANOSECONDS = 0xa1b23c4d;
/** Kuznetzov's variant (old Linux distributions): eight bytes more before each packet. */
export const PCAP_MODIFIED = 0xa1b2cd34;

export const PCAP_FILE_HEADER = 24;
const PACKET_HEADER = 16;
const MODIFIED_PACKET_HEADER = 24;
const NANOSECONDS_PER_MICROSECOND = 1_000;
/** The upper half of the link type's field tells of frame check sequences. */
const LINK_TYPE_MASK = 0xffff;
/** Until 2.3 writers disagreed about which of the two lengths comes first. */
const LAST_MINOR_OF_UNSURE_ORDER = 3;
/** So many headers that lead to one another are no accident: each takes some 40 bits of luck in random bytes. */
const RUN = 3;
/** The packets of a run are of about the same time: 30 days. Those before the damage do not count, they may be what is damaged. */
const RUN_SECONDS = 30 * 24 * 3_600;
const NOT_A_RUN = 0;
const IS_A_RUN = -1;

export class PcapParser implements FormatParser {
  // Invariants: bytes before `position` are consumed; `hunting` is null or says where it began and why; while it is set no packet is
  // handed out; `ended` is only set while finish runs.
  needed = PCAP_FILE_HEADER;
  packets = 0;
  position = 0;

  private begun = false;
  private ended = false;
  private hunting: { readonly from: number; readonly why: string } | null = null;
  private readonly packet = new PacketSlot(NO_BYTES);
  private packetHeader = PACKET_HEADER;
  private nanoseconds = false;
  private unsureOrder = false;
  /** No packet of this file is believed to be longer. */
  private limit = NETWORK_PACKET_LIMIT;
  /** The length that packets are usually cut to. */
  private cut = -1;
  private view: DataView = new DataView(NO_BYTES.buffer);

  /**
   * @param little the byte order
   * @param origin that of the file's first byte, or -1
   */
  constructor(
    private readonly little: boolean,
    private readonly origin: number,
    private readonly reports: FormatReports,
  ) {}

  parse(bytes: Uint8Array, start: number, end: number, sink: PacketSink): number {
    if (this.packet.bytes !== bytes) this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.packet.bytes = bytes;
    const shift = this.position - start;
    let at = start;
    if (!this.begun) {
      if (end - at < PCAP_FILE_HEADER) return 0;
      this.readFileHeader(at);
      at += PCAP_FILE_HEADER;
    }
    let before: number;
    do {
      before = at;
      if (this.hunting) at = this.hunt(at, end, shift);
      if (!this.hunting) at = this.readAgreeing(at, end, shift, sink);
      if (!this.hunting) at = this.readDoubtful(at, end, shift, sink);
    } while (at !== before);
    this.position = at + shift;
    return at - start;
  }

  finish(bytes: Uint8Array, start: number, end: number, sink: PacketSink): void {
    this.ended = true;
    const left = end - start - this.parse(bytes, start, end, sink);
    if (!this.begun) return this.reports.warn('the capture is cut off inside its file header', 0);
    if (this.hunting) {
      const { from, why } = this.hunting;
      this.position += left;
      this.reports.warn(`${why}; no packet was found in the ${this.position - from} bytes up to the end`, from);
    } else if (left > 0) {
      this.reports.warn(`the capture is cut off inside packet ${this.packets + 1}`, this.position);
    }
  }

  private readFileHeader(at: number): void {
    const { view, little } = this;
    const magic = view.getUint32(at, little);
    this.nanoseconds = magic === PCAP_NANOSECONDS;
    if (magic === PCAP_MODIFIED) this.packetHeader = MODIFIED_PACKET_HEADER;
    this.unsureOrder = view.getUint16(at + 6, little) <= LAST_MINOR_OF_UNSURE_ORDER;
    const snapLength = view.getUint32(at + 16, little);
    this.cut = snapLength;
    this.limit = Math.min(Math.max(snapLength, NETWORK_PACKET_LIMIT), PACKET_LIMIT);
    this.packet.linkType = view.getUint32(at + 20, little) & LINK_TYPE_MASK;
    this.begun = true;
    this.needed = this.packetHeader;
  }

  /** The fast path: packets whose headers leave no doubt. Returns where it stopped, be it for want of bytes or for doubt. */
  private readAgreeing(from: number, end: number, shift: number, sink: PacketSink): number {
    const { view, little, packet, packetHeader, nanoseconds, limit, cut } = this;
    const perSecond = this.perSecond();
    const origin = this.origin < 0 ? Number.NEGATIVE_INFINITY : this.origin + shift;
    let at = from;
    this.needed = packetHeader;
    while (end - at >= packetHeader) {
      const fraction = view.getUint32(at + 4, little);
      const captured = view.getUint32(at + 8, little);
      const original = view.getUint32(at + 12, little);
      if (captured !== original && (captured !== cut || captured > original)) break;
      if (captured > limit || original === 0 || original > PACKET_LIMIT || fraction >= perSecond) break;
      const body = at + packetHeader;
      if (captured > end - body) {
        this.needed = packetHeader + captured;
        break;
      }
      packet.at =
        view.getUint32(at, little) * MICROSECONDS_PER_SECOND +
        (nanoseconds ? fraction / NANOSECONDS_PER_MICROSECOND : fraction);
      packet.start = body;
      packet.end = body + captured;
      packet.originalLength = original;
      packet.origin = origin + body < 0 ? -1 : origin + body;
      this.packets += 1;
      sink(packet);
      at = body + captured;
    }
    return at;
  }

  /** One packet whose header is odd: taken when it leads to another header, else the hunt begins. */
  private readDoubtful(at: number, end: number, shift: number, sink: PacketSink): number {
    const { view, little, packetHeader, packet } = this;
    if (end - at < packetHeader || this.needed > end - at) return at;
    let captured = view.getUint32(at + 8, little);
    let original = view.getUint32(at + 12, little);
    if (this.unsureOrder && captured > original) [captured, original] = [original, captured];
    if (captured > this.limit) return this.lose(at, shift, `packet ${this.packets + 1} claims ${captured} bytes`);
    const body = at + packetHeader;
    const next = body + captured;
    if (end - next < packetHeader && !this.ended) {
      this.needed = next + packetHeader - at;
      return at;
    }
    // At the end a packet that fills what is left, or all but a piece of a header, has nothing to lead to.
    const believed = original !== 0 && (end - next >= packetHeader ? this.leadsOn(at, next) : next <= end);
    if (!believed) return this.lose(at, shift, `packet ${this.packets + 1} has a wrong header`);
    const fraction = view.getUint32(at + 4, little);
    packet.at =
      view.getUint32(at, little) * MICROSECONDS_PER_SECOND +
      (this.nanoseconds ? fraction / NANOSECONDS_PER_MICROSECOND : fraction);
    packet.start = body;
    packet.end = next;
    packet.originalLength = original < captured || original > PACKET_LIMIT ? captured : original;
    packet.origin = this.origin < 0 ? -1 : this.origin + shift + body;
    if (captured < original) this.cut = captured;
    this.packets += 1;
    sink(packet);
    return next;
  }

  /**
   * Whether a header stands at `next` whose lengths may be true and whose time is near. The lengths alone are not enough: those of a header
   * that is read one byte early are larger, but agree. The fraction of the second does not count, some writers get it wrong.
   */
  private leadsOn(at: number, next: number): boolean {
    const { view, little } = this;
    const captured = view.getUint32(next + 8, little);
    const original = view.getUint32(next + 12, little);
    if (captured > this.limit || original > PACKET_LIMIT || original === 0) return false;
    if (captured > original && !this.unsureOrder) return false;
    return Math.abs(view.getUint32(next, little) - view.getUint32(at, little)) <= RUN_SECONDS;
  }

  private lose(at: number, shift: number, why: string): number {
    this.hunting = { from: at + shift, why };
    return at + 1;
  }

  /** Looks for a run of headers from `at` on. Returns where it is, or where it needs more bytes to tell. */
  private hunt(from: number, end: number, shift: number): number {
    const last = end - this.packetHeader;
    const { bytes } = this.packet;
    // The highest byte of the captured length is 0 in all that mayBegin takes, and says no to most places at once.
    const highest = this.little ? 11 : 8;
    for (let at = from; at <= last; at += 1) {
      if (bytes[at + highest] !== 0 || !this.mayBegin(at)) continue;
      const verdict = this.isRun(at, end);
      if (verdict === NOT_A_RUN) continue;
      if (verdict === IS_A_RUN) {
        const { from: lostAt, why } = this.hunting!;
        this.hunting = null;
        this.reports.warn(`${why}; ${at + shift - lostAt} bytes were skipped`, lostAt);
      } else {
        this.needed = verdict;
      }
      return at;
    }
    this.needed = this.packetHeader;
    return Math.max(from, last + 1);
  }

  /** Whether the header at `at` may be one, strictly. */
  private mayBegin(at: number): boolean {
    const { view, little } = this;
    const captured = view.getUint32(at + 8, little);
    if (captured === 0 || captured > NETWORK_PACKET_LIMIT) return false;
    const original = view.getUint32(at + 12, little);
    if (original < captured || original > PACKET_LIMIT) return false;
    return view.getUint32(at + 4, little) < this.perSecond();
  }

  /** IS_A_RUN, NOT_A_RUN, or how many bytes from `at` on it takes to tell. */
  private isRun(at: number, end: number): number {
    const seconds = this.view.getUint32(at, this.little);
    let next = at;
    for (let found = 0; found < RUN; found += 1) {
      if (end - next < this.packetHeader) {
        if (!this.ended) return next + this.packetHeader - at;
        return next === end || found > 1 ? IS_A_RUN : NOT_A_RUN;
      }
      if (!this.mayBegin(next)) return NOT_A_RUN;
      if (Math.abs(this.view.getUint32(next, this.little) - seconds) > RUN_SECONDS) return NOT_A_RUN;
      next += this.packetHeader + this.view.getUint32(next + 8, this.little);
      // Beyond the end of a cut file only what came before can vouch.
      if (next > end && this.ended) return found > 0 ? IS_A_RUN : NOT_A_RUN;
    }
    return IS_A_RUN;
  }

  private perSecond(): number {
    return MICROSECONDS_PER_SECOND * (this.nanoseconds ? NANOSECONDS_PER_MICROSECOND : 1);
  }
}
