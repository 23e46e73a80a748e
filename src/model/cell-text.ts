import stringWidth from 'string-width';
import { visibleText } from './visible-text.js';

/**
 * Text measured in the cells of a terminal: cut, padded, and broken into lines. Whatever control character is still in it is made visible
 * on the way, since it would move what stands behind it.
 */

/**
 * How many cells a text takes in a row. Each code point is taken by itself, as terminals do, and for at least one cell: thousands of
 * combining marks must not pass for one character.
 */
export function cells(text: string): number {
  if (isPlain(text)) return text.length;
  let total = 0;
  for (const point of text) total += pointCells(point);
  return total;
}

/** The text, cut to `width` cells; what was cut off is told by `…`. Control characters are made visible first. */
export function cut(text: string, width: number): string {
  const safe = isPlain(text) ? text : visibleText(text);
  if (isPlain(safe))
    return safe.length <= width ? safe : `${safe.slice(0, Math.max(0, width - 1))}${width > 0 ? '…' : ''}`;
  let total = 0;
  let kept = '';
  for (const point of safe) {
    const wide = pointCells(point);
    if (total + wide > width - 1) {
      // The rest may still fit whole: then nothing is cut.
      const rest = safe.slice(kept.length);
      if (total + cells(rest) <= width) return safe;
      return width > 0 ? `${kept}…` : '';
    }
    total += wide;
    kept += point;
  }
  return kept;
}

/** Cut or padded with spaces to exactly `width` cells. */
export function fit(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const piece = cut(text, width);
  const space = ' '.repeat(Math.max(0, width - cells(piece)));
  return align === 'left' ? piece + space : space + piece;
}

/** The text in pieces of at most `width` cells; one empty piece for an empty text. */
export function wrap(text: string, width: number): string[] {
  const safe = isPlain(text) ? text : visibleText(text);
  const pieces: string[] = [];
  const room = Math.max(2, width);
  if (isPlain(safe)) {
    for (let at = 0; at < safe.length; at += room) pieces.push(safe.slice(at, at + room));
  } else {
    let piece = '';
    let total = 0;
    for (const point of safe) {
      const wide = pointCells(point);
      if (total + wide > room) {
        pieces.push(piece);
        piece = '';
        total = 0;
      }
      piece += point;
      total += wide;
    }
    if (piece !== '') pieces.push(piece);
  }
  return pieces.length === 0 ? [''] : pieces;
}

/** Words kept whole where they fit: for what we say ourselves. */
export function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && cells(line) + 1 + cells(word) <= width) line += ` ${word}`;
    else {
      if (line !== '') lines.push(line);
      const pieces = wrap(word, width);
      lines.push(...pieces.slice(0, -1));
      line = pieces.at(-1)!;
    }
  }
  lines.push(line);
  return lines;
}

function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

/** Width by code point, 0 where it has not been asked for yet: a megabyte of text asks a million times for a few hundred of them. */
const widths = new Uint8Array(0x20000);

function pointCells(point: string): number {
  const code = point.codePointAt(0)!;
  if (code < 0x7f) return 1;
  const known = widths[code];
  if (known !== undefined && known > 0) return known;
  const width = Math.max(1, stringWidth(point));
  if (code < widths.length) widths[code] = width;
  return width;
}
