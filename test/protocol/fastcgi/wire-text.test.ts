import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeText, familiarText, wireText } from '../../../src/protocol/fastcgi/wire-text.js';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const whole = (bytes: Uint8Array): string => wireText(bytes, 0, bytes.length);

it('reads a range of the bytes, also one met before', () => {
  const bytes = utf8('..SCRIPT_NAME..');
  expect(wireText(bytes, 2, 13)).toBe('SCRIPT_NAME');
  expect(familiarText(bytes, 2, 13)).toBe('SCRIPT_NAME');
  expect(wireText(bytes, 2, 13)).toBe('SCRIPT_NAME');
  expect(wireText(bytes, 5, 5)).toBe('');
  expect(decodeText(bytes, 5, 5)).toBe('');
});

it('knows only short ASCII again', () => {
  const familiar = (bytes: Uint8Array): string | null => {
    whole(bytes);
    return familiarText(bytes, 0, bytes.length);
  };
  expect(familiar(utf8('x'.repeat(32)))).toBe('x'.repeat(32));
  expect(familiar(utf8('x'.repeat(33)))).toBeNull();
  expect(familiar(utf8('grüße'))).toBeNull();
  expect(familiar(Uint8Array.of(0xff))).toBeNull();
});

it('does not take Latin-1 bytes for the UTF-8 of the same text, where both lead to the same place', () => {
  const text = '#¹';
  expect(whole(utf8(text))).toBe(text);
  expect(whole(Uint8Array.from(Buffer.from(text, 'latin1')))).toContain('\ufffd');
});

it('reads as TextDecoder does, whatever was met before', () => {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const anyBytes = fc.oneof(
    fc.uint8Array({ maxLength: 4 }),
    fc.uint8Array({ maxLength: 40 }),
    fc.string({ maxLength: 40, unit: fc.constantFrom('a', 'b', 'ü', '\ufffd') }).map(utf8),
  );
  fc.assert(
    fc.property(fc.array(anyBytes), (all) => {
      for (const bytes of all) expect(whole(bytes)).toBe(decoder.decode(bytes));
    }),
  );
});
