import { describe, expect, it } from 'vitest';
import { encodeRecord, type RecordFields } from '../../../src/protocol/fastcgi/encoder.js';
import {
  findPlausibleHeader,
  fixedBodyLength,
  isPlausibleHeader,
  recordLength,
} from '../../../src/protocol/fastcgi/framing.js';

const CLIENT_TYPES = [1, 2, 4, 5, 8, 9];
const SERVER_TYPES = [3, 6, 7, 10, 11];

function sound(type: number): RecordFields {
  const length = Math.max(fixedBodyLength(type), 0);
  return { type, requestId: type >= 9 ? 0 : 1, content: new Uint8Array(length) };
}

describe('a plausible header', () => {
  it('has a type that its side sends', () => {
    for (let type = 0; type < 256; type++) {
      const record = encodeRecord(sound(type));
      expect(isPlausibleHeader(record, 0, 'client', 1)).toBe(CLIENT_TYPES.includes(type));
      expect(isPlausibleHeader(record, 0, 'server', 1)).toBe(SERVER_TYPES.includes(type));
    }
  });

  it('has version 1 or the one that the stream is known to have', () => {
    const record = encodeRecord({ ...sound(5), version: 3 });
    expect(isPlausibleHeader(record, 0, 'client', 1)).toBe(false);
    expect(isPlausibleHeader(record, 0, 'client', 3)).toBe(true);
    expect(isPlausibleHeader(encodeRecord(sound(5)), 0, 'client', 3)).toBe(true);
  });

  it('has request id 0 in management records and only there', () => {
    expect(isPlausibleHeader(encodeRecord({ ...sound(5), requestId: 0 }), 0, 'client', 1)).toBe(false);
    expect(isPlausibleHeader(encodeRecord({ ...sound(9), requestId: 1 }), 0, 'client', 1)).toBe(false);
    expect(isPlausibleHeader(encodeRecord({ ...sound(5), requestId: 256 }), 0, 'client', 1)).toBe(true);
  });
});

it('finds a header that lies whole in the range', () => {
  const record = encodeRecord(sound(5));
  const bytes = new Uint8Array(30).fill(1);
  bytes.set(record, 10);
  expect(findPlausibleHeader(bytes, 0, 30, 'client', 1)).toBe(10);
  expect(findPlausibleHeader(bytes, 0, 18, 'client', 1)).toBe(10);
  expect(findPlausibleHeader(bytes, 0, 17, 'client', 1)).toBe(10);
  expect(findPlausibleHeader(bytes, 11, 30, 'client', 1)).toBe(23);
  expect(findPlausibleHeader(bytes, 28, 30, 'client', 1)).toBe(28);
});

it('measures a record with its header and padding', () => {
  const record = encodeRecord({ type: 5, requestId: 1, content: new Uint8Array(0x1234), padding: 200 });
  expect(recordLength(record, 0)).toBe(record.length);
});
