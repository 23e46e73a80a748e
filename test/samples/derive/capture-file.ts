/** Classic pcap files, read and written: enough for samples that tcpdump wrote and for the forms that other tools give them. */

export const LINKTYPE = { null: 0, ethernet: 1, raw: 101, loop: 108, user0: 147, user7: 154 } as const;

const MICROSECONDS_MAGIC = 0xa1b2c3d4;
const FILE_HEADER = 24;
export const PACKET_HEADER = 16;
const DEFAULT_SNAP_LENGTH = 262_144;

export interface CapturedPacket {
  /** Microseconds since the epoch. */
  readonly at: number;
  readonly bytes: Uint8Array;
  /** Its length on the wire. */
  readonly originalLength: number;
}

export interface Capture {
  readonly linkType: number;
  readonly packets: readonly CapturedPacket[];
  readonly snapLength?: number;
}

/** Little-endian and in microseconds, as tcpdump writes on the machines that these samples are recorded on. */
export function readCapture(file: Uint8Array): Capture {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint32(0, true) !== MICROSECONDS_MAGIC) throw new Error('not a little-endian pcap file in microseconds');
  const packets: CapturedPacket[] = [];
  for (let at = FILE_HEADER; at < file.length; ) {
    const length = view.getUint32(at + 8, true);
    packets.push({
      at: view.getUint32(at, true) * 1_000_000 + view.getUint32(at + 4, true),
      bytes: file.slice(at + PACKET_HEADER, at + PACKET_HEADER + length),
      originalLength: view.getUint32(at + 12, true),
    });
    at += PACKET_HEADER + length;
  }
  return { linkType: view.getUint32(20, true), packets };
}

export function writeCapture(capture: Capture, littleEndian = true): Uint8Array {
  const length = capture.packets.reduce((sum, { bytes }) => sum + PACKET_HEADER + bytes.length, FILE_HEADER);
  const file = new Uint8Array(length);
  const view = new DataView(file.buffer);
  view.setUint32(0, MICROSECONDS_MAGIC, littleEndian);
  view.setUint16(4, 2, littleEndian);
  view.setUint16(6, 4, littleEndian);
  view.setUint32(16, capture.snapLength ?? DEFAULT_SNAP_LENGTH, littleEndian);
  view.setUint32(20, capture.linkType, littleEndian);
  let at = FILE_HEADER;
  for (const packet of capture.packets) {
    view.setUint32(at, Math.floor(packet.at / 1_000_000), littleEndian);
    view.setUint32(at + 4, packet.at % 1_000_000, littleEndian);
    view.setUint32(at + 8, packet.bytes.length, littleEndian);
    view.setUint32(at + 12, packet.originalLength, littleEndian);
    file.set(packet.bytes, at + PACKET_HEADER);
    at += PACKET_HEADER + packet.bytes.length;
  }
  return file;
}

/** Where the header of packet `index` lies in the written file. */
export function offsetOfPacket(capture: Capture, index: number): number {
  return capture.packets.slice(0, index).reduce((sum, { bytes }) => sum + PACKET_HEADER + bytes.length, FILE_HEADER);
}
