import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cells, createPainter, cut, fit, wrap, wrapWords } from '../../src/tui/paint.js';

describe('a row', () => {
  it('is cut to its width, and says so', () => {
    expect(cut('abcdef', 6)).toBe('abcdef');
    expect(cut('abcdef', 5)).toBe('abcd…');
    expect(cut('日本語', 5)).toBe('日本…');
    expect(cut('日本語', 6)).toBe('日本語');
    expect(cut('abc', 0)).toBe('');
  });

  it('is padded on either side', () => {
    expect(fit('ab', 4)).toBe('ab  ');
    expect(fit('ab', 4, 'right')).toBe('  ab');
    expect(fit('日本', 5)).toBe('日本 ');
  });

  it('is filled to its end where it is selected', () => {
    expect(createPainter(true).row([['ab', 'plain']], 4, 'selected')).toBe('\x1b[7mab\x1b[0m\x1b[7m  \x1b[0m');
  });

  it('has no colours where none are wanted', () => {
    const line = [
      ['error', 'error'],
      ['good', 'good'],
    ] as const;
    expect(createPainter(true).row(line, 80)).toMatch(/3[0-7]m/);
    expect(createPainter(false).row(line, 80)).not.toMatch(/3[0-7]m/);
  });

  it('holds no control character but its own, whatever went in, and never exceeds its width', () => {
    const hostile = fc.string({ unit: 'binary', maxLength: 60 });
    fc.assert(
      fc.property(hostile, hostile, fc.integer({ min: 0, max: 50 }), (one, two, width) => {
        const row = createPainter(true).row(
          [
            [one, 'error'],
            [two, 'plain'],
          ],
          width,
        );
        const text = row.replace(/\x1b\[[0-9;]*m/g, '');
        expect(text).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f]/);
        expect(cells(text)).toBeLessThanOrEqual(width);
      }),
    );
  });
});

describe('wrapping', () => {
  it('loses nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), fc.integer({ min: 2, max: 20 }), (text, width) => {
        const pieces = wrap(text, width);
        expect(wrap(pieces.join(''), 1_000).join('')).toBe(wrap(text, 1_000).join(''));
        for (const piece of pieces) expect(cells(piece)).toBeLessThanOrEqual(width);
      }),
    );
  });

  it('keeps words whole where they fit', () => {
    expect(wrapWords('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrapWords('abcdefghij kl', 5)).toEqual(['abcde', 'fghij', 'kl']);
    expect(wrapWords('', 5)).toEqual(['']);
  });
});
