import { closeSync, openSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

const FILE_HEADER = 24;
const PACKET_HEADER = 16;
const BUFFER = 8 * 1024 * 1024;
const MICROSECONDS_MAGIC = 0xa1b2c3d4;
const SNAP_LENGTH = 262_144;
const ETHERNET = 1;

/** Writes a classic pcap file, little-endian and in microseconds, in large pieces; between them the program can be interrupted. */
export class CaptureWriter {
  packets = 0;
  private readonly file: number;
  private readonly buffer = Buffer.allocUnsafe(BUFFER);
  private used = 0;
  private written = 0;

  constructor(path: string) {
    this.file = openSync(path, 'w');
    this.buffer.fill(0, 0, FILE_HEADER);
    this.buffer.writeUInt32LE(MICROSECONDS_MAGIC, 0);
    this.buffer.writeUInt16LE(2, 4);
    this.buffer.writeUInt16LE(4, 6);
    this.buffer.writeUInt32LE(SNAP_LENGTH, 16);
    this.buffer.writeUInt32LE(ETHERNET, 20);
    this.used = FILE_HEADER;
  }

  /** Bytes of the file until now. */
  get bytes(): number {
    return this.written + this.used;
  }

  /**
   * Adds a packet.
   * @param at microseconds since the epoch
   * @returns where it is to be put: valid until the next call
   */
  packet(at: number, length: number): Buffer {
    if (this.used + PACKET_HEADER + length > BUFFER) this.flush();
    const { buffer, used } = this;
    buffer.writeUInt32LE(Math.floor(at / 1_000_000), used);
    buffer.writeUInt32LE(at % 1_000_000, used + 4);
    buffer.writeUInt32LE(length, used + 8);
    buffer.writeUInt32LE(length, used + 12);
    this.used += PACKET_HEADER + length;
    this.packets += 1;
    return buffer.subarray(used + PACKET_HEADER, this.used);
  }

  /** Lets signals in; to be called now and then. */
  async breathe(): Promise<void> {
    await setImmediate();
  }

  close(): void {
    this.flush();
    closeSync(this.file);
  }

  private flush(): void {
    for (let from = 0; from < this.used; ) from += writeSync(this.file, this.buffer, from, this.used - from);
    this.written += this.used;
    this.used = 0;
  }
}
