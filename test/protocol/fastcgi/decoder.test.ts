import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/model/bytes.js';
import { encodeRecord, type RecordFields } from '../../../src/protocol/fastcgi/encoder.js';
import { anyCuts } from '../../support/chunking.js';
import { type Decoded, decode, type Piece, ranges, records } from './decoding.js';

const side = fc.constantFrom('client' as const, 'server' as const);
const content = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffff }).map((length) => new Uint8Array(length).fill(0x41)) },
);

/** Whatever version 1 allows: any type, any id, any content and padding. */
const anyRecord: fc.Arbitrary<RecordFields> = fc.record({
  type: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 11 }) }, fc.integer({ min: 0, max: 255 })),
  requestId: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 0xffff })),
  content,
  padding: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 })),
});
const anyRecords = fc.array(anyRecord, { maxLength: 8 });

const encodeAll = (fields: readonly RecordFields[]): Uint8Array => concatBytes(fields.map(encodeRecord));
const BUFFER_TYPE: Record<string, number> = { params: 4, stdin: 5, stdout: 6, stderr: 7, data: 8 };
const MANAGEMENT: Record<string, number> = { 'get-values': 9, 'get-values-result': 10, 'unknown-type': 11 };

function typeOf(event: Exclude<Decoded, { kind: 'problem' }>): number {
  switch (event.kind) {
    case 'begin-request':
      return 1;
    case 'abort-request':
      return 2;
    case 'end-request':
      return 3;
    case 'stream':
      return BUFFER_TYPE[event.stream]!;
    case 'management':
      return MANAGEMENT[event.type]!;
    case 'unrecognised':
      return event.type;
  }
}

/** Bytes with a chance of meaning something: valid records, pieces of them, and what else comes over a wire. */
const anyPieces: fc.Arbitrary<Piece[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: anyRecords.map(encodeAll) },
    { weight: 3, arbitrary: fc.uint8Array({ maxLength: 60 }) },
    {
      weight: 2,
      arbitrary: fc.array(fc.constantFrom(0, 1, 4, 5, 6, 8), { maxLength: 60 }).map((a) => Uint8Array.from(a)),
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

describe('properties', () => {
  it('decodes what was encoded, in any chunking', () => {
    fc.assert(
      fc.property(anyRecords, side, anyCuts, (fields, side, cuts) => {
        const events = decode(encodeAll(fields), { side }, cuts);
        expect(
          records(events).map((event) => ({
            type: typeOf(event),
            requestId: event.requestId,
            content: event.bytes,
            padding: event.paddingLength,
          })),
        ).toEqual(fields);
      }),
    );
  });

  it('accounts for every offset exactly once, whatever comes, gaps and all, and in any chunking', () => {
    fc.assert(
      fc.property(anyPieces, side, fc.boolean(), anyCuts, (pieces, side, midstream, cuts) => {
        expectAccounted(decode(pieces, { side, midstream }, cuts), lengthOf(pieces));
      }),
      { numRuns: 400 },
    );
  });
});
