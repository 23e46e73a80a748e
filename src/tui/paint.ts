import { cells, cut } from '../model/cell-text.js';

export { cells, cut, fit, wrap, wrapWords } from '../model/cell-text.js';

/**
 * From styled pieces to one terminal row: cut to the width in cells, padded where asked, and coloured. The only place that writes
 * escape sequences into a row, and the last that captured text passes: whatever control character is still in it is made visible here.
 */

export type Style =
  | 'plain'
  | 'dim'
  | 'bold'
  | 'title'
  | 'key'
  | 'good'
  | 'redirect'
  | 'warning'
  | 'error'
  | 'note'
  | 'request'
  | 'answer'
  | 'name'
  | 'selected'
  | 'selected-away';

/** A piece of a row. */
export type Span = readonly [text: string, style: Style];
export type Line = readonly Span[];

/** Select Graphic Rendition parameters. Without colours the attributes stay: they are no colour, and the selection must be seen. */
const COLOURED: Readonly<Record<Style, string>> = {
  plain: '',
  dim: '2',
  bold: '1',
  title: '1;36',
  key: '1',
  good: '32',
  redirect: '36',
  warning: '33',
  error: '1;31',
  note: '34',
  request: '36',
  answer: '32',
  name: '36',
  selected: '7',
  'selected-away': '1;4',
};
const COLOURLESS: Readonly<Record<Style, string>> = {
  ...COLOURED,
  title: '1',
  good: '',
  redirect: '',
  warning: '1',
  error: '1',
  note: '',
  request: '',
  answer: '',
  name: '',
};

export interface Painter {
  /** One row of exactly `width` cells. `over` is laid over all of it (the selection). */
  row(line: Line, width: number, over?: Style): string;
}

export function createPainter(colours: boolean): Painter {
  const codes = colours ? COLOURED : COLOURLESS;
  return {
    row(line, width, over) {
      let left = width;
      let row = '';
      for (const [text, style] of line) {
        if (left <= 0) break;
        const piece = cut(text, left);
        left -= cells(piece);
        row += sgr(piece, over === undefined ? codes[style] : join(codes[style], codes[over]));
      }
      const rest = ' '.repeat(Math.max(0, left));
      return row + (over === undefined ? rest : sgr(rest, codes[over]));
    },
  };
}

function join(one: string, two: string): string {
  return one === '' ? two : two === '' ? one : `${one};${two}`;
}

function sgr(text: string, codes: string): string {
  return codes === '' || text === '' ? text : `\x1b[${codes}m${text}\x1b[0m`;
}
