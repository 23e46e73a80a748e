import type { Param } from '../../model/exchange.js';
import { decodePairs } from './name-value.js';

/**
 * The PARAMS stream of one request. Pairs may be cut anywhere between records (specification section 3.4), but hardly ever are: all
 * known web servers send them in one record. So a record is decoded where it lies, and only when its last pair is cut is the rest
 * copied, from then on record by record, and decoded in one go at the end. What a gap follows is never read: a pair that is put
 * together from both sides of a hole would be an invention.
 */

/** Larger environments are not decoded to the end: servers stop at 32 KiB to 256 KiB a request, so a mebibyte is nobody's request. */
export const PARAMS_KEPT = 1024 * 1024;

/** Why not all of the stream could be read; `offset` is where that begins in the web server's stream of the connection. */
export interface ParamsTrouble {
  readonly code: 'params-cut' | 'params-length-absurd' | 'params-too-large';
  readonly offset: number;
  readonly length: number;
  readonly message: string;
}

export class ParamsReader {
  /** Invariants: `#held[0, #length)` is the beginning of a pair, whose first byte came at `#heldAt`; `#taken` ≤ PARAMS_KEPT. */
  readonly params: Param[] = [];
  /** A pair went on in another record. */
  split = false;
  #stopped = false;
  #held: Uint8Array | null = null;
  #length = 0;
  #heldAt = 0;
  #taken = 0;

  /** True when not all of the stream was read, or could be. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** @param bytes borrowed; not looked at once stopped @param offset of the first of them in the connection's stream */
  push(bytes: Uint8Array, offset: number): ParamsTrouble | null {
    if (this.#stopped) return null;
    const room = PARAMS_KEPT - this.#taken;
    const fitting = bytes.length > room ? bytes.subarray(0, room) : bytes;
    this.#taken += fitting.length;
    if (this.#held !== null) this.split = true;
    const trouble = this.#held === null ? this.#decode(fitting, offset) : this.#append(fitting);
    if (trouble !== null || bytes.length <= room) return trouble;
    this.#stopped = true;
    return { code: 'params-too-large', offset: offset + room, length: bytes.length - room, message: TOO_LARGE };
  }

  /** Bytes are missing from here on: only what is whole so far counts. */
  stop(): void {
    this.#stopped = true;
  }

  /** Reads what was held back. Call once, when the stream or the request has ended. */
  finish(): ParamsTrouble | null {
    if (this.#held === null) return null;
    const cutOff = this.#stopped;
    const trouble = this.#read(this.#held.subarray(0, this.#length), this.#heldAt).trouble;
    this.#held = null;
    return cutOff ? null : trouble;
  }

  /** Decodes a record in place; the pair that it cuts, if it does, is held. */
  #decode(bytes: Uint8Array, offset: number): ParamsTrouble | null {
    const { trouble, consumed } = this.#read(bytes, offset);
    if (trouble?.code !== 'params-cut') return trouble;
    this.#stopped = false;
    this.#heldAt = offset + consumed;
    return this.#append(bytes.subarray(consumed));
  }

  #read(bytes: Uint8Array, offset: number): { readonly consumed: number; readonly trouble: ParamsTrouble | null } {
    const { params } = this;
    // Mostly all of them are in one record.
    const read = params.length === 0 ? params : [];
    const { consumed, problem } = decodePairs(bytes, read);
    if (read !== params) for (const param of read) params.push(param);
    if (problem === null) return { consumed, trouble: null };
    this.#stopped = true;
    const { code, message } = problem;
    return {
      consumed,
      trouble: { code, offset: offset + problem.offset, length: bytes.length - problem.offset, message },
    };
  }

  #append(bytes: Uint8Array): null {
    const length = this.#length + bytes.length;
    let held = this.#held;
    if (held === null || held.length < length) {
      const larger = new Uint8Array(Math.max(length, (held?.length ?? 0) * 2, FIRST_HELD));
      if (held !== null) larger.set(held.subarray(0, this.#length));
      this.#held = held = larger;
    }
    held.set(bytes, this.#length);
    this.#length = length;
    return null;
  }
}

/** A cut pair is mostly a header of a few hundred bytes. */
const FIRST_HELD = 512;
const TOO_LARGE = `PARAMS is larger than ${PARAMS_KEPT} bytes; the pairs after that are not read`;
