import { NO_BYTES } from '../model/bytes.js';
import type { ByteSource } from './capture-bytes.js';

/**
 * Strategy: two buffers take turns. While the bytes of one are parsed, the next read fills the other behind a headroom, into which what the
 * parser left over is copied; that is a piece of a packet, so hardly anything is copied at all. Only what does not fit into the headroom
 * (packets larger than any network's) is gathered in a buffer of its own, which goes when it was parsed.
 */

/** Room for a packet of the loopback interface with what formats put around it. */
const HEADROOM = 72 * 1024;

/** Unconsumed bytes of a source: bytes[start, end). Whoever consumes some moves `start` on. */
export class CaptureBuffer {
  // Invariants: a read that is under way goes to buffers[turn], and `bytes` is never that buffer.
  bytes: Uint8Array;
  start = 0;
  end: number;

  private buffers: readonly [Uint8Array, Uint8Array];
  private turn: 0 | 1 = 0;
  private reading: Promise<number> | null = null;
  private ended = false;

  /** @param head what was already read of the source */
  constructor(
    private readonly source: ByteSource,
    private readonly chunkLength: number,
    head: Uint8Array,
  ) {
    this.bytes = head;
    this.end = head.length;
    this.buffers = [new Uint8Array(HEADROOM + chunkLength), new Uint8Array(HEADROOM + chunkLength)];
  }

  get length(): number {
    return this.end - this.start;
  }

  /**
   * Waits until `wanted` unconsumed bytes are there, and starts to read ahead. Resolves to false when the source ends before. What was in `bytes`
   * stays until the next call. Rejects with the system's error.
   */
  async want(wanted: number): Promise<boolean> {
    while (this.length < wanted && !this.ended) {
      const got = await this.take();
      if (got === 0) this.ended = true;
      else this.append(this.buffers[this.turn].subarray(HEADROOM, HEADROOM + got), wanted);
    }
    if (!this.ended) this.readAhead();
    return this.length >= wanted;
  }

  /** Lets go of the memory; nothing can be read any more. */
  release(): void {
    this.ended = true;
    this.bytes = NO_BYTES;
    this.buffers = [NO_BYTES, NO_BYTES];
    this.start = 0;
    this.end = 0;
  }

  private async take(): Promise<number> {
    try {
      return await this.readAhead();
    } catch (error) {
      this.ended = true;
      throw error;
    } finally {
      this.reading = null;
    }
  }

  private readAhead(): Promise<number> {
    if (!this.reading) {
      this.reading = this.source.read(this.buffers[this.turn], HEADROOM, HEADROOM + this.chunkLength);
      // Whoever takes it sees the error; until then it is nobody's.
      this.reading.catch(() => {});
    }
    return this.reading;
  }

  private append(fresh: Uint8Array, wanted: number): void {
    const left = this.length;
    if (this.isGathering() && fresh.length <= this.bytes.length - this.end) {
      this.bytes.set(fresh, this.end);
      this.end += fresh.length;
    } else if (left <= HEADROOM) {
      const next = this.buffers[this.turn];
      next.set(this.bytes.subarray(this.start, this.end), HEADROOM - left);
      this.bytes = next;
      this.start = HEADROOM - left;
      this.end = HEADROOM + fresh.length;
      this.turn = this.turn === 0 ? 1 : 0;
    } else {
      const gathered = new Uint8Array(Math.max(wanted, left) + this.chunkLength);
      gathered.set(this.bytes.subarray(this.start, this.end));
      gathered.set(fresh, left);
      this.bytes = gathered;
      this.start = 0;
      this.end = left + fresh.length;
    }
  }

  private isGathering(): boolean {
    return this.bytes !== this.buffers[0] && this.bytes !== this.buffers[1];
  }
}
