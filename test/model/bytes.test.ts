import { expect, it } from 'vitest';
import { concatBytes, isLossyUtf8, u16, u32 } from '../../src/model/bytes.js';

it('reads integers in network order, unsigned', () => {
  const bytes = Uint8Array.of(0, 0xfe, 0xdc, 0xba, 0x98, 0xff);
  expect(u16(bytes, 1)).toBe(0xfedc);
  expect(u32(bytes, 1)).toBe(0xfedcba98);
});

it('joins parts in memory of its own', () => {
  const part = Uint8Array.of(1, 2);
  const joined = concatBytes([part, new Uint8Array(0), part]);
  part.fill(9);
  expect(joined).toEqual(Uint8Array.of(1, 2, 1, 2));
  expect(concatBytes([])).toHaveLength(0);
});

it('tells a replacement character that was sent from one that stands for something else', () => {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const lossy = (bytes: Uint8Array): boolean => isLossyUtf8(decoder.decode(bytes), bytes);
  expect(lossy(new TextEncoder().encode('grüße \ufffd'))).toBe(false);
  expect(lossy(Uint8Array.of(0x61, 0xff))).toBe(true);
  expect(lossy(Uint8Array.of(0xef, 0xbf, 0xbd, 0xff))).toBe(true);
  // Three bytes that become three replacement characters of nine bytes, and three that become one of three.
  expect(lossy(Uint8Array.of(0xed, 0xa0, 0x80))).toBe(true);
  expect(lossy(Uint8Array.of(0xf0, 0x9d, 0x84))).toBe(true);
  expect(isLossyUtf8('b\ufffd', Uint8Array.of(0x61, 0x62, 0xff), 1, 3)).toBe(true);
});
