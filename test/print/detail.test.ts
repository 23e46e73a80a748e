import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { detail } from '../../src/print/detail.js';
import { CollectedOutput } from '../support/collected-output.js';
import {
  BEGIN,
  connectionSummary,
  type ExchangeOptions,
  finding,
  stdoutOf,
  storedExchange,
} from '../support/exchange-fixture.js';
import { FakeInspection } from '../support/fake-inspection.js';

process.env.TZ = 'UTC';

async function printed(options: ExchangeOptions, print: { color?: boolean; redact?: boolean; kept?: boolean } = {}) {
  const collected = new CollectedOutput();
  const stored = storedExchange(options);
  const inspection = new FakeInspection();
  if (print.kept ?? true) inspection.put(stored);
  const given = { ...collected.options(inspection, 'none', print.redact ?? true), color: print.color ?? false };
  await detail(given).exchange(stored.exchange);
  return { text: collected.text, collected, inspection };
}

/** A response that a killed worker left in the middle. */
const KILLED: ExchangeOptions = {
  outcome: 'backend-reset',
  params: { HTTP_COOKIE: 'a=geheim', EVIL: '\x1b]0;title\x07\n', REQUEST_METHOD: 'POST' },
  stdin: 'user=joe',
  stdout: stdoutOf('Status: 200 OK\nContent-Type: text/plain', 'a'.repeat(20_000)),
  stderr: 'PHP Warning:  \x1b[31mred\r\nsecond line',
  timing: { lastStdout: 20, end: 32.3 },
  findings: [finding('worker-killed'), finding('slow-request', 'note')],
  override: {
    connectionEnd: {
      endedBy: 'backend',
      how: 'reset',
      at: BEGIN + 32_300,
      afterRecords: 9,
      afterRecord: 'STDOUT record 3',
    },
    problems: [
      {
        code: 'truncated-record',
        at: BEGIN + 32_300,
        side: 'server',
        offset: 20_200,
        length: 12,
        message: 'the record announces 8192 bytes, 12 came',
      },
    ],
  },
};

describe('detail', () => {
  it('tells a request from its line to the end of its connection', async () => {
    const { text } = await printed(KILLED);
    await expect(text).toMatchFileSnapshot(join(import.meta.dirname, '../golden/detail-backend-reset.txt'));
    expect(text).not.toContain('geheim');
    expect(text).not.toContain('\x1b');
  });

  it('keeps secrets on demand', async () => {
    expect((await printed(KILLED, { redact: false })).text).toContain('    HTTP_COOKIE = a=geheim\n');
  });

  it('colours only when told', async () => {
    const { text } = await printed(KILLED, { color: true });
    expect(text.replaceAll(/\x1b\[\d+m/g, '')).toBe((await printed(KILLED)).text);
    expect(text).toContain('\x1b[31merror\x1b[0m');
  });

  it('pages through the records and writes as it goes', async () => {
    const { text, collected, inspection } = await printed({
      stdout: stdoutOf('A: b', 'x'.repeat(250_000)),
      recordSize: 100,
    });
    expect(text.match(/STDOUT {8}/g)).toHaveLength(2502);
    expect(inspection.calls.filter((call) => call.startsWith('records'))).toHaveLength(3);
    expect(collected.chunks.length).toBeGreaterThan(2);
  });

  it('says what is not kept any more', async () => {
    const { text } = await printed({}, { kept: false });
    expect(text).toContain('    7 records are not kept any more\n');
  });

  it.each([
    ['reset', 1],
    ['fin', 0],
  ] as const)('tells what could not be passed on of the end that the request met (%s)', async (how, times) => {
    const end = { endedBy: 'web-server', at: BEGIN + 5_000, afterRecords: 3, afterRecord: 'STDIN record 1' } as const;
    const stored = storedExchange({ outcome: 'web-server-reset', override: { connectionEnd: { ...end, how } } });
    const notes = ['the reset reached the backend as a plain close\x1b'];
    const inspection = new FakeInspection().put(stored).putConnection(connectionSummary({ notes }));
    const collected = new CollectedOutput();
    await detail({ ...collected.options(inspection), color: false }).exchange(stored.exchange);
    const told = collected.text.match(/\n {4}the reset reached the backend as a plain close.+\n\n$/g) ?? [];
    expect(told).toHaveLength(times);
    expect(collected.text).not.toContain('\x1b');
  });

  it('tells a connection that failed', async () => {
    const { text } = await printed({
      outcome: 'not-connected',
      allParams: [],
      stdout: '',
      override: {
        requestId: 0,
        records: { total: 0, gaps: 0, problems: 0 },
        failure: { reason: 'refused', errno: 'ECONNREFUSED', message: 'connect ECONNREFUSED 127.0.0.1:9000' },
      },
    });
    expect(text).toContain('    the backend could not be reached: it refused the connection (connect ECONNREFUSED');
  });

  it('tells the log lines that are about it, without secrets and escapes', async () => {
    const stored = storedExchange({ params: { HTTP_COOKIE: 'a=geheimnis' } });
    const line = { file: '/var/log/fpm.log', at: BEGIN, resolution: 1_000_000, meaning: 'It was killed.' };
    const inspection = new FakeInspection()
      .put(stored)
      .putLogs(
        1,
        { ...line, line: 12, text: 'child 9 \x1b[2J /x?token=abc a=geheimnis', isNamed: false },
        { ...line, line: null, text: 'GET /index.php', meaning: null, isNamed: true },
      );
    const collected = new CollectedOutput();
    await detail({ ...collected.options(inspection), color: false }).exchange(stored.exchange);
    expect(collected.text).toContain(
      [
        '  logs (2)',
        '    fpm.log:12: child 9 ␛[2J /x?token=[redacted] [redacted] (it names no request, and fits this one in time and kind)',
        '      It was killed.',
        '    fpm.log: GET /index.php',
        '',
      ].join('\n'),
    );
  });
});
