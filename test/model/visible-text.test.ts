import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { visibleBytes, visibleText } from '../../src/model/visible-text.js';

const bytes = (...values: number[]) => Uint8Array.from(values);
const utf8 = (text: string) => new TextEncoder().encode(text);

/** Written apart from the implementation: what no terminal may get. */
function unsafe(text: string): number[] {
  return [...text]
    .map((character) => character.codePointAt(0)!)
    .filter(
      (code) =>
        code < 0x20 ||
        (code >= 0x7f && code <= 0x9f) ||
        (code >= 0xd800 && code <= 0xdfff) ||
        (code >= 0x200b && code <= 0x200f) ||
        (code >= 0x2028 && code <= 0x202e) ||
        (code >= 0x2060 && code <= 0x206f) ||
        (code >= 0xe0000 && code <= 0xe0fff) ||
        [0xad, 0x61c, 0x180e, 0xfeff].includes(code),
    );
}

describe('visibleText', () => {
  it.each([
    ['plain text, \\n and all', 'plain text, \\n and all'],
    ['\x1b]52;c;ZXZpbA==\x07', '␛]52;c;ZXZpbA==␇'],
    ['a\r\n\tb\0c\x7f', 'a␍␊␉b␀c␡'],
    ['\x9b2J', '\\u009b2J'],
    ['\u202egnp.exe', '\\u202egnp.exe'],
    ['\u2066a\u2069', '\\u2066a\\u2069'],
    ['zero\u200bwidth\ufeff', 'zero\\u200bwidth\\ufeff'],
    ['a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
    ['\ud800x\udc00', '\\ud800x\\udc00'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
    ['grüße 日本 😀', 'grüße 日本 😀'],
  ])('%j', (text, shown) => {
    expect(visibleText(text)).toBe(shown);
  });

  it('leaves nothing unsafe in any text, and is idempotent', () => {
    const character = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 3 }),
      fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
      fc.integer({ min: 0, max: 0xa0 }).map((code) => String.fromCharCode(code)),
      fc.integer({ min: 0x2000, max: 0x2070 }).map((code) => String.fromCharCode(code)),
    );
    fc.assert(
      fc.property(fc.array(character, { maxLength: 30 }), fc.integer({ min: 1, max: 40 }), (characters, max) => {
        const text = characters.join('');
        const shown = visibleText(text);
        expect(unsafe(shown)).toEqual([]);
        expect(visibleText(shown)).toBe(shown);
        const short = visibleText(text, max);
        expect(unsafe(short)).toEqual([]);
        expect(short.length).toBeLessThanOrEqual(max);
        if (shown.length <= max) expect(short).toBe(shown);
        else expect(short.endsWith('…')).toBe(true);
      }),
    );
  });

  it('shows every control character in one column', () => {
    for (let code = 0; code < 0x20; code++) expect(stringWidth(visibleText(String.fromCharCode(code)))).toBe(1);
    expect(stringWidth(visibleText('\x7f'))).toBe(1);
  });

  it('cuts with an ellipsis, never inside a surrogate pair', () => {
    expect(visibleText('abcdef', 6)).toBe('abcdef');
    expect(visibleText('abcdef', 5)).toBe('abcd…');
    expect(visibleText('ab😀def', 4)).toBe('ab…');
    expect(visibleText('abc', 0)).toBe('');
  });

  it('looks at no more of a long line than it shows', () => {
    const line = '\x1b'.repeat(10_000_000);
    expect(visibleText(line, 100)).toBe(`${'␛'.repeat(99)}…`);
    expect(visibleText(line)).toHaveLength(10_000_000);
  });
});

describe('visibleBytes', () => {
  it.each([
    [utf8('grüße\n'), 'grüße␊'],
    [bytes(0x61, 0xff, 0x62), 'a\\xffb'],
    [bytes(0xc3), '\\xc3'],
    [bytes(0xc0, 0xaf), '\\xc0\\xaf'],
    [bytes(0xed, 0xa0, 0x80), '\\xed\\xa0\\x80'],
    [bytes(0xf4, 0x90, 0x80, 0x80), '\\xf4\\x90\\x80\\x80'],
    [bytes(0xe2, 0x82, 0xff, 0x1b), '\\xe2\\x82\\xff␛'],
    [bytes(0xff, 0xf0, 0x9f, 0x98, 0x80), '\\xff😀'],
    [bytes(0xef, 0xbb, 0xbf, 0x61), '\\ufeffa'],
    [bytes(), ''],
  ])('%j', (input, shown) => {
    expect(visibleBytes(input)).toBe(shown);
  });

  it('agrees with the strict decoder on which bytes are text', () => {
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.string({ unit: 'binary' }), fc.nat(40), (garbage, text, max) => {
        const input = Uint8Array.from([...garbage, ...utf8(text)]);
        const shown = visibleBytes(input);
        expect(unsafe(shown)).toEqual([]);
        // Taking the \xNN apart again gives the bytes back, unless the text looked like one itself.
        let valid = true;
        try {
          strict.decode(input);
        } catch {
          valid = false;
        }
        if (!input.includes(0x5c)) expect(/\\x[0-9a-f]{2}/.test(shown)).toBe(!valid);
        const short = visibleBytes(input, max);
        expect(short.length).toBeLessThanOrEqual(max);
        if (shown.length <= max) expect(short).toBe(shown);
        else if (max > 0) expect(short.endsWith('…')).toBe(true);
      }),
    );
  });

  it('shows a cut sequence only where the input itself ends in one', () => {
    const input = utf8('€'.repeat(1000));
    for (let max = 1; max < 20; max++) expect(visibleBytes(input, max)).toBe(`${'€'.repeat(max - 1)}…`);
  });
});
