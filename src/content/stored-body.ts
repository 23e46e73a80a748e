import type { StreamName } from '../model/exchange.js';
import { BODY_PER_READ, type Inspection } from '../model/inspection.js';

/** How much is asked for at once: enough to make the questions few, little enough to be held many times over. */
const SLICE = Math.min(256 * 1024, BODY_PER_READ);

/**
 * One stream's stored bytes, pulled in slices: memory does not depend on the stream's length. Bytes that were never seen or recorded
 * are left out, not made up; `missing` counts them as far as the reading has come. One reading per object.
 */
export class StoredBody implements AsyncIterable<Uint8Array> {
  #read = 0;
  #missing = 0;
  #firstGap: number | null = null;

  /** @param from where in the stream to begin; @param end where to stop, at the latest */
  constructor(
    private readonly inspection: Inspection,
    private readonly n: number,
    private readonly stream: StreamName,
    private readonly from = 0,
    private readonly end = Number.POSITIVE_INFINITY,
  ) {}

  /** Bytes given out so far. */
  get read(): number {
    return this.#read;
  }

  /** Bytes of the part read so far that are not there. */
  get missing(): number {
    return this.#missing;
  }

  /** Where in the stream the first of them would stand; null when none is missing. */
  get firstGap(): number | null {
    return this.#firstGap;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    let at = this.from;
    while (at < this.end) {
      const range = await this.inspection.body(this.n, this.stream, at, Math.min(SLICE, this.end - at));
      if (range.bytes.length === 0) return;
      let seen = 0;
      for (const [from, to] of range.gaps) {
        yield* this.#give(range.bytes.subarray(seen, from - at));
        seen = to - at;
        this.#missing += to - from;
        this.#firstGap ??= from;
      }
      yield* this.#give(range.bytes.subarray(seen));
      at += range.bytes.length;
    }
  }

  *#give(bytes: Uint8Array): Generator<Uint8Array> {
    if (bytes.length === 0) return;
    this.#read += bytes.length;
    yield bytes;
  }
}
