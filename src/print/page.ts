import { cells, wrapWords } from '../model/cell-text.js';
import { visibleText } from '../model/visible-text.js';
import { type Colour, paint } from './style.js';

/** What a text for reading is as wide as: more is hard to read, and a mail or a ticket takes it as it is. */
export const PAGE_WIDTH = 80;
/** Narrower, there is a word a line. */
const LEAST_WIDTH = 40;

export interface PageOptions {
  readonly color: boolean;
  /** Columns of the terminal; null, or left out, for a pipe or file. */
  readonly width?: number | null;
}

export interface Paragraph {
  readonly indent?: number;
  /** Before the first line; the others stand under what comes after it. */
  readonly mark?: string;
  readonly colour?: Colour | null;
}

/** Text in paragraphs, broken between words so that it fits; characters that are none for a terminal are made visible. */
export class Page {
  readonly #width: number;
  readonly #paint;
  #text = '';

  constructor({ color, width = null }: PageOptions) {
    this.#width = Math.max(LEAST_WIDTH, Math.min(PAGE_WIDTH, width ?? PAGE_WIDTH));
    this.#paint = paint(color);
  }

  say(text: string, { indent = 0, mark = '', colour = null }: Paragraph = {}): void {
    const room = this.#width - indent - cells(mark);
    const words = text.split(/\s+/).map((word) => visibleText(word));
    for (const [index, piece] of wrapWords(words.join(' '), room).entries()) {
      const lead = index === 0 ? mark : ' '.repeat(cells(mark));
      this.#text += `${' '.repeat(indent)}${this.#paint(colour, `${lead}${piece}`)}\n`;
    }
  }

  blank(): void {
    this.#text += '\n';
  }

  /** What was said since the last time. */
  take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }
}
