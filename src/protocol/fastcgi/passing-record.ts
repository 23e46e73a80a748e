import { u16 } from '../../model/bytes.js';
import type { Timestamp } from '../../model/time.js';
import { HEADER_LENGTH } from './constants.js';
import { recordLength } from './framing.js';

/**
 * A record of which all that anybody will look at has arrived: its header and, of a body, nothing or the head. The rest is counted as it
 * passes and not held, which is most of what passes: bodies come in records of up to 65 535 bytes, and those in segments of 1 448.
 */
export class PassingRecord {
  /** Invariants: what was seen or missed ends at `#seen` of `#length` bytes; no bytes are missing while `#missedTo` is 0. */
  readonly bytes: Uint8Array;
  #seen: number;
  readonly #length: number;
  #missedFrom = 0;
  #missedTo = 0;

  /**
   * @param bytes where the record begins at `from`; bytes[from, to) have arrived, the header among them, and not all of it has
   * @param wanted how much of the content is kept; it has arrived
   * @param offset where in the stream it begins
   * @param at when its first byte arrived
   */
  constructor(
    bytes: Uint8Array,
    from: number,
    to: number,
    wanted: number,
    readonly offset: number,
    readonly at: Timestamp,
  ) {
    this.bytes = new Uint8Array(HEADER_LENGTH + wanted);
    for (let i = 0; i < this.bytes.length; i += 1) this.bytes[i] = bytes[from + i]!;
    this.#seen = to - from;
    this.#length = recordLength(bytes, from);
  }

  /** How much of it was seen or missed. */
  get span(): number {
    return this.#seen;
  }

  /** How much of it is still to come. */
  get rest(): number {
    return this.#length - this.#seen;
  }

  /** The next bytes have arrived. */
  see(length: number): void {
    this.#seen += length;
  }

  /** The next bytes are missing. What was seen since an earlier gap goes into it. */
  miss(length: number): void {
    if (this.#missedTo === 0) this.#missedFrom = this.#seen;
    this.#seen += length;
    this.#missedTo = this.#seen;
  }

  /** Where in the content the missing bytes begin: its length when none are missing. */
  get missingFrom(): number {
    const { contentLength } = this;
    return this.#missedTo === 0 ? contentLength : Math.min(contentLength, this.#missedFrom - HEADER_LENGTH);
  }

  /** How many bytes of the content are missing. */
  get missing(): number {
    return Math.min(this.#missedTo - this.#missedFrom, this.contentLength - this.missingFrom);
  }

  private get contentLength(): number {
    return u16(this.bytes, 4);
  }
}
