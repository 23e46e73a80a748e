import { NO_BYTES } from '../../model/bytes.js';
import type { Timestamp } from '../../model/time.js';
import { BODY_LENGTH, HEADER_LENGTH, MAX_PADDING_LENGTH, MAX_RECORD_LENGTH } from './constants.js';
import { CHAIN_HEADERS, CHAIN_SPAN } from './record-hunt.js';

/**
 * What a decoder has to keep of one direction between two chunks: the bytes from `offset` on, at most one record, or out of step the chain
 * that is to confirm one, with at most one hole where the capture missed bytes.
 *
 *     bytes   ....[start ........ holeAt ........ end)....
 *     stream      offset          | holeLength bytes |
 *
 * Memory follows what has arrived, not what a header announces, and nothing is kept while nothing is held: there may be 100 000 idle
 * connections. Buffers go from one decoder to the next through short lists of spare ones, because a busy connection needs one for
 * nearly every chunk (and allocating even a small one takes longer than decoding twenty records).
 */
export class HeldBytes {
  /*
   * Invariants: start <= end; without a hole holeLength is 0, else start <= holeAt <= end; arrivals are pairs of a stream offset and
   * the time at which the bytes from there on arrived, the first of them for `offset` or before.
   */
  bytes: Uint8Array = NO_BYTES;
  start = 0;
  end = 0;
  holeAt = 0;
  holeLength = 0;
  #arrivals: number[];

  /** @param offset the stream offset of the first byte to be appended */
  constructor(
    public offset: number,
    at: Timestamp,
  ) {
    this.#arrivals = [offset, at];
  }

  /** How much of the stream it spans, the hole included. */
  get span(): number {
    return this.end - this.start + this.holeLength;
  }

  append(source: Uint8Array, from: number, to: number): void {
    const length = to - from;
    if (this.end + length > this.bytes.length) this.#makeRoom(length);
    this.bytes.set(from === 0 && to === source.length ? source : source.subarray(from, to), this.end);
    this.end += length;
  }

  /** Says when the bytes appended next arrived. The first byte's time is told to the constructor. */
  markArrival(at: Timestamp): void {
    const arrivals = this.#arrivals;
    if (arrivals.length < MAX_ARRIVALS * 2 && arrivals[arrivals.length - 1] !== at)
      arrivals.push(this.offset + this.span, at);
  }

  /** When the byte at this stream offset arrived. */
  arrivalOf(offset: number): Timestamp {
    const arrivals = this.#arrivals;
    let i = arrivals.length - 2;
    while (i > 0 && arrivals[i]! > offset) i -= 2;
    return arrivals[i + 1]!;
  }

  /** The next `length` bytes of the stream are missing. What was seen since an earlier hole goes into it. */
  addHole(length: number): void {
    if (this.holeLength === 0) this.holeAt = this.end;
    this.holeLength += length + (this.end - this.holeAt);
    this.end = this.holeAt;
  }

  /** Drops the bytes before `index`, which is where `offset` of the stream is. */
  advance(index: number, offset: number): void {
    this.start = index;
    this.offset = offset;
    const arrivals = this.#arrivals;
    while (arrivals.length > 2 && arrivals[2]! <= offset) arrivals.splice(0, 2);
  }

  /** The last call: nothing may refer to `bytes` any more. */
  release(): void {
    const spares = SPARES[SIZES.indexOf(this.bytes.length)];
    if (spares !== undefined && spares.length < MAX_SPARES) spares.push(this.bytes);
    this.bytes = NO_BYTES;
  }

  #makeRoom(length: number): void {
    const kept = this.end - this.start;
    const target = kept + length > this.bytes.length ? take(kept + length) : this.bytes;
    target.set(this.bytes.subarray(this.start, this.end));
    if (target !== this.bytes) this.release();
    this.bytes = target;
    this.holeAt -= this.start;
    this.end = kept;
    this.start = 0;
  }
}

/** The longest chain that is followed: short records, a large one, END_REQUESTs and the header behind them. */
const LARGEST =
  CHAIN_SPAN + MAX_RECORD_LENGTH + CHAIN_HEADERS * (HEADER_LENGTH + BODY_LENGTH + MAX_PADDING_LENGTH) + HEADER_LENGTH;
/** Few steps, so that a large record is copied at most twice while it comes in. */
const SIZES: readonly number[] = [256, 4096, LARGEST];

/** As many of each size as records are likely to be in progress within one turn of the event loop. */
const MAX_SPARES = 8;
const SPARES: readonly Uint8Array[][] = SIZES.map(() => []);

/** More marks than a record comes in segments (65 806 / 1 448); the bytes behind the last of them are taken to have arrived with it. */
const MAX_ARRIVALS = 64;

function take(length: number): Uint8Array {
  let size = 0;
  while (SIZES[size]! < length) size++;
  return SPARES[size]!.pop() ?? new Uint8Array(SIZES[size]!);
}
