import { describe, expect, it } from 'vitest';
import { RowSheet } from '../../src/tui/row-sheet.js';

describe('RowSheet', () => {
  it('puts the rows where their marks are, beside one another and below', () => {
    const sheet = new RowSheet();
    const [a, b, c] = [sheet.mark('left '), sheet.mark('│'), sheet.mark('\x1b[1mright\x1b[0m')];
    expect(sheet.fill(`${a}${b}${c}\n\n${a}`)).toBe('left │\x1b[1mright\x1b[0m\n\nleft ');
  });

  it('does not look into a row: one that holds a mark shows it', () => {
    const sheet = new RowSheet();
    const other = sheet.mark('other');
    expect(sheet.fill(sheet.mark(`captured ${other}`))).toBe(`captured ${other}`);
  });

  it('begins each frame anew', () => {
    const sheet = new RowSheet();
    const first = sheet.mark('one');
    sheet.fill(first);
    expect(sheet.mark('two')).toBe(first);
    expect(sheet.fill(first)).toBe('two');
  });
});
