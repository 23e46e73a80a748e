import fc from 'fast-check';
import { expect, it } from 'vitest';
import { millisecondsText, type Pair, PairTexts, quoted, secondsText } from '../../src/export/json-text.js';
import { TextWriter } from '../../src/export/text-writer.js';
import { MICROSECONDS_PER_SECOND, milliseconds } from '../../src/model/time.js';

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({
    unit: fc.constantFrom('a', '"', '\\', '\n', '\u007f', '\ud800', '\u2028', 'ü', ' ', '!', '#', '[', ']'),
  }),
);

it('quotes as JSON.stringify does', () => {
  fc.assert(fc.property(anyText, (text) => quoted(text) === JSON.stringify(text)));
});

async function written(texts: PairTexts, pairs: readonly Pair[]): Promise<string> {
  let text = '';
  const writer = new TextWriter(async (chunk) => {
    text += chunk;
  });
  texts.put(pairs, writer);
  await writer.flush();
  return text;
}

it('writes pairs as JSON does, whatever was written before and in whatever order they come', async () => {
  const shown = (name: string, value: string) => (name.startsWith('a') && value !== '' ? 'hidden' : value);
  const pair = fc.record({ name: fc.oneof(anyText, fc.constantFrom('A', 'B')), value: anyText });
  const requests = fc.array(pair, { minLength: 1, maxLength: 8 }).chain((known) => {
    // Stretches of the same objects in their order, and others between them.
    const stretch = fc
      .tuple(fc.nat(known.length - 1), fc.nat(known.length))
      .map(([from, length]) => known.slice(from, from + length));
    const some = fc.oneof({ weight: 3, arbitrary: stretch }, { weight: 1, arbitrary: pair.map((one) => [one]) });
    return fc.array(
      fc.array(some, { maxLength: 4 }).map((parts) => parts.flat()),
      { maxLength: 20 },
    );
  });
  await fc.assert(
    fc.asyncProperty(requests, async (all) => {
      const texts = new PairTexts(shown);
      for (const pairs of all) {
        const expected = JSON.stringify(pairs.map(({ name, value }) => [name, shown(name, value)]));
        expect(await written(texts, pairs)).toBe(expected);
      }
    }),
    { numRuns: 500 },
  );
});

it('writes times as JSON writes the numbers', () => {
  const stamp = fc.oneof(
    fc.nat(3_000_000),
    fc.integer({ min: 1_700_000_000_000_000, max: 6_000_000_000_000_000 }),
    fc.integer({ min: 1_700_000_000, max: 1_900_000_000 }).map((second) => second * MICROSECONDS_PER_SECOND),
    fc.double({ noNaN: true, min: -2, max: 2 ** 60 }),
  );
  fc.assert(
    fc.property(stamp, fc.option(stamp), (earlier, later) => {
      expect(secondsText(earlier)).toBe(JSON.stringify(Math.round(earlier) / MICROSECONDS_PER_SECOND));
      expect(millisecondsText(earlier, later)).toBe(JSON.stringify(milliseconds(earlier, later)));
    }),
    { numRuns: 2_000 },
  );
});

it('gives exact bytes where there are any, unless the value is hidden', async () => {
  const texts = new PairTexts((name, value) => (name === 'SECRET' ? 'hidden' : value));
  const bytes = Uint8Array.of(0xff);
  const pairs = [
    { name: 'A', value: '\ufffd' },
    { name: 'A', value: '\ufffd', bytes },
    { name: 'SECRET', value: '\ufffd', bytes },
  ];
  for (let i = 0; i < 3; i += 1)
    expect(await written(texts, pairs)).toBe('[["A","\ufffd"],["A",{"base64":"/w=="}],["SECRET","hidden"]]');
});

it('forgets names and pairs when there are too many, and goes on', async () => {
  const texts = new PairTexts((_name, value) => value);
  for (let i = 0; i < 6_000; i += 1) {
    const pair = { name: `N${i}`, value: 'v' };
    for (let k = 0; k < 3; k += 1) expect(await written(texts, [pair])).toBe(`[["N${i}","v"]]`);
  }
});
