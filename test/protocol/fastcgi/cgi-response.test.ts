import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/model/bytes.js';
import type { ResponseHead } from '../../../src/model/exchange.js';
import {
  INVALID_LINE_LENGTH,
  INVALID_LINES_KEPT,
  MAX_HEAD_LENGTH,
  ResponseHeadReader,
} from '../../../src/protocol/fastcgi/cgi-response.js';
import { anyCuts, everyChunking } from '../../support/chunking.js';

const bytesOf = (value: string | Uint8Array): Uint8Array =>
  typeof value === 'string' ? new TextEncoder().encode(value) : value;

/** Reads in every chunking and finds the same head each time. */
function head(stdout: string | Uint8Array, cuts: readonly number[] = []): ResponseHead | null {
  const heads = everyChunking(bytesOf(stdout), cuts).map(({ feed }) => {
    const reader = new ResponseHeadReader();
    feed((chunk) => {
      const done = reader.push(chunk);
      expect([done, reader.done, reader.head !== null]).toEqual([done, done, done]);
    });
    reader.finish();
    return reader.head;
  });
  for (const other of heads) expect(other).toEqual(heads[0]);
  return heads[0]!;
}
const headers = (stdout: string | Uint8Array): [string, string][] =>
  head(stdout)!.headers.map(({ name, value }) => [name, value]);

describe('the status', () => {
  it.each([
    ['Status: 404 Not Found\r\n\r\n', 404, 'Not Found'],
    ['Status: 404\r\n\r\n', 404, ''],
    ['status:500 \t \r\n\r\n', 500, ''],
    ['Content-Type: text/html\r\n\r\n', 200, ''],
    ['Location: /elsewhere\r\n\r\n', 302, ''],
    ['LOCATION: https://example.org/\nContent-Type: a/b\n\n', 302, ''],
    ['Location: /elsewhere\r\nStatus: 301 Moved\r\n\r\n', 301, 'Moved'],
    ['Status: 200 OK\r\nStatus: 500 No\r\n\r\n', 200, 'OK'],
    ['Status: OK\r\n\r\n', null, ''],
    ['Status: 20\r\n\r\n', null, ''],
    ['Status: 2000\r\n\r\n', null, ''],
    ['Status:\r\n\r\n', null, ''],
    ['\r\n', 200, ''],
  ])('of %j is %s', (stdout, status, reason) => {
    expect(head(stdout)).toMatchObject({ status, reason, complete: true, length: stdout.length });
  });
});

