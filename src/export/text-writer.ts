import type { OutputOptions } from '../model/output.js';

/** Few large writes cost less than many small ones; this much is gathered, and no more. */
const GATHERED = 64 * 1024;

/**
 * Gathers lines and hands them on in large pieces. While the reader takes one piece the next is gathered; when that is full, too, it is
 * waited for him.
 */
export class TextWriter {
  /*
   * Invariants: the pieces of text that were not handed on are in #pieces, #length units together. #line is where the line that is being
   * written begins among them; -1 when part of it has been handed on.
   */
  #pieces: string[] = [];
  #length = 0;
  #line = 0;
  /** What was handed on last, until the reader has taken it. Its failure is told to whoever hands on next. */
  #taking: Promise<void> | null = null;

  constructor(private readonly write: OutputOptions['write']) {}

  /** A part of a line, however short; only at the end of the line it is looked whether there is enough. */
  put(text: string): void {
    this.#pieces.push(text);
    this.#length += text.length;
  }

  /** A part of a line, which may be long. */
  async add(text: string): Promise<void> {
    this.put(text);
    if (this.#length < GATHERED) return;
    this.#line = -1;
    await this.#handOn();
  }

  /** Nothing to wait for when it is only gathered. */
  endLine(): Promise<void> | undefined {
    this.put('\n');
    this.#line = this.#pieces.length;
    return this.#length >= GATHERED ? this.flush() : undefined;
  }

  /** The rest of a line, and its end. */
  addLine(text: string): Promise<void> | undefined {
    this.put(text);
    return this.endLine();
  }

  /** Gives the line up: what has been handed on of it stays a broken line of its own. */
  async abandonLine(): Promise<void> {
    const kept = this.#line >= 0 ? this.#pieces.slice(0, this.#line) : [];
    this.#pieces = kept;
    this.#length = kept.reduce((sum, { length }) => sum + length, 0);
    if (this.#line < 0) await this.endLine();
  }

  /** Hands on what was gathered. Between lines. */
  async flush(): Promise<void> {
    this.#line = 0;
    await this.#handOn();
  }

  /** Resolves when all that was handed on has been taken. */
  async taken(): Promise<void> {
    await this.#taking;
  }

  async #handOn(): Promise<void> {
    if (this.#taking !== null) await this.#taking;
    if (this.#length === 0) return;
    const text = this.#pieces.join('');
    this.#pieces = [];
    this.#length = 0;
    this.#taking = this.write(text);
    // Whoever waits for it sees its failure; until then it is nobody's.
    this.#taking.catch(() => {});
  }

  /** The inside of a JSON string. The bytes must be valid UTF-8; a byte order mark is kept. */
  async addJsonText(slices: AsyncIterable<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    for await (const slice of slices) await this.add(escaped(decoder.decode(slice, { stream: true })));
    await this.add(escaped(decoder.decode()));
  }

  async addBase64(slices: AsyncIterable<Uint8Array>): Promise<void> {
    // Three bytes make four characters: what is left over waits for the next slice.
    let rest: Uint8Array = new Uint8Array(0);
    for await (const slice of slices) {
      const bytes = rest.length === 0 ? slice : Buffer.concat([rest, slice]);
      const end = bytes.length - (bytes.length % 3);
      await this.add(base64(bytes.subarray(0, end)));
      rest = new Uint8Array(bytes.subarray(end));
    }
    await this.add(base64(rest));
  }
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

/** Whether the whole is valid UTF-8, wherever the slices are cut. */
export async function isUtf8(slices: AsyncIterable<Uint8Array>): Promise<boolean> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const slice of slices) decoder.decode(slice, { stream: true });
    decoder.decode();
    return true;
  } catch (error) {
    // Only the decoder's own complaint says something about the bytes.
    if (error instanceof TypeError) return false;
    throw error;
  }
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
