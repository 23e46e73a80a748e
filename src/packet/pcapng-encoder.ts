/**
 * Strategy: the three blocks a small pcapng file needs (draft-ietf-opsawg-pcapng): section header, interface description, enhanced
 * packet. Little-endian, microsecond stamps (the default if_tsresol). The two head blocks are built once and returned; the packet block
 * is written in place around a payload, because it is on the hot path of a live capture.
 */

/** LINKTYPE_RAW: packets begin with their IPv4 or IPv6 header. */
export const LINKTYPE_RAW = 101;

/** Bytes of an enhanced packet block before the packet, and after its padding. */
export const PACKET_BLOCK_HEAD = 28;
export const PACKET_BLOCK_TAIL = 4;

const SECTION_HEADER_BLOCK = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION_BLOCK = 1;
const ENHANCED_PACKET_BLOCK = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const OPTION_IF_NAME = 2;
const OPTION_IF_DESCRIPTION = 3;
const OPTION_SHB_APPLICATION = 4;
const TWO_TO_THE_32 = 4_294_967_296;
/** Options are for people: longer texts are cut. */
const OPTION_LIMIT = 1_000;

/** The section header with one interface; what a file begins with. `snapLength` 0 says no limit. */
export function encodeFileHead(application: string, name: string, description: string): Uint8Array {
  const section = block(SECTION_HEADER_BLOCK, 16, [option(OPTION_SHB_APPLICATION, application)], (view) => {
    view.setUint32(8, BYTE_ORDER_MAGIC, true);
    view.setUint16(12, 1, true);
    view.setUint16(14, 0, true);
    // -1: the section's length is not known.
    view.setInt32(16, -1, true);
    view.setInt32(20, -1, true);
  });
  const options = [option(OPTION_IF_NAME, name), option(OPTION_IF_DESCRIPTION, description)];
  const face = block(INTERFACE_DESCRIPTION_BLOCK, 8, options, (view) => {
    view.setUint16(8, LINKTYPE_RAW, true);
    view.setUint32(12, 0, true);
  });
  const head = new Uint8Array(section.length + face.length);
  head.set(section);
  head.set(face, section.length);
  return head;
}

/** How many bytes the block of a packet of `length` bytes takes. */
export function packetBlockLength(length: number): number {
  return PACKET_BLOCK_HEAD + ((length + 3) & ~3) + PACKET_BLOCK_TAIL;
}

/**
 * Writes the frame of an enhanced packet block at `at`: everything but the packet itself, which the caller puts at
 * `at + PACKET_BLOCK_HEAD`. Returns the position after the block. `time` is microseconds since the epoch.
 */
export function writePacketFrame(view: DataView, at: number, length: number, time: number): number {
  const total = packetBlockLength(length);
  view.setUint32(at, ENHANCED_PACKET_BLOCK, true);
  view.setUint32(at + 4, total, true);
  view.setUint32(at + 8, 0, true);
  view.setUint32(at + 12, Math.floor(time / TWO_TO_THE_32), true);
  view.setUint32(at + 16, Math.floor(time % TWO_TO_THE_32), true);
  view.setUint32(at + 20, length, true);
  view.setUint32(at + 24, length, true);
  const end = at + total;
  for (let i = at + PACKET_BLOCK_HEAD + length; i < end - PACKET_BLOCK_TAIL; i += 1) view.setUint8(i, 0);
  view.setUint32(end - PACKET_BLOCK_TAIL, total, true);
  return end;
}

function block(
  type: number,
  fixed: number,
  options: readonly Uint8Array[],
  fill: (view: DataView) => void,
): Uint8Array {
  // Type, length, the fixed part, the options with their end mark, the length again.
  const length = 8 + fixed + options.reduce((sum, each) => sum + each.length, 0) + 4 + 4;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  fill(view);
  let at = 8 + fixed;
  for (const each of options) {
    bytes.set(each, at);
    at += each.length;
  }
  view.setUint32(length - 4, length, true);
  return bytes;
}

function option(code: number, text: string): Uint8Array {
  const value = new TextEncoder().encode(text.slice(0, OPTION_LIMIT));
  const bytes = new Uint8Array(4 + ((value.length + 3) & ~3));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, value.length, true);
  bytes.set(value, 4);
  return bytes;
}
