import { describe, expect, it } from 'vitest';
import {
  encodeAbortRequest,
  encodeBeginRequest,
  encodeEndRequest,
  encodeGetValues,
  encodeGetValuesResult,
  encodeParams,
  encodeRecord,
  encodeStream,
  encodeUnknownType,
} from '../../../src/protocol/fastcgi/encoder.js';
import { decode, records } from './decoding.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe('the bytes of the specification', () => {
  it('of a record: version, type, id, lengths, reserved, content, padding', () => {
    const bytes = encodeRecord({
      type: 200,
      requestId: 0x1234,
      content: text('abc'),
      padding: 5,
      version: 2,
      reserved: 9,
    });
    expect(hex(bytes)).toBe('02c81234000305096162630000000000');
  });

  it.each([
    [encodeBeginRequest(1, 3, 1), '01010001000800000003010000000000'],
    [encodeAbortRequest(2), '0102000200000000'],
    [encodeEndRequest(3, 0xdeadbeef, 1), '0103000300080000deadbeef01000000'],
    [encodeEndRequest(3, -1, 0), '0103000300080000ffffffff00000000'],
    [encodeParams(1, [['A', 'bc']], { close: false }), '01040001000500000102416263'],
    [encodeGetValues(['A']), '0109000000030000010041'],
    [encodeGetValuesResult([['A', '1']]), '010a00000004000001014131'],
    [encodeUnknownType(255), '010b000000080000ff00000000000000'],
  ])('of a record type %#', (bytes, expected) => {
    expect(hex(bytes)).toBe(expected);
  });
});

describe('encodeStream', () => {
  it('splits, pads and closes', () => {
    const content = text('0123456789');
    const bytes = encodeStream('stdout', 7, content, { recordLength: 4, alignment: 8 });
    const out = records(decode(bytes, { side: 'server' }));
    expect(out.map((record) => [Buffer.from(record.bytes).toString(), record.paddingLength])).toEqual([
      ['0123', 4],
      ['4567', 4],
      ['89', 6],
      ['', 0],
    ]);
    expect(bytes.length % 8).toBe(0);
  });

  it('puts at most 65 535 bytes into a record, and nothing but the end for nothing', () => {
    const lengths = (length: number): number[] =>
      records(decode(encodeStream('stdin', 1, new Uint8Array(length)))).map(({ contentLength }) => contentLength);
    expect(lengths(65_536)).toEqual([65_535, 1, 0]);
    expect(lengths(0)).toEqual([0]);
    expect(encodeStream('stdin', 1, new Uint8Array(0), { close: false })).toHaveLength(0);
  });
});

it('refuses what does not fit its field', () => {
  const record = { type: 5, requestId: 1 };
  for (const wrong of [
    { type: 256 },
    { requestId: 65_536 },
    { requestId: -1 },
    { requestId: 1.5 },
    { content: new Uint8Array(65_536) },
    { padding: 256 },
    { version: 256 },
    { reserved: 256 },
  ]) {
    expect(() => encodeRecord({ ...record, ...wrong })).toThrow(RangeError);
  }
  expect(() => encodeStream('stdin', 1, text('x'), { recordLength: 0 })).toThrow(RangeError);
});
