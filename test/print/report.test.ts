import { join } from 'node:path';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/diagnosis/diagnose.js';
import { rowOf } from '../../src/model/exchange-row.js';
import type { SessionSummary } from '../../src/model/output.js';
import { report } from '../../src/print/report.js';
import { CollectedOutput, sessionSummary } from '../support/collected-output.js';
import {
  BEGIN,
  type ExchangeOptions,
  finding,
  type StoredExchange,
  storedExchange,
} from '../support/exchange-fixture.js';
import { FakeInspection } from '../support/fake-inspection.js';

process.env.TZ = 'UTC';

interface Print {
  readonly summary?: Partial<SessionSummary>;
  readonly warnings?: readonly string[];
  readonly width?: number;
  readonly color?: boolean;
  readonly redact?: boolean;
  /** How many rows at once. */
  readonly batch?: number;
}

async function printed(stored: readonly StoredExchange[], print: Print = {}) {
  const { summary, warnings = [], width, color = false, redact = true, batch = 1_000 } = print;
  const inspection = new FakeInspection().put(...stored).setOverview({ warnings, sources: ['a.pcap (pcap)'] });
  const collected = new CollectedOutput();
  const output = report({ ...collected.options(inspection, 'none', redact), color, width: width ?? null });
  const rows = stored.map(({ exchange }) => rowOf(exchange));
  for (let from = 0; from < rows.length; from += batch) await output.rows(rows.slice(from, from + batch));
  expect(collected.chunks).toEqual([]);
  await output.end(sessionSummary({ requests: stored.length, shown: stored.length, ...summary }));
  return { text: collected.text, calls: inspection.calls };
}

const SECOND = 1_000_000;
/** The n-th of a session, a second after the one before. */
const nth = (n: number, options: ExchangeOptions = {}): StoredExchange =>
  storedExchange({ n, connection: n, begin: BEGIN + n * SECOND, ...options });
const script = (path: string) => ({
  SCRIPT_FILENAME: `/srv/www${path}`,
  SCRIPT_NAME: path,
  REQUEST_URI: `${path}?x=1`,
});
const killed = (n: number, options: ExchangeOptions = {}) =>
  nth(n, { outcome: 'backend-reset', findings: [finding('crash-mid-response')], ...options });
const heading = (text: string) => text.split('\n').filter((line) => /^\d+\. [A-Z]+: /.test(line));

