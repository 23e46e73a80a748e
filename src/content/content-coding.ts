import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';

/** A body with its Content-Encoding undone, as far as that went. */
export interface UncodedContent {
  readonly bytes: Uint8Array;
  /** The codings that were undone, the last applied first; empty when there were none. */
  readonly undone: readonly string[];
  /** True when `bytes` is the whole body without any coding. False: the input was cut off or broken, or too large, or not understood. */
  readonly complete: boolean;
  /** Why it is not complete; null when it is. */
  readonly problem: string | null;
}

/** A response of a megabyte can unpack to a gigabyte: this much is taken, whatever the input says. */
export const UNCODED_LIMIT = 16 * 1024 * 1024;
/** More codings than anybody applies: each costs a pass over the whole. */
const CODINGS_LIMIT = 5;

export type Slices = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Undoes gzip, x-gzip, deflate (with the zlib header or without) and br. Whatever could be unpacked before an error is in the answer.
 * @param contentEncoding the header's value, null when there was none
 * @param limit bytes of the answer at most
 */
export async function undoContentCoding(
  content: Slices,
  contentEncoding: string | null,
  limit = UNCODED_LIMIT,
): Promise<UncodedContent> {
  const codings = codingsOf(contentEncoding);
  const undone: string[] = [];
  const problems: string[] = [];
  let current: Slices = content;
  if (codings.length > CODINGS_LIMIT) problems.push(`${codings.length} content codings, more than are undone`);
  else {
    for (const coding of codings.reverse()) {
      const unpacked = await unpack(current, coding, limit);
      if (unpacked === null) {
        problems.push(`the content coding ${JSON.stringify(coding)} is not known`);
        break;
      }
      current = unpacked.slices;
      undone.push(coding);
      if (unpacked.problem !== null) problems.push(unpacked.problem);
    }
  }
  const { bytes, complete } = await collect(current, limit);
  if (!complete) problems.push(limitReached(limit));
  return {
    bytes,
    undone,
    complete: problems.length === 0,
    problem: problems.length === 0 ? null : problems.join('; '),
  };
}

/** The codings of a Content-Encoding value in the order in which they were applied, in lower case, without `identity`. */
export function codingsOf(contentEncoding: string | null): string[] {
  return (contentEncoding ?? '')
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity');
}

interface Unpacked {
  readonly slices: Uint8Array[];
  readonly problem: string | null;
}

/** Null when the coding is unknown. */
async function unpack(content: Slices, coding: string, limit: number): Promise<Unpacked | null> {
  if (coding === 'gzip' || coding === 'x-gzip') return run(content, coding, limit, () => createGunzip());
  if (coding === 'br') return run(content, coding, limit, () => createBrotliDecompress());
  // "deflate" means the zlib format; some senders leave its header out.
  if (coding === 'deflate') {
    return run(content, coding, limit, (head) => (hasZlibHeader(head) ? createInflate() : createInflateRaw()));
  }
  return null;
}

async function run(
  content: Slices,
  coding: string,
  limit: number,
  create: (head: Uint8Array) => Transform,
): Promise<Unpacked> {
  let unpacking: Unpacking | null = null;
  for await (const slice of content) {
    if (slice.length === 0) continue;
    unpacking ??= new Unpacking(create(slice), coding, limit);
    if (!(await unpacking.feed(slice))) break;
  }
  return unpacking === null ? { slices: [], problem: null } : unpacking.end();
}

/**
 * One decoder at work. Events rather than async iteration: iteration drops what is buffered when an error comes, and that is exactly
 * the partial output that is wanted here.
 */
class Unpacking {
  readonly #slices: Uint8Array[] = [];
  readonly #closed: Promise<void>;
  #length = 0;
  #problem: string | null = null;

  constructor(
    private readonly decoder: Transform,
    coding: string,
    limit: number,
  ) {
    decoder.on('data', (chunk: Uint8Array) => {
      const part = chunk.subarray(0, limit - this.#length);
      this.#slices.push(part);
      this.#length += part.length;
      if (part.length < chunk.length) {
        this.#problem = limitReached(limit);
        decoder.removeAllListeners('data');
        decoder.destroy();
      }
    });
    decoder.on('error', (error: NodeJS.ErrnoException) => {
      this.#problem ??= describe(coding, error, this.#length);
    });
    this.#closed = new Promise((resolve) => decoder.once('close', resolve));
  }

  /** @returns whether more is wanted */
  async feed(slice: Uint8Array): Promise<boolean> {
    if (this.decoder.destroyed) return false;
    const taken = new Promise<void>((resolve) => {
      // A copy: the decoder works in another thread, while the slice may be borrowed.
      this.decoder.write(new Uint8Array(slice), () => resolve());
    });
    await Promise.race([taken, this.#closed]);
    return !this.decoder.destroyed;
  }

  async end(): Promise<Unpacked> {
    if (!this.decoder.destroyed) this.decoder.end();
    await this.#closed;
    return { slices: this.#slices, problem: this.#problem };
  }
}

function hasZlibHeader(head: Uint8Array): boolean {
  const first = head[0]!;
  // One byte alone cannot be checked; a raw stream that begins with 0x78 is rare (RFC 1950 section 2.2).
  if (head.length < 2) return first === 0x78;
  return (first & 0x0f) === 8 && ((first << 8) | head[1]!) % 31 === 0;
}

function describe(coding: string, error: NodeJS.ErrnoException, length: number): string {
  const cutOff = error.code === 'Z_BUF_ERROR' || error.message === 'unexpected end of file';
  const what = cutOff ? `the ${coding} data is cut off` : `the ${coding} data is broken (${error.message})`;
  return `${what}: ${length} bytes could be unpacked`;
}

function limitReached(limit: number): string {
  return `only the first ${limit} bytes were taken`;
}

async function collect(content: Slices, limit: number): Promise<{ bytes: Uint8Array; complete: boolean }> {
  const parts: Uint8Array[] = [];
  let length = 0;
  let complete = true;
  for await (const slice of content) {
    complete = length + slice.length <= limit;
    parts.push(new Uint8Array(slice.subarray(0, limit - length)));
    length += parts.at(-1)!.length;
    if (!complete) break;
  }
  return { bytes: Buffer.concat(parts, length), complete };
}
