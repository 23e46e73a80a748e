import { describe, expect, it } from 'vitest';
import { Tally } from '../../src/print/tally.js';

describe('Tally', () => {
  it('has the most frequent first, and of equal ones those that came first', () => {
    const tally = new Tally();
    for (const text of ['b', 'a', 'c', 'a', 'c', 'a']) tally.add(text);
    expect(tally.top(2)).toEqual([
      ['a', 3],
      ['c', 2],
    ]);
    tally.add('d');
    expect(tally.top(9).map(([text]) => text)).toEqual(['a', 'c', 'b', 'd']);
  });

  it('is bounded, and keeps what is frequent among any number of rare ones', () => {
    const tally = new Tally();
    for (let i = 0; i < 50_000; i++) {
      tally.add(`rare ${i}`);
      if (i % 50 === 0) tally.add('frequent');
      expect(tally.size).toBeLessThanOrEqual(1_000);
    }
    expect(tally.top(1)).toEqual([['frequent', 1_000]]);
  });
});
