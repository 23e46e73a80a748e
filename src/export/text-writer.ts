import type { OutputOptions } from '../model/output.js';

/** Few large writes cost less than many small ones; this much is gathered, and no more. */
const GATHERED = 64 * 1024;

/** Gathers text and hands it on in large pieces, waiting for the reader each time. */
export class TextWriter {
  #text = '';
  /** Part of the line has been handed on. */
  #begun = false;

  constructor(private readonly write: OutputOptions['write']) {}

  async add(text: string): Promise<void> {
    this.#text += text;
    if (this.#text.length >= GATHERED) await this.#flush();
  }

  /** Ends the line and hands it on. */
  async endLine(): Promise<void> {
    this.#text += '\n';
    await this.#flush();
    this.#begun = false;
  }

  /** Gives the line up: what has been handed on of it stays a broken line of its own. */
  async abandonLine(): Promise<void> {
    this.#text = '';
    if (this.#begun) await this.endLine();
  }

  async #flush(): Promise<void> {
    const text = this.#text;
    this.#text = '';
    this.#begun = true;
    await this.write(text);
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
