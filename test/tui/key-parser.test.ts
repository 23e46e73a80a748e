import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type KeyEvent, KeyParser } from '../../src/tui/key-parser.js';

describe('KeyParser', () => {
  it.each([
    ['jjj', ['j', 'j', 'j']],
    ['5G', ['5', 'G']],
    ['\x1b[A\x1b[B', ['up', 'down']],
    ['\x1bOA\x1bOF', ['up', 'end']],
    ['\x1b[5~\x1b[6~\x1b[3~', ['pageup', 'pagedown', 'delete']],
    ['\x1b[1;5C\x1b[5;2~', ['right', 'pageup']],
    ['\x1b[Z', ['shift+tab']],
    ['\x03\x0c\x06', ['ctrl+c', 'ctrl+l', 'ctrl+f']],
    ['\r\t\x7f', ['enter', 'tab', 'backspace']],
    ['\x1bx', ['alt+x']],
    ['é€😀', ['é', '€', '😀']],
    ['\x1b[999;999X', []],
    ['\x1b\x1b[A', ['escape', 'up']],
  ])('%j is %j', (text, keys) => {
    expect(keysOf(new KeyParser().push(text))).toEqual(keys);
  });

  it('waits for the rest of a sequence, and takes a lone Escape for what it is when told so', () => {
    const parser = new KeyParser();
    expect(parser.push('\x1b')).toEqual([]);
    expect(parser.waiting).toBe(true);
    expect(keysOf(parser.push('[B'))).toEqual(['down']);
    expect(parser.push('\x1b')).toEqual([]);
    expect(keysOf(parser.flush())).toEqual(['escape']);
    expect(parser.waiting).toBe(false);
    expect(parser.flush()).toEqual([]);
  });

  it('gives a paste as one text, however it is cut, with no key in it', () => {
    const text = '\x1b[200~Qy\r\x1b[A\x03\x1b[201~j';
    for (let cut = 0; cut <= text.length; cut++) {
      const parser = new KeyParser();
      const events = [...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))];
      expect(events).toEqual([
        { kind: 'paste', text: 'Qy\r\x1b[A\x03' },
        { kind: 'key', key: 'j' },
      ]);
    }
  });

  it('does not wait for Escape inside of a paste', () => {
    const parser = new KeyParser();
    parser.push('\x1b[200~abc\x1b');
    expect(parser.waiting).toBe(false);
    expect(parser.flush()).toEqual([]);
    expect(parser.push('[201~')).toEqual([{ kind: 'paste', text: 'abc' }]);
  });

  it('says the same however the bytes are cut', () => {
    const piece = fc.constantFrom(
      'j',
      'é',
      '\x1b[A',
      '\x1b[5~',
      '\x1bOB',
      '\r',
      '\x06',
      '😀',
      '\x1b[200~a\x1b[Bb\x1b[201~',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(40), { maxLength: 6 }), (pieces, cuts) => {
        const bytes = new TextEncoder().encode(pieces.join(''));
        const whole = new KeyParser().push(bytes);
        const parser = new KeyParser();
        const parts: KeyEvent[] = [];
        let from = 0;
        for (const cut of [...cuts].sort((a, b) => a - b)) {
          parts.push(...parser.push(bytes.subarray(from, Math.max(from, Math.min(cut, bytes.length)))));
          from = Math.max(from, Math.min(cut, bytes.length));
        }
        parts.push(...parser.push(bytes.subarray(from)));
        expect(parts).toEqual(whole);
      }),
    );
  });

  it('takes any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 5 }), (chunks) => {
        const parser = new KeyParser();
        for (const chunk of chunks)
          for (const event of parser.push(chunk)) if (event.kind === 'key') expect(event.key).not.toBe('');
        parser.flush();
      }),
    );
  });
});

function keysOf(events: readonly KeyEvent[]): string[] {
  return events.map((event) => (event.kind === 'key' ? event.key : `paste ${event.text}`));
}
