import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PairTexts, quoted } from '../../src/export/json-text.js';

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({
    unit: fc.constantFrom('a', '"', '\\', '\n', '\u007f', '\ud800', '\u2028', 'ü', ' ', '!', '#', '[', ']'),
  }),
);

it('quotes as JSON.stringify does', () => {
  fc.assert(fc.property(anyText, (text) => quoted(text) === JSON.stringify(text)));
});

it('gives the same text for a pair, however often and after whatever it is asked for', () => {
  const shown = (name: string, value: string) => (name.startsWith('a') && value !== '' ? 'hidden' : value);
  const pair = fc.record({ name: anyText, value: fc.oneof(anyText, fc.constant('x'.repeat(300))) });
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 40 }), (pairs) => {
      const texts = new PairTexts(shown);
      for (const { name, value } of [...pairs, ...pairs, ...pairs.toReversed()])
        expect(texts.text({ name, value })).toBe(JSON.stringify([name, shown(name, value)]));
    }),
  );
});

it('gives exact bytes where there are any, unless the value is hidden', () => {
  const texts = new PairTexts((name, value) => (name === 'SECRET' ? 'hidden' : value));
  const bytes = Uint8Array.of(0xff);
  texts.text({ name: 'A', value: '\ufffd' });
  expect(texts.text({ name: 'A', value: '\ufffd', bytes })).toBe('["A",{"base64":"/w=="}]');
  expect(texts.text({ name: 'A', value: '\ufffd' })).toBe('["A","\ufffd"]');
  expect(texts.text({ name: 'SECRET', value: '\ufffd', bytes })).toBe('["SECRET","hidden"]');
});

it('forgets names when there are too many, and goes on', () => {
  const texts = new PairTexts((_name, value) => value);
  for (let i = 0; i < 3_000; i += 1) expect(texts.text({ name: `N${i}`, value: 'v' })).toBe(`["N${i}","v"]`);
});
