/**
 * The renderer lays out cells: it cuts every row into characters and puts them together again, 10 to 20 ms for a screen, and remembers
 * every text that it ever measured. Our rows are painted and cut to their width already. So the renderer gets one character for each
 * row, a number in a private-use plane, lays out those, and the frame that it gives back has them replaced by the rows.
 */
export class RowSheet {
  // The rows of the frame that is being rendered, in the order in which they were asked for; empty between frames.
  private rows: string[] = [];

  /** The character that stands for the row until the frame is there. */
  mark(row: string): string {
    return String.fromCodePoint(FIRST + this.rows.push(row) - 1);
  }

  /** The frame with its rows in place. What a row contains is never looked into: it may hold any character. */
  fill(frame: string): string {
    const { rows } = this;
    this.rows = [];
    return frame
      .split('\n')
      .map((line) => Array.from(line, (character) => rows[character.codePointAt(0)! - FIRST] ?? '').join(''))
      .join('\n');
  }
}

/** Supplementary Private Use Area-A: one cell wide, and 65 533 of them. */
const FIRST = 0xf0000;

/** As wide as the renderer's screen has to be: a row of the terminal holds no more marks beside one another. */
export const MARKS_PER_ROW = 4;