describe('report', () => {
  it('tells what happened, what it means, what to change, what else it may be and where to look', async () => {
    const options: ExchangeOptions = {
      outcome: 'backend-closed',
      params: { SERVER_SOFTWARE: 'nginx/1.22', ...script('/a.php'), HTTP_COOKIE: 'a=geheim' },
      stderr: 'a word',
      override: {
        connectionEnd: {
          endedBy: 'backend',
          how: 'fin',
          at: BEGIN + 32_300,
          afterRecords: 7,
          afterRecord: 'STDOUT record 1',
        },
      },
    };
    const broken = (n: number): StoredExchange => {
      const { exchange } = nth(n, options);
      return nth(n, { ...options, findings: diagnose(exchange) });
    };
    const odd = nth(4, { outcome: 'aborted', override: { url: null, script: null, method: null } });
    const { text } = await printed(
      [
        nth(1),
        broken(2),
        broken(3),
        odd,
        nth(5, { stdout: 'Status: 503 Busy\r\n\r\n' }),
        nth(6, { outcome: 'unfinished' }),
      ],
      {
        warnings: ['2.90kB of these connections are not in the capture'],
        summary: { hidden: 3, skipped: 1, lostBytes: 4096 },
      },
    );
    await expect(text).toMatchFileSnapshot(join(import.meta.dirname, '../golden/report.txt'));
    expect(text).not.toContain('geheim');
  });

  it('says when all is well', async () => {
    expect((await printed([nth(1), nth(2)])).text).toBe(
      '2 requests, none failed, 2026-09-10 00:26:41 to 00:26:42 UTC (1.01s), from\na.pcap (pcap)\n\nNothing wrong was found in 2 requests.\n',
    );
    const { text } = await printed([nth(1, { findings: [finding('stderr-noise', 'note')] })]);
    expect(text).toContain('Nothing wrong was found in 1 request. What follows are remarks.\n');
    expect(text).toContain('1. NOTE: ');
    expect((await printed([killed(1)])).text).not.toContain('Nothing wrong');
  });

  it('says when there was nothing to be seen, and why', async () => {
    const { text } = await printed([], { warnings: ['no FastCGI was found in 34 packets'] });
    expect(text).toMatch(/^No FastCGI request was seen, from a\.pcap \(pcap\)\.\n\nWhy that may be\n {3}- no FastCGI/);
  });

  it('has the worst first, and of equal ones the most frequent', async () => {
    const { text } = await printed([
      nth(1, { findings: [finding('stderr-noise', 'note')] }),
      nth(2, { findings: [finding('content-type-missing', 'warning')] }),
      killed(3),
      nth(4, { findings: [finding('php-fatal')] }),
      nth(5, { findings: [finding('php-fatal')] }),
    ]);
    expect(heading(text).map((line) => line.slice(0, 20))).toEqual([
      '1. ERROR: PHP stoppe',
      '2. ERROR: The backen',
      '3. WARNING: The resp',
      '4. NOTE: The applica',
    ]);
    expect(text).toContain('1. ERROR   2 × PHP stopped');
    expect(text).toMatch(/^5 requests, 3 failed, /);
  });

  it('takes the worst severity that a finding had', async () => {
    const mild = nth(1, { findings: [finding('header-too-big', 'warning')] });
    expect(heading((await printed([mild])).text)[0]).toMatch(/^1\. WARNING: /);
    const grave = nth(2, { findings: [finding('header-too-big', 'error')] });
    expect(heading((await printed([mild, grave])).text)[0]).toMatch(/^1\. ERROR: /);
  });

  it('names the scripts that have it most, and examples that differ', async () => {
    const stored = Array.from({ length: 20 }, (_, i) =>
      killed(i + 1, { params: script(i === 7 ? '/rare.php' : i < 12 ? '/often.php' : '/less.php') }),
    );
    const { text } = await printed(stored);
    expect(text).toContain('/srv/www/often.php (11), /srv/www/less.php (8),');
    expect(text.match(/^ {3}#\d+/gm)).toEqual(['   #1', '   #8', '   #16']);
  });

  it('looks at few whole requests, however many there are', async () => {
    const stored = Array.from({ length: 500 }, (_, i) =>
      i % 5 === 0 ? nth(i + 1) : killed(i + 1, { params: script(`/page-${i}.php`) }),
    );
    const { text, calls } = await printed(stored, { batch: 100 });
    expect(calls.filter((call) => call.startsWith('exchange')).length).toBeLessThan(25);
    expect(text).toContain('400 of 500 requests');
    expect(text.match(/^ {3}#\d+/gm)).toHaveLength(3);
  });

  it('advises for the servers that were seen, also where the request itself does not tell', async () => {
    const refused = (n: number) =>
      nth(n, {
        outcome: 'not-connected',
        allParams: [],
        stdout: '',
        findings: [{ ...finding('x-sendfile-missing'), advice: ['Look twice.'] }],
      });
    const unknown = (await printed([refused(1)])).text;
    expect(unknown).toContain('- lighttpd: ');
    expect(unknown).toContain('- nginx: ');
    const seen = (await printed([refused(1), nth(2, { params: { SERVER_SOFTWARE: 'nginx/1.22.1' } })])).text;
    expect(seen).toContain('- nginx: ');
    expect(seen).not.toContain('- lighttpd: ');
  });

  it('counts from rows what is not kept any more', async () => {
    const gone = killed(1);
    const inspection = new FakeInspection();
    const collected = new CollectedOutput();
    const output = report({ ...collected.options(inspection), color: false });
    await output.rows([rowOf(gone.exchange)]);
    await output.end(sessionSummary());
    expect(collected.text).toContain('crash-mid-response, 1 of 1 request, at 00:26:41.123');
  });

  it('is written also when the session has died', async () => {
    const inspection = new FakeInspection().put(killed(1));
    inspection.overview = () => Promise.reject(new Error('gone'));
    const collected = new CollectedOutput();
    const output = report({ ...collected.options(inspection), color: false });
    await output.rows([rowOf(killed(1).exchange)]);
    await output.end(sessionSummary());
    expect(collected.text).toMatch(/^1 request, 1 failed, .*\n/);
  });

  it('redacts unless told not to', async () => {
    const secret = killed(1, {
      params: { REQUEST_URI: '/?token=geheim', HTTP_COOKIE: 'session=geheim99' },
      findings: [
        {
          ...finding('crash-mid-response'),
          detail: 'It had session=geheim99 in it.',
          evidence: [{ kind: 'param', name: 'HTTP_COOKIE' }],
        },
      ],
    });
    expect((await printed([secret])).text).not.toContain('geheim');
    const { text } = await printed([secret], { redact: false });
    expect(text).toContain('/?token=geheim');
    expect(text).toContain('param HTTP_COOKIE = session=geheim99');
  });

  it('keeps to 80 columns, or to those of a narrower terminal, with colours or without', async () => {
    const stored = [
      killed(1, { params: script(`/${'long'.repeat(60)}.php`) }),
      nth(2, { findings: [finding('php-fatal')] }),
    ];
    for (const [width, most] of [
      [undefined, 80],
      [200, 80],
      [60, 60],
    ] as const) {
      const { text } = await printed(stored, width === undefined ? {} : { width });
      for (const line of text.split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(most);
      const coloured = (await printed(stored, { color: true, ...(width === undefined ? {} : { width }) })).text;
      expect(coloured).toContain('\x1b[31m');
      expect(coloured.replaceAll(/\x1b\[\d+m/g, '')).toBe(text);
    }
  });

  it('shows nothing that moves the cursor, whatever was captured', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        const evil = {
          ...finding('crash-mid-response'),
          detail: text,
          advice: [text],
          alternatives: [{ cause: text, tell: text }],
          look: [text],
          evidence: [
            { kind: 'stderr', text },
            { kind: 'param', name: text },
            { kind: 'header', name: text },
          ] as const,
        };
        const stored = killed(1, {
          params: { [text]: text, REQUEST_METHOD: text },
          findings: [evil],
          override: { url: text, script: text, server: { kind: 'unix', path: text } },
        });
        const shown = (await printed([stored], { redact: false, warnings: [text] })).text;
        expect(/[\p{Cc}\p{Cs}\p{Bidi_Control}]/u.test(shown.replaceAll('\n', ''))).toBe(false);
      }),
      { numRuns: 50 },
    );
  });
});
