import { describe, expect, it } from 'vitest';
import { decodeText } from '../../src/content/charset.js';

const bytes = (...values: number[]) => Uint8Array.from(values);
const utf8 = (text: string) => new TextEncoder().encode(text);

describe('decodeText', () => {
  it('believes the Content-Type', () => {
    expect(decodeText(bytes(0xfc), 'text/html; charset=ISO-8859-1')).toEqual({
      text: 'ü',
      charset: 'windows-1252',
      faithful: true,
    });
    expect(decodeText(bytes(0x93, 0xfa), 'text/plain; charset="Shift_JIS"').text).toBe('日');
    expect(decodeText(bytes(0x41, 0, 0x42, 0), 'text/plain;charset=utf-16le').text).toBe('AB');
  });

  it('believes a byte order mark more', () => {
    expect(decodeText(bytes(0xff, 0xfe, 0x41, 0), 'text/plain; charset=utf-8').text).toBe('A');
    expect(decodeText(bytes(0xef, 0xbb, 0xbf, 0xc3, 0xbc), 'text/plain; charset=latin1').text).toBe('ü');
  });

  it('reads a declaration at the head', () => {
    const html = Uint8Array.from([...utf8('<html><head><meta charset="iso-8859-15">'), 0xa4]);
    expect(decodeText(html, 'text/html').text).toContain('€');
    const xml = Uint8Array.from([...utf8('<?xml version="1.0" encoding="koi8-r"?>'), 0xc1]);
    expect(decodeText(xml, null).text).toContain('а');
  });

  it('takes UTF-8 where the bytes are that, else windows-1252', () => {
    expect(decodeText(utf8('grüße'), 'text/html')).toEqual({ text: 'grüße', charset: 'utf-8', faithful: true });
    expect(decodeText(bytes(0x67, 0xfc), null)).toEqual({ text: 'gü', charset: 'windows-1252', faithful: true });
    expect(decodeText(utf8('ü'), 'text/html; charset=no-such').charset).toBe('utf-8');
  });

  it('says when the bytes are not what the label says', () => {
    expect(decodeText(bytes(0x61, 0xff), 'text/html; charset=utf-8')).toEqual({
      text: 'a\ufffd',
      charset: 'utf-8',
      faithful: false,
    });
  });
});