describe('the header block', () => {
  it('keeps the lines in their order, duplicates too, and ends where the body begins', () => {
    const block = 'Set-Cookie: a=1\r\nContent-Type:text/plain\r\nSet-Cookie:  b=2  \r\nX-Empty:\r\n\r\n';
    expect(head(`${block}\r\nbody: of the page\r\n\r\n`)).toEqual({
      status: 200,
      reason: '',
      headers: [
        { name: 'Set-Cookie', value: 'a=1' },
        { name: 'Content-Type', value: 'text/plain' },
        { name: 'Set-Cookie', value: 'b=2' },
        { name: 'X-Empty', value: '' },
      ],
      complete: true,
      length: block.length,
      invalidLines: [],
    });
  });

  it('ends its lines with LF or CRLF, mixed as it likes', () => {
    expect(headers('A: 1\nB: 2\r\nC: 3\n\r\nbody')).toEqual([
      ['A', '1'],
      ['B', '2'],
      ['C', '3'],
    ]);
    expect(head('A: 1\nB: 2\r\nC: 3\n\r\nbody')!.length).toBe(18);
    expect(head('A: 1\r\n\n')!.length).toBe(7);
  });

  it('does not take CR CR LF for an empty line', () => {
    expect(head('A: 1\r\n\r\r\nB: 2\r\n\r\n')).toMatchObject({
      complete: true,
      length: 17,
      headers: [{ name: 'A' }, { name: 'B' }],
      invalidLines: ['␍'],
    });
  });

  it('joins continuation lines with the line before them', () => {
    expect(headers('A: one\r\n two\r\n\t three \r\n \r\nB:\r\n value\r\n\r\n')).toEqual([
      ['A', 'one two three'],
      ['B', 'value'],
    ]);
    expect(head(' continues nothing\n\n')).toMatchObject({ headers: [], invalidLines: [' continues nothing'] });
  });

  it('reads UTF-8, and as Latin-1 what is not', () => {
    expect(
      headers(concatBytes([bytesOf('A: grüß \ufffd\nB: gr'), Uint8Array.of(0xfc, 0xdf), bytesOf('\n\n')])),
    ).toEqual([
      ['A', 'grüß \ufffd'],
      ['B', 'grüß'],
    ]);
  });

  it('keeps the first lines that are no headers, as visible text', () => {
    const stdout = 'HTTP/1.1 200 OK\r\nno colon\n: no name\nbad name: x\n\x1b[31m: red\nsixth\nA: 1\n\nbody';
    expect(head(stdout)).toMatchObject({
      status: 200,
      complete: true,
      headers: [{ name: 'A', value: '1' }],
      invalidLines: ['HTTP/1.1 200 OK', 'no colon', ': no name', 'bad name: x', '␛[31m: red'],
    });
    expect(head(`${'y'.repeat(10_000)}\n\n`)!.invalidLines[0]).toHaveLength(INVALID_LINE_LENGTH);
    expect(head(`${'line\n'.repeat(50)}\n`)!.invalidLines).toHaveLength(INVALID_LINES_KEPT);
  });

  it('that is none at all is a page whose lines are no headers', () => {
    expect(head('<html>\n<body>\n</html>\n')).toEqual({
      status: null,
      reason: '',
      headers: [],
      complete: false,
      length: 22,
      invalidLines: ['<html>', '<body>', '</html>'],
    });
  });

  it('that breaks off has what could be read, and no status', () => {
    expect(head('Status: 404 Not Found\r\nContent-Ty')).toMatchObject({
      status: null,
      complete: false,
      headers: [{ name: 'Status', value: '404 Not Found' }],
      invalidLines: ['Content-Ty'],
    });
    expect(head('A: 1\r\n')).toMatchObject({ complete: false, headers: [{ name: 'A', value: '1' }] });
    expect(head('A: 1\r')).toMatchObject({ complete: false });
    expect(head('')).toBeNull();
  });

  it('is given up at the limit, not a byte later', () => {
    const line = 'X: yz\r\n';
    const fits = `${line.repeat(Math.floor((MAX_HEAD_LENGTH - 2) / line.length))}`;
    const filled = `${fits.slice(0, -2)}${'z'.repeat(MAX_HEAD_LENGTH - 2 - fits.length)}\r\n\r\n`;
    const reader = new ResponseHeadReader();
    const bytes = bytesOf(filled);
    expect(bytes).toHaveLength(MAX_HEAD_LENGTH);
    expect(reader.push(bytes.subarray(0, -1))).toBe(false);
    expect(reader.push(bytes.subarray(-1))).toBe(true);
    expect(reader.head).toMatchObject({ complete: true, length: MAX_HEAD_LENGTH });

    const other = new ResponseHeadReader();
    const endless = new Uint8Array(100_000).fill(0x61);
    expect([other.push(endless), other.push(endless), other.push(endless)]).toEqual([false, false, true]);
    expect(other.head).toMatchObject({ complete: false, length: MAX_HEAD_LENGTH });
  });
});

describe('properties', () => {
  const anyStdout = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          'Status: 404 No',
          'Location: /',
          'A: b',
          ' folded',
          '\r',
          '\n',
          '\r\n',
          '\n\n',
          '\r\n\r\n',
          ':',
          'x',
        ),
        fc.uint8Array({ maxLength: 5 }),
      ),
      { maxLength: 15 },
    )
    .map((parts) => concatBytes(parts.map(bytesOf)));

  it('reads the same head in any chunking, and never throws', () => {
    fc.assert(
      fc.property(anyStdout, anyCuts, (stdout, cuts) => {
        const found = head(stdout, cuts);
        expect(found === null).toBe(stdout.length === 0);
        if (found === null) return;
        // An oracle for the length: the first empty line.
        const end = /(?:^|\n)\r?\n/.exec(Buffer.from(stdout).toString('latin1'));
        expect(found.complete).toBe(end !== null);
        expect(found.length).toBe(end === null ? stdout.length : end.index + end[0].length);
      }),
      { numRuns: 300 },
    );
  });

  it('reads back headers that were written', () => {
    const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,15}$/);
    const value = fc.stringMatching(/^(?:[!-~](?:[ -~]{0,40}[!-~])?)?$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(token, value)), fc.constantFrom('\n', '\r\n'), anyCuts, (lines, eol, cuts) => {
        const block = `${lines.map(([name, value]) => `${name}: ${value}${eol}`).join('')}${eol}`;
        const found = head(`${block}the body`, cuts)!;
        expect(found.headers.map(({ name, value }) => [name, value])).toEqual(lines);
        expect(found).toMatchObject({ complete: true, length: block.length, invalidLines: [] });
      }),
    );
  });
});
