import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/model/bytes.js';
import { RecordDecoder } from '../../../src/protocol/fastcgi/decoder.js';
import { encodeRecord, type RecordFields } from '../../../src/protocol/fastcgi/encoder.js';
import { anyCuts } from '../../support/chunking.js';
import { type Decoded, decode, type Piece, problems, ranges, recorder, records } from './decoding.js';

const anySide = fc.constantFrom('client' as const, 'server' as const);
const anyContent = fc.oneof(
  { weight: 12, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 3_000 }).map((length) => new Uint8Array(length).fill(0x41)) },
);

/** Whatever version 1 allows: any type, any id, any content and padding. */
const anyRecord: fc.Arbitrary<RecordFields> = fc.record({
  type: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 11 }) }, fc.integer({ min: 0, max: 255 })),
  requestId: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 0xffff })),
  content: anyContent,
  padding: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 })),
});
const anyRecords = fc.array(anyRecord, { maxLength: 8 });

/** What a web server that keeps to the specification sends, with content that cannot be taken for a header. */
const soundRecord: fc.Arbitrary<RecordFields> = fc
  .record({
    type: fc.constantFrom(1, 2, 4, 5, 8, 9),
    length: fc.integer({ min: 0, max: 200 }),
    padding: fc.integer({ min: 0, max: 8 }),
    id: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ type, length, padding, id }) => ({
    type,
    requestId: type === 9 ? 0 : id,
    content:
      type === 1
        ? Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 0)
        : type === 2
          ? new Uint8Array(0)
          : new Uint8Array(length).fill(0x61),
    padding,
  }));

const encodeAll = (fields: readonly RecordFields[]): Uint8Array => concatBytes(fields.map(encodeRecord));

const STREAM_TYPE: Record<string, number> = { params: 4, stdin: 5, stdout: 6, stderr: 7, data: 8 };
const MANAGEMENT_TYPE: Record<string, number> = { 'get-values': 9, 'get-values-result': 10, 'unknown-type': 11 };

function typeOf(event: Exclude<Decoded, { kind: 'problem' }>): number {
  switch (event.kind) {
    case 'begin-request':
      return 1;
    case 'abort-request':
      return 2;
    case 'end-request':
      return 3;
    case 'stream':
      return STREAM_TYPE[event.stream]!;
    case 'management':
      return MANAGEMENT_TYPE[event.type]!;
    case 'unrecognised':
      return event.type;
  }
}

function fieldsOf(events: readonly Decoded[]): RecordFields[] {
  return records(events).map((event) => ({
    type: typeOf(event),
    requestId: event.requestId,
    content: event.bytes,
    padding: event.paddingLength,
  }));
}

/** Bytes with a chance of meaning something: valid records, pieces of them, gaps, and what else comes over a wire. */
const anyPieces: fc.Arbitrary<Piece[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: anyRecords.map(encodeAll) },
    { weight: 2, arbitrary: fc.array(soundRecord, { maxLength: 6 }).map(encodeAll) },
    { weight: 3, arbitrary: fc.uint8Array({ maxLength: 60 }) },
    {
      weight: 2,
      arbitrary: fc.array(fc.constantFrom(0, 1, 4, 5, 6, 8), { maxLength: 60 }).map((bytes) => Uint8Array.from(bytes)),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(anyRecords, fc.nat(400), fc.nat(400))
        .map(([fields, from, length]) => encodeAll(fields).slice(from, from + length)),
    },
    { weight: 3, arbitrary: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 100_000 })) },
  ),
  { maxLength: 8 },
);
const lengthOf = (pieces: readonly Piece[]): number =>
  pieces.reduce<number>((sum, piece) => sum + (typeof piece === 'number' ? piece : piece.length), 0);

function expectAccounted(events: readonly Decoded[], length: number): void {
  let at = 0;
  for (const [from, to] of ranges(events, length)) {
    expect(from).toBe(at);
    expect(to).toBeGreaterThan(from);
    at = to;
  }
  expect(at).toBe(length);
}

// Each run decodes in six chunkings; these many are enough to find every fault that was put in on purpose, in a second or two.
const RUNS = { numRuns: 150 };

