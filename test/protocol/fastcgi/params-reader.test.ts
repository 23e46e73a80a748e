import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePairs, encodePairs, type Pair } from '../../../src/protocol/fastcgi/name-value.js';
import { PARAMS_KEPT, ParamsReader } from '../../../src/protocol/fastcgi/params-reader.js';
import { anyCuts } from '../../support/chunking.js';

const pairs: fc.Arbitrary<Pair[]> = fc.array(
  fc.tuple(fc.string({ maxLength: 20 }), fc.uint8Array({ maxLength: 300 })),
  { maxLength: 12 },
);

/** The stream in records cut at these places, each overwritten once it was read. */
function read(bytes: Uint8Array, cuts: readonly number[], reader = new ParamsReader()): ParamsReader {
  const places = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
  let from = 0;
  for (const to of [...places, bytes.length]) {
    const record = bytes.slice(from, to);
    reader.push(record, 1000 + from);
    record.fill(0xa5);
    from = to;
  }
  return reader;
}

describe('PARAMS', () => {
  it('say the same however they are cut into records', () => {
    fc.assert(
      fc.property(pairs, anyCuts, (list, cuts) => {
        const bytes = encodePairs(list);
        const reader = read(bytes, cuts);
        expect(reader.finish()).toBeNull();
        expect(reader.stopped).toBe(false);
        expect(reader.params).toEqual(decodePairs(bytes).params);
      }),
    );
  });

  it('may be cut at any one place', () => {
    const bytes = encodePairs([
      ['', ''],
      ['A'.repeat(128), 'b'],
      ['C', 'd'.repeat(200)],
    ]);
    const whole = decodePairs(bytes).params;
    for (let cut = 0; cut <= bytes.length; cut++) {
      const reader = read(bytes, [cut]);
      expect(reader.finish()).toBeNull();
      expect(reader.params).toEqual(whole);
    }
  });

  it('that are cut short keep the whole pairs, and say where the last begins', () => {
    const bytes = encodePairs([
      ['A', 'b'],
      ['C', 'def'],
    ]).subarray(0, 8);
    for (const cuts of [[], [2], [5], [2, 3, 6]]) {
      const reader = read(bytes, cuts);
      expect(reader.finish()).toMatchObject({ code: 'params-cut', offset: 1004, length: 4 });
      expect(reader.params).toEqual([{ name: 'A', value: 'b' }]);
      expect(reader.stopped).toBe(true);
    }
  });

  it('with an absurd length are read up to there, and not further', () => {
    const bytes = Uint8Array.of(1, 1, 65, 98, ...new Uint8Array(8).fill(0xff), 1, 1, 67, 100);
    const reader = new ParamsReader();
    expect(reader.push(bytes, 1000)).toMatchObject({ code: 'params-length-absurd', offset: 1004, length: 12 });
    expect(reader.push(bytes, 1016)).toBeNull();
    expect(reader.finish()).toBeNull();
    expect(reader.params).toEqual([{ name: 'A', value: 'b' }]);
  });

  it('with a gap keep what was whole before it: no pair is put together over it', () => {
    fc.assert(
      fc.property(pairs, fc.nat(), fc.integer({ min: 1, max: 50 }), anyCuts, (list, place, length, cuts) => {
        const bytes = encodePairs(list);
        const from = place % (bytes.length + 1);
        const reader = read(bytes.subarray(0, from), cuts);
        reader.stop();
        reader.push(bytes.slice(from + length), 1000 + from + length);
        expect(reader.finish()).toBeNull();
        expect(reader.params).toEqual(decodePairs(bytes.subarray(0, from)).params);
      }),
    );
  });

  it('are kept up to a limit', () => {
    const pair = encodePairs([['A', 'v'.repeat(65_000)]]);
    const reader = new ParamsReader();
    const troubles = Array.from({ length: 40 }, (_, i) => reader.push(pair, i * pair.length)).filter(Boolean);
    expect(troubles).toHaveLength(1);
    expect(troubles[0]).toMatchObject({ code: 'params-too-large', offset: PARAMS_KEPT });
    expect(reader.finish()).toBeNull();
    expect(reader.params).toHaveLength(Math.floor(PARAMS_KEPT / pair.length));
  });
});
