import type { OutputOptions } from '../model/output.js';

/** Few large writes cost less than many small ones; this much is gathered, and no more. */
const GATHERED = 64 * 1024;

/** Gathers lines and hands them on in large pieces, waiting for the reader each time. */
export class TextWriter {
  #text = '';
  /** Where the line that is being written begins in the text; -1 when part of it has been handed on. */
  #line = 0;

  constructor(private readonly write: OutputOptions['write']) {}

  /** A part of a line. */
  async add(text: string): Promise<void> {
    this.#text += text;
    if (this.#text.length < GATHERED) return;
    this.#line = -1;
    await this.#handOn();
  }

  endLine(): Promise<void> | undefined {
    return this.addLine('');
  }

  /** The rest of a line, and its end. Nothing to wait for when it is only gathered. */
  addLine(text: string): Promise<void> | undefined {
    this.#text += `${text}\n`;
    this.#line = this.#text.length;
    return this.#text.length >= GATHERED ? this.flush() : undefined;
  }

  /** Gives the line up: what has been handed on of it stays a broken line of its own. */
  async abandonLine(): Promise<void> {
    if (this.#line >= 0) this.#text = this.#text.slice(0, this.#line);
    else {
      this.#text = '';
      await this.endLine();
    }
  }

  /** Hands on what was gathered. Between lines. */
  async flush(): Promise<void> {
    this.#line = 0;
    await this.#handOn();
  }

  async #handOn(): Promise<void> {
    const text = this.#text;
    this.#text = '';
    if (text !== '') await this.write(text);
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
