import fc from 'fast-check';
import { expect, it } from 'vitest';
import { familiarPair, remember } from '../../../src/protocol/fastcgi/familiar-pairs.js';
import { decodePairs, encodePairs } from '../../../src/protocol/fastcgi/name-value.js';

it('knows a pair from the second time on, wherever it lies, and gives the same object', () => {
  const pair = encodePairs([['SERVER_SOFTWARE', 'nginx/1.22.1']]);
  const first = decodePairs(pair).params[0]!;
  expect(familiarPair(pair, 0, pair.length)).toBeNull();
  const second = decodePairs(pair).params[0]!;
  expect(second).toEqual(first);
  const moved = new Uint8Array(pair.length + 5);
  moved.set(pair, 3);
  expect(familiarPair(moved, 3, 3 + pair.length)).toBe(second);
  expect(decodePairs(pair).params[0]).toBe(second);
});

it('does not remember long ones', () => {
  const pair = encodePairs([['LONG', 'x'.repeat(300)]]);
  for (let i = 0; i < 3; i += 1) remember(pair, 0, pair.length, { name: 'LONG', value: '' });
  expect(familiarPair(pair, 0, pair.length)).toBeNull();
});

it('never takes one pair for another, whatever was met before', () => {
  // Few letters, so that many pairs share their place, and lengths on both sides of the long form.
  const part = fc.oneof(
    fc.string({ maxLength: 3, unit: fc.constantFrom('a', 'b', 'ü') }),
    fc.integer({ min: 120, max: 135 }).map((length) => 'y'.repeat(length)),
  );
  const pairs = fc.array(fc.tuple(part, part), { maxLength: 20 });
  fc.assert(
    fc.property(fc.array(pairs, { maxLength: 20 }), (requests) => {
      for (const request of [...requests, ...requests])
        expect(decodePairs(encodePairs(request)).params.map(({ name, value }) => [name, value])).toEqual(request);
    }),
  );
});
