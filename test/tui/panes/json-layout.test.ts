import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layOutJson } from '../../../src/tui/panes/json-layout.js';

describe('layOutJson', () => {
  it('puts one value on a line', () => {
    expect(layOutJson('{"a":[1,{"b":null}],"c":{},"d":[ ]}')).toBe(
      '{\n  "a": [\n    1,\n    {\n      "b": null\n    }\n  ],\n  "c": {},\n  "d": []\n}',
    );
  });

  it('is what JSON.stringify makes of any document', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(layOutJson(text)).toBe(JSON.stringify(JSON.parse(text), null, 2));
      }),
    );
  });

  it('keeps numbers, duplicate keys and escapes as they were sent', () => {
    expect(layOutJson('{"n":12345678901234567890,"n":1.0e5,"s":"\\u0041\\""}')).toBe(
      '{\n  "n": 12345678901234567890,\n  "n": 1.0e5,\n  "s": "\\u0041\\""\n}',
    );
  });

  it('begins a line with each of several documents', () => {
    expect(layOutJson('{"a":1}\n{}\n[2]')).toBe('{\n  "a": 1\n}\n{}\n[\n  2\n]');
  });

  it('takes any text and leaves out nothing but white space', () => {
    const bare = (text: string): string => text.replace(/[ \t\r\n]/g, '');
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[],:" \\ab1\n') }), (text) => {
        expect(bare(layOutJson(text))).toBe(bare(text));
      }),
    );
  });

  it('does not grow without bound by nesting', () => {
    expect(layOutJson('['.repeat(2_000)).length).toBeLessThan(200_000);
  });
});
