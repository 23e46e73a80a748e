import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FamiliarBytes } from '../../../src/protocol/fastcgi/familiar-bytes.js';
import { decodePairs, encodePairs } from '../../../src/protocol/fastcgi/name-value.js';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

it('knows what it was told twice, wherever it lies', () => {
  const familiar = new FamiliarBytes<string>();
  const bytes = utf8('..Cache-Control: no-store..');
  familiar.remember(bytes, 2, 25, 'once');
  expect(familiar.find(bytes, 2, 25)).toBeNull();
  familiar.remember(bytes, 2, 25, 'twice');
  expect(familiar.find(bytes, 2, 25)).toBe('twice');
  expect(familiar.find(utf8('Cache-Control: no-store'), 0, 23)).toBe('twice');
  expect(familiar.find(bytes, 2, 24)).toBeNull();
});

it('remembers neither long nor short ones', () => {
  for (const length of [1, 2, 257, 300]) {
    const familiar = new FamiliarBytes<number>();
    const bytes = new Uint8Array(length);
    for (let i = 0; i < 3; i += 1) familiar.remember(bytes, 0, length, i);
    expect(familiar.find(bytes, 0, length)).toBeNull();
  }
});

it('gives pairs that were sent before as one object', () => {
  const pair = encodePairs([['SERVER_SOFTWARE', 'nginx/1.22.1']]);
  const [first, second, third] = [1, 2, 3].map(() => decodePairs(pair).params[0]!);
  expect(second).toEqual(first);
  expect(third).toBe(second);
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
