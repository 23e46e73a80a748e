import { type Capture, type CapturedPacket, LINKTYPE } from './capture-file.js';
import { framesOf } from './frame.js';

/**
 * A pcapng file with what few tools write (draft-ietf-opsawg-pcapng): sections of both byte orders, time resolutions and offsets, options,
 * blocks that readers must skip, and all three kinds of packet block. One connection of the capture goes into each way of writing.
 */

const BLOCK = {
  section: 0x0a0d0d0a,
  interface: 1,
  obsoletePacket: 2,
  simplePacket: 3,
  nameResolution: 4,
  enhancedPacket: 6,
};
/** With the highest bit set a block type is for private use. */
const PRIVATE_BLOCK = 0x8000_0bad;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const OPTION = { end: 0, comment: 1, name: 2, timeResolution: 9, timeOffset: 14 };
const NANOSECONDS = 9;
const TIME_OFFSET_SECONDS = 1_000_000_000;
const UNKNOWN_LENGTH = 0xffff_ffff;
const NO_DROPS_KNOWN = 0xffff;

type Option = readonly [code: number, value: Uint8Array];

export function oddBlocks(capture: Capture): Uint8Array {
  const frames = framesOf(capture.packets);
  const ofConnection = (number: number): CapturedPacket[] =>
    capture.packets.filter((_, index) => frames[index]!.connection === number);
  const little = new Section(true);
  const big = new Section(false);
  const last = new Section(true);
  const text = new TextEncoder();
  // In the byte order of the section that it is for.
  const offset = new Uint8Array(8);
  new DataView(offset.buffer).setBigInt64(0, BigInt(TIME_OFFSET_SECONDS), false);

  little.header([[OPTION.comment, text.encode('the first section')]]);
  little.interface(LINKTYPE.ethernet, [
    [OPTION.name, text.encode('lo')],
    [OPTION.timeResolution, Uint8Array.of(NANOSECONDS)],
  ]);
  little.block(PRIVATE_BLOCK, [text.encode('for nobody else')]);
  little.nameResolution('127.0.0.1', 'localhost');
  for (const packet of ofConnection(0)) {
    little.enhanced(0, BigInt(packet.at) * 1_000n, packet.bytes, [[OPTION.comment, text.encode('a comment')]]);
  }

  big.header([]);
  big.interface(LINKTYPE.user7, []);
  big.interface(LINKTYPE.ethernet, [[OPTION.timeOffset, offset]]);
  for (const packet of ofConnection(1)) {
    big.enhanced(0, BigInt(packet.at), text.encode('of a link type unknown'), []);
    big.obsolete(1, BigInt(packet.at - TIME_OFFSET_SECONDS * 1_000_000), packet.bytes);
  }

  last.header([]);
  last.interface(LINKTYPE.ethernet, []);
  for (const packet of ofConnection(2)) last.simple(packet.bytes);
  return concat([little, big, last].flatMap((section) => section.blocks));
}

class Section {
  readonly blocks: Uint8Array[] = [];

  constructor(private readonly littleEndian: boolean) {}

  header(options: readonly Option[]): void {
    this.block(BLOCK.section, [
      this.u32(BYTE_ORDER_MAGIC),
      this.u16(1),
      this.u16(0),
      this.u32(UNKNOWN_LENGTH),
      this.u32(UNKNOWN_LENGTH),
      ...this.options(options),
    ]);
  }

  interface(linkType: number, options: readonly Option[]): void {
    this.block(BLOCK.interface, [this.u16(linkType), this.u16(0), this.u32(0), ...this.options(options)]);
  }

  nameResolution(address: string, name: string): void {
    const value = concat([Uint8Array.from(address.split('.'), Number), new TextEncoder().encode(`${name}\0`)]);
    const ipv4Record = 1;
    this.block(BLOCK.nameResolution, [this.u16(ipv4Record), this.u16(value.length), padded(value), this.u32(0)]);
  }

  enhanced(face: number, time: bigint, packet: Uint8Array, options: readonly Option[]): void {
    this.block(BLOCK.enhancedPacket, [
      this.u32(face),
      ...this.time(time),
      this.u32(packet.length),
      this.u32(packet.length),
      padded(packet),
      ...this.options(options),
    ]);
  }

  obsolete(face: number, time: bigint, packet: Uint8Array): void {
    this.block(BLOCK.obsoletePacket, [
      this.u16(face),
      this.u16(NO_DROPS_KNOWN),
      ...this.time(time),
      this.u32(packet.length),
      this.u32(packet.length),
      padded(packet),
    ]);
  }

  simple(packet: Uint8Array): void {
    this.block(BLOCK.simplePacket, [this.u32(packet.length), padded(packet)]);
  }

  block(type: number, body: readonly Uint8Array[]): void {
    const content = padded(concat(body));
    const length = this.u32(content.length + 12);
    this.blocks.push(concat([this.u32(type), length, content, length]));
  }

  private options(options: readonly Option[]): Uint8Array[] {
    if (options.length === 0) return [];
    const all = options.flatMap(([code, value]) => [this.u16(code), this.u16(value.length), padded(value)]);
    return [...all, this.u32(OPTION.end)];
  }

  private time(time: bigint): Uint8Array[] {
    return [this.u32(Number(time >> 32n)), this.u32(Number(time & 0xffff_ffffn))];
  }

  private u16(value: number): Uint8Array {
    const bytes = new Uint8Array(2);
    new DataView(bytes.buffer).setUint16(0, value, this.littleEndian);
    return bytes;
  }

  private u32(value: number): Uint8Array {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, this.littleEndian);
    return bytes;
  }
}

/** Everything in pcapng takes a multiple of four bytes. */
function padded(bytes: Uint8Array): Uint8Array {
  return concat([bytes, new Uint8Array(-bytes.length & 3)]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
