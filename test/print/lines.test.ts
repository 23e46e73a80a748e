import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { rowOf } from '../../src/model/exchange-row.js';
import { lines, type PrintOptions } from '../../src/print/lines.js';
import { CollectedOutput, sessionSummary } from '../support/collected-output.js';
import {
  BEGIN,
  type ExchangeOptions,
  finding,
  type StoredExchange,
  stdoutOf,
  storedExchange,
} from '../support/exchange-fixture.js';
import { FakeInspection } from '../support/fake-inspection.js';

process.env.TZ = 'UTC';

async function printed(
  stored: readonly StoredExchange[],
  options: Partial<Pick<PrintOptions, 'width' | 'header' | 'color' | 'redact'>> = {},
): Promise<string[]> {
  const collected = new CollectedOutput();
  const output = lines({ ...collected.options(new FakeInspection()), color: false, ...options });
  await output.rows(stored.map((one) => rowOf(one.exchange)));
  await output.end(sessionSummary());
  return collected.text.split('\n').slice(0, -1);
}

const line = async (options: ExchangeOptions, print = {}) => (await printed([storedExchange(options)], print))[0]!;

const VARIED: ExchangeOptions[] = [
  {},
  { n: 2, connection: 12, requestId: 3, params: { REQUEST_METHOD: 'POST' }, stdin: 'a'.repeat(1_048_576) },
  { n: 3, stdout: stdoutOf('Status: 404 Not Found', 'x'), findings: [finding('script-not-found', 'warning')] },
  {
    n: 4,
    outcome: 'backend-reset',
    findings: [finding('worker-killed')],
    params: { REQUEST_URI: '/a/rather/long/path/to/some.php?with=a&query=string' },
  },
  { n: 5, outcome: 'web-server-closed', stdout: '', timing: { end: 123_456.7 } },
  { n: 6, outcome: 'not-connected', allParams: [], stdout: '', override: { requestId: 0 } },
];

describe('lines', () => {
  it('says what a request was, in ten fields', async () => {
    const text = await line({ stdin: 'abc', findings: [finding('worse'), finding('a', 'note')] });
    expect(text.split(/ +/)).toEqual([
      '00:26:40.123',
      '1/1',
      '200',
      'GET',
      'http://shop.example/index.php?x=1',
      '3',
      '80',
      '12.5',
      '13.1',
      'worse',
    ]);
  });

  it('is aligned on a pipe', async () => {
    expect(await printed(VARIED.slice(0, 3).map(storedExchange))).toEqual([
      '00:26:40.123 1/1    200 GET  http://shop.example/index.php?x=1                      0       80    12.5     13.1 -',
      '00:26:40.123 12/3   200 POST http://shop.example/index.php?x=1                1048576       80    12.5     13.1 -',
      '00:26:40.123 1/1    404 GET  http://shop.example/index.php?x=1                      0       26    12.5     13.1 script-not-found',
    ]);
  });

  it('fits a terminal of 100 columns, aligned, outcomes and all', async () => {
    expect(await printed(VARIED.map(storedExchange), { width: 100, header: true })).toEqual([
      'time         con/id st  meth url                           in      out ttfb/ms total/ms finding',
      '00:26:40.123 1/1    200 GET  shop.exa…e/index.php?x=1       0       80    12.5     13.1 -',
      '00:26:40.123 12/3   200 POST shop.exa…e/index.php?x=1 1048576       80    12.5     13.1 -',
      '00:26:40.123 1/1    404 GET  shop.exa…e/index.php?x=1       0       26    12.5     13.1 script-not-…',
      '00:26:40.123 1/1    backend-reset GET  shop.…y=string       0       80    12.5     13.1 worker-kill…',
      '00:26:40.123 1/1    web-server-closed GET  shop…php?x=1       0        0       - 123456.7 -',
      '00:26:40.123 1/0    not-connected -    -                    0        0       -     13.1 -',
    ]);
  });

  it('has ten fields whatever is in them, and nothing that moves the cursor', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.boolean(), async (text, terminal) => {
        const stored = storedExchange({
          params: { REQUEST_METHOD: text },
          override: { url: text, ...(terminal ? { outcome: 'unfinished' } : {}) },
        });
        const [shown] = await printed([stored], { redact: false, ...(terminal ? { width: 80 } : {}) });
        expect(shown!.split(/[ \t\n]+/)).toHaveLength(10);
        expect(/[\p{Cc}\p{Cs}\p{Bidi_Control}]/u.test(shown!)).toBe(false);
      }),
    );
    expect(await line({ params: { REQUEST_METHOD: 'G T\x1b[2J' } })).toContain(' G␠T␛[2J ');
  });

  it('redacts unless told not to', async () => {
    const options = { params: { REQUEST_URI: '/?token=geheim' } };
    expect(await line(options)).toContain('/?token=[redacted] ');
    expect(await line(options, { redact: false })).toContain('/?token=geheim ');
  });

  it('colours only when told, and the colours take no room', async () => {
    const stored = VARIED.map(storedExchange);
    const plain = await printed(stored, { width: 120, header: true });
    const coloured = await printed(stored, { width: 120, header: true, color: true });
    expect(plain.join('')).not.toContain('\x1b');
    expect(coloured.join('')).toContain('\x1b[31mbackend-reset\x1b[0m');
    expect(coloured.map((text) => text.replaceAll(/\x1b\[\d+m/g, ''))).toEqual(plain);
    for (const text of plain) expect(stringWidth(text)).toBeLessThanOrEqual(120);
  });

  it('bears a time that no calendar has', async () => {
    expect(await line({ begin: 9e21 })).toMatch(/^--:--:--\.--- /);
    expect(await line({ begin: BEGIN - 1_000_000 })).toMatch(/^00:26:39\.123 /);
  });
});
