import type { StoreReader } from './byte-store.js';

/** What a reader asks of whatever has the bytes; see Spool.read. */
export interface Positioned {
  read(position: number, needed: number, into: Uint8Array): number | Promise<number>;
}

/** One read's size at most: a small request and its answer come at once, and a large one in few reads. */
const WINDOW = 256 * 1024;

/** Reads ahead: what a replay asks for next lies mostly behind what it asked for last. */
export class PositionedReader implements StoreReader {
  /** `window` holds the bytes from `from` to `to`. It grows to what is asked, and is never shared. */
  private window = new Uint8Array(0);
  private from = 0;
  private to = 0;

  constructor(private readonly bytes: Positioned) {}

  read(position: number, length: number, until: number): Uint8Array | null | Promise<Uint8Array | null> {
    if (position >= this.from && position + length <= this.to) return this.view(position, length);
    const wanted = Math.max(length, Math.min(until - position, WINDOW));
    if (this.window.length < wanted) this.window = new Uint8Array(wanted);
    this.from = 0;
    this.to = 0;
    const read = this.bytes.read(position, length, this.window.subarray(0, wanted));
    return typeof read === 'number'
      ? this.take(position, length, read)
      : read.then((got) => this.take(position, length, got));
  }

  private take(position: number, length: number, got: number): Uint8Array | null {
    if (got < length) return null;
    this.from = position;
    this.to = position + got;
    return this.view(position, length);
  }

  private view(position: number, length: number): Uint8Array {
    return this.window.subarray(position - this.from, position - this.from + length);
  }
}