describe('properties', () => {
  it('decodes what was encoded', () => {
    fc.assert(
      fc.property(anyRecords, anySide, anyCuts, (fields, side, cuts) => {
        const events = decode(encodeAll(fields), { side }, cuts);
        expect(fieldsOf(events)).toEqual(fields);
        expect(problems(events).filter((problem) => !problem.endsWith('remark'))).toEqual([]);
      }),
      RUNS,
    );
  });

  it('accounts for every offset exactly once, whatever comes, gaps and all', () => {
    fc.assert(
      fc.property(anyPieces, anySide, fc.boolean(), anyCuts, (pieces, side, midstream, cuts) => {
        expectAccounted(decode(pieces, { side, midstream }, cuts), lengthOf(pieces));
      }),
      { numRuns: 300 },
    );
  });

  it('accounts for every offset of valid streams with single bytes changed, added and taken away', () => {
    const damage = fc.array(fc.tuple(fc.constantFrom('change', 'add', 'remove'), fc.nat(2_000), fc.nat(255)), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(fc.array(soundRecord, { minLength: 1, maxLength: 8 }), damage, anyCuts, (fields, damage, cuts) => {
        const bytes = Array.from(encodeAll(fields));
        for (const [what, where, value] of damage) {
          const at = where % bytes.length;
          if (what === 'change') bytes[at] = value;
          else bytes.splice(at, what === 'add' ? 0 : 1, ...(what === 'add' ? [value] : []));
          if (bytes.length === 0) bytes.push(value);
        }
        expectAccounted(decode(Uint8Array.from(bytes), {}, cuts), bytes.length);
      }),
      RUNS,
    );
  });

  it('passes over garbage between records and loses no record', () => {
    const garbage = fc
      .array(fc.integer({ min: 0x20, max: 0x7e }), { minLength: 1, maxLength: 100 })
      .map((bytes) => Uint8Array.from(bytes));
    const some = fc.array(soundRecord, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(some, garbage, some, anyCuts, (before, garbage, after, cuts) => {
        const head = encodeAll(before);
        const events = decode(concatBytes([head, garbage, encodeAll(after)]), {}, cuts);
        expect(fieldsOf(events)).toEqual([...before, ...after]);
        expect(problems(events)).toEqual([`lost-framing ${head.length}+${garbage.length}`]);
      }),
      RUNS,
    );
  });

  it('loses only the records whose headers a gap goes over', () => {
    fc.assert(
      fc.property(
        fc.array(soundRecord, { minLength: 1, maxLength: 8 }),
        fc.nat(2_000),
        fc.integer({ min: 1, max: 300 }),
        anyCuts,
        (fields, place, most, cuts) => {
          const bytes = encodeAll(fields);
          const from = place % bytes.length;
          const to = Math.min(bytes.length, from + most);
          const events = decode([bytes.slice(0, from), to - from, bytes.slice(to)], {}, cuts);
          let at = 0;
          const expected = fields.flatMap((record) => {
            const begin = at;
            const { length } = record.content!;
            at += 8 + length + record.padding!;
            if (begin < to && begin + 8 > from) return [];
            const cut = (place: number): number => Math.min(Math.max(place - begin - 8, 0), length);
            const missing = cut(to) - cut(from);
            return [{ offset: begin, missing, missingFrom: missing > 0 ? cut(from) : length }];
          });
          expect(records(events).map(({ offset, missing, missingFrom }) => ({ offset, missing, missingFrom }))).toEqual(
            expected,
          );
          expectAccounted(events, bytes.length);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a decoder between calls', () => {
  const begin = encodeRecord({ type: 1, requestId: 1, content: Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 0) });
  const stdin = encodeRecord({ type: 5, requestId: 1, content: new Uint8Array(300).fill(0x61), padding: 4 });

  it('tells the stream offset of the next byte and whether it stands between records', () => {
    const { decoder } = recorder({ offset: 1_000 });
    expect([decoder.offset, decoder.atBoundary]).toEqual([1_000, true]);
    decoder.push(begin.subarray(0, 5), 0);
    expect([decoder.offset, decoder.atBoundary]).toEqual([1_005, false]);
    decoder.push(begin.subarray(5), 0);
    expect([decoder.offset, decoder.atBoundary]).toEqual([1_016, true]);
    decoder.push(stdin.subarray(0, 100), 0);
    decoder.gap(200, 0);
    expect([decoder.offset, decoder.atBoundary]).toEqual([1_316, false]);
    decoder.push(stdin.subarray(300), 0);
    expect([decoder.offset, decoder.atBoundary]).toEqual([1_328, true]);
    decoder.gap(1, 0);
    expect([decoder.offset, decoder.atBoundary]).toEqual([1_329, false]);
    expect(recorder({ midstream: true }).decoder.atBoundary).toBe(false);
  });

  it('gives a record as soon as its last byte is there', () => {
    const { decoder, events } = recorder();
    decoder.push(concatBytes([begin, stdin.subarray(0, -1)]), 0);
    expect(events).toHaveLength(1);
    decoder.push(stdin.subarray(-1), 0);
    expect(events).toHaveLength(2);
  });

  it('goes on where another decoder stood, with the same offsets', () => {
    const bytes = concatBytes([begin, stdin, begin, stdin]);
    const whole = decode(bytes);
    const rest = decode(bytes.slice(begin.length), { offset: begin.length });
    expect(rest).toEqual(whole.slice(1));
  });

  it('stamps a record with the arrival of its first byte, wherever the chunks end', () => {
    const bytes = concatBytes([begin, stdin, begin, new TextEncoder().encode('garbage '), stdin, begin]);
    const arrivals: [number, number][] = [];
    const decoder = new RecordDecoder('client', (event) => arrivals.push([event.offset, event.at]));
    for (const [i, byte] of bytes.entries()) decoder.push(Uint8Array.of(byte), 1_000 + i);
    decoder.end(9_000);
    expect(arrivals).toHaveLength(6);
    // The record after the garbage waited for 320 single bytes, more than are kept apart: the last ones count as the 64th.
    const lastBegin = bytes.length - begin.length;
    for (const [offset, at] of arrivals) if (offset !== lastBegin) expect(at).toBe(1_000 + offset);

    const chunked: [number, number][] = [];
    const other = new RecordDecoder('client', (event) => chunked.push([event.offset, event.at]));
    for (let at = 0; at < bytes.length; at += 10) other.push(bytes.subarray(at, at + 10), at);
    other.end(9_000);
    expect(chunked).toEqual(chunked.map(([offset]) => [offset, Math.floor(offset / 10) * 10]));
  });

  it('gives plain Uint8Arrays, also out of a Buffer', () => {
    const seen: unknown[] = [];
    const decoder = new RecordDecoder('client', (event) => {
      if (event.kind !== 'problem') seen.push(event.bytes.constructor);
    });
    decoder.push(Buffer.from(concatBytes([begin, stdin])), 0);
    expect(seen).toEqual([Uint8Array, Uint8Array]);
  });
});
