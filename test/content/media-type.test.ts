import { describe, expect, it } from 'vitest';
import { isText, parseMediaType } from '../../src/content/media-type.js';

const utf8 = (text: string) => new TextEncoder().encode(text);

describe('parseMediaType', () => {
  it('takes type and parameters apart', () => {
    const media = parseMediaType(' Multipart/Form-Data ; Boundary="a;\\"b" ; charset=UTF-8; charset=x');
    expect(media.type).toBe('multipart/form-data');
    expect([...media.parameters]).toEqual([
      ['boundary', 'a;"b'],
      ['charset', 'UTF-8'],
    ]);
  });

  it.each([null, '', 'nonsense', ';;;', '/'])('%j has no type', (value) => {
    expect(parseMediaType(value).type).toBe('');
  });
});

describe('isText', () => {
  it.each([
    ['text/html', 'x', true],
    ['application/json', '{}', true],
    ['application/problem+json; charset=utf-8', '{}', true],
    ['image/svg+xml', '<svg/>', true],
    ['image/png', '\x89PNG', false],
    ['application/octet-stream', 'plain words', false],
    ['text/html', 'a\0b', false],
    ['text/plain; charset=utf-16le', 'a\0b\0', true],
    [null, 'grüße\n', true],
    [null, '\x01\x02', false],
    ['', '', true],
  ])('%j beginning with %j: %j', (type, head, text) => {
    expect(isText(type, utf8(head))).toBe(text);
  });

  it('does not mind a character that the end of the sniffed part cuts in two', () => {
    expect(isText(null, utf8(`${'a'.repeat(1023)}ü`))).toBe(true);
    expect(isText(null, Uint8Array.from([0x61, 0xff]))).toBe(false);
  });
});
