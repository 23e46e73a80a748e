import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/model/bytes.js';
import { ABSURD_LENGTH, decodePairs, encodePairs, type Pair } from '../../../src/protocol/fastcgi/name-value.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const read = (bytes: Uint8Array): [string, string][] =>
  decodePairs(bytes).params.map(({ name, value }) => [name, value]);

describe('decodePairs', () => {
  it('reads lengths of one byte and of four, the long form also where the short one would do', () => {
    const long = 'x'.repeat(128);
    const bytes = concatBytes([
      Uint8Array.of(1, 2),
      text('abc'),
      Uint8Array.of(0x80, 0, 0, 1, 0x80, 0, 0, 1),
      text('de'),
      Uint8Array.of(1, 0x80, 0, 0, 128),
      text(`n${long}`),
      Uint8Array.of(0x80, 0, 0, 128, 0),
      text(long),
    ]);
    expect(read(bytes)).toEqual([
      ['a', 'bc'],
      ['d', 'e'],
      ['n', long],
      [long, ''],
    ]);
    expect(decodePairs(bytes)).toMatchObject({ complete: true, consumed: bytes.length, problem: null });
  });

  it('reads empty names and values, newlines, duplicates in their order', () => {
    const pairs: Pair[] = [
      ['', ''],
      ['A', '1'],
      ['', 'nameless'],
      ['A', '2'],
      ['B', 'two\nlines'],
      ['A', '1'],
    ];
    expect(read(encodePairs(pairs))).toEqual(pairs);
  });

  it('of no bytes is no pair, and complete', () => {
    expect(decodePairs(new Uint8Array(0))).toEqual({ params: [], complete: true, consumed: 0, problem: null });
  });

  it('keeps the exact value where name or value is not UTF-8, and only there', () => {
    const value = Uint8Array.of(0x61, 0xff, 0x62);
    expect(decodePairs(encodePairs([['A', value]])).params).toEqual([{ name: 'A', value: 'a\ufffdb', bytes: value }]);
    expect(decodePairs(encodePairs([[value, 'ok']])).params).toEqual([
      { name: 'a\ufffdb', value: 'ok', bytes: text('ok') },
    ]);
    const fine = ['grüße', '\ufffd', '\ufeffx', 'ÿ', '𝄞'];
    expect(decodePairs(encodePairs(fine.map((part): Pair => [part, part]))).params).toEqual(
      fine.map((part) => ({ name: part, value: part })),
    );
    // A surrogate, an overlong form, a sequence cut short: not UTF-8, each read as something.
    for (const wrong of [
      [0xed, 0xa0, 0x80],
      [0xc0, 0x80],
      [0xe2, 0x82],
    ]) {
      const bytes = Uint8Array.from(wrong);
      expect(decodePairs(encodePairs([['A', bytes]])).params[0]!.bytes).toEqual(bytes);
    }
  });

  it('keeps strings apart that look alike, whichever was met first', () => {
    const values = [text('ÿ'), Uint8Array.of(0xff), text('\ufffd'), Uint8Array.of(0xff), text('ÿ')];
    const params = decodePairs(encodePairs(values.map((value): Pair => ['X', value]))).params;
    expect(params.map(({ value, bytes }) => [value, bytes !== undefined])).toEqual([
      ['ÿ', false],
      ['\ufffd', true],
      ['\ufffd', false],
      ['\ufffd', true],
      ['ÿ', false],
    ]);
  });

  it('tells where the pairs are cut, in every place', () => {
    const whole = encodePairs([['FIRST', '1']]);
    const last = encodePairs([['SECOND', 'v'.repeat(200)]]);
    const bytes = concatBytes([whole, last]);
    for (let cut = whole.length + 1; cut < bytes.length; cut++) {
      const result = decodePairs(bytes.subarray(0, cut));
      expect(result).toMatchObject({
        params: [{ name: 'FIRST', value: '1' }],
        complete: false,
        consumed: whole.length,
        problem: { code: 'params-cut', offset: whole.length },
      });
    }
    expect(decodePairs(bytes.subarray(0, whole.length)).complete).toBe(true);
    expect(decodePairs(bytes.subarray(0, whole.length + 20)).problem?.message).toBe(
      'name-value pair 2 announces a name of 6 and a value of 200 bytes, but 20 bytes are left from its beginning',
    );
  });

  it('tells lengths that cannot be meant from those that were cut', () => {
    expect(decodePairs(new Uint8Array(8).fill(0xff)).problem).toMatchObject({
      code: 'params-length-absurd',
      offset: 0,
      message: expect.stringContaining('a name of 2147483647 and a value of 2147483647 bytes'),
    });
    expect(decodePairs(new Uint8Array(100).fill(0xff)).params).toEqual([]);
    const announcing = (length: number): Uint8Array =>
      Uint8Array.of(1, 0x80 | (length >> 24), (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff, 0x41);
    expect(decodePairs(announcing(ABSURD_LENGTH)).problem?.code).toBe('params-cut');
    expect(decodePairs(announcing(ABSURD_LENGTH + 1)).problem?.code).toBe('params-length-absurd');
  });

  it('keeps nothing of the bytes', () => {
    const value = Uint8Array.of(0xfe, 0xff);
    const bytes = encodePairs([
      ['SOME_NAME', 'some value'],
      ['EXACT', value],
    ]);
    const { params } = decodePairs(bytes);
    bytes.fill(0x5a);
    expect(params[0]).toEqual({ name: 'SOME_NAME', value: 'some value' });
    expect(params[1]!.bytes).toEqual(value);
  });
});

describe('properties', () => {
  const anyPart = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('QUERY_STRING', 'REQUEST_METHOD', 'x'.repeat(127), 'x'.repeat(128), 'ü'.repeat(100)),
  );
  const anyPairs = fc.array(fc.tuple(anyPart, anyPart), { maxLength: 30 });

  it('decodes what was encoded', () => {
    fc.assert(
      fc.property(anyPairs, (pairs) => {
        const bytes = encodePairs(pairs);
        expect(decodePairs(bytes)).toEqual({
          params: pairs.map(([name, value]) => ({ name, value })),
          complete: true,
          consumed: bytes.length,
          problem: null,
        });
      }),
    );
  });

  it('gives exact values of any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.uint8Array(), fc.uint8Array())), (pairs) => {
        const { params } = decodePairs(encodePairs(pairs));
        expect(params.map(({ value, bytes }) => bytes ?? text(value))).toEqual(pairs.map(([, value]) => value));
      }),
    );
  });

  it('never throws, and what is not consumed is explained', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const { params, complete, consumed, problem } = decodePairs(bytes);
        expect(complete).toBe(consumed === bytes.length);
        expect(problem === null).toBe(complete);
        expect(problem?.offset ?? consumed).toBe(consumed);
        expect(decodePairs(bytes.subarray(0, consumed)).params).toEqual(params);
      }),
    );
  });
});
