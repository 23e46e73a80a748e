import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ndjson } from '../../src/export/ndjson.js';
import type { Outcome } from '../../src/model/exchange.js';
import type { BodyMode } from '../../src/model/output.js';
import { CollectedOutput, sessionSummary } from '../support/collected-output.js';
import {
  connectionSummary,
  type ExchangeOptions,
  finding,
  type StoredExchange,
  stdoutOf,
  storedExchange,
} from '../support/exchange-fixture.js';
import { FakeInspection } from '../support/fake-inspection.js';

const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../docs/ndjson.schema.json'), 'utf8'));
const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);

/** As the schema describes it; tests compare, they do not compute with it. */
type Request = ReturnType<typeof JSON.parse>;

function parsed(text: string): Request[] {
  expect(text.endsWith('\n')).toBe(true);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => {
      const value = JSON.parse(line);
      expect(validate(value), `${JSON.stringify(validate.errors)} in ${line}`).toBe(true);
      return value;
    });
}

async function written(stored: StoredExchange, bodies: BodyMode = 'none', redact = true) {
  const collected = new CollectedOutput();
  const inspection = new FakeInspection().put(stored);
  const output = ndjson(collected.options(inspection, bodies, redact));
  await output.exchange(stored.exchange);
  await output.flush?.();
  return { request: parsed(collected.text)[0], collected, inspection };
}

const of = (options: ExchangeOptions, bodies?: BodyMode, redact?: boolean) =>
  written(storedExchange(options), bodies, redact).then(({ request }) => request);

describe('a request', () => {
  it('is written as the contract says, keys in its order', async () => {
    const { collected } = await written(
      storedExchange({
        params: { HTTP_USER_AGENT: null, SERVER_NAME: null, SERVER_PORT: null, SERVER_PROTOCOL: null },
        stdin: 'abc',
        findings: [finding('slow-request', 'warning')],
      }),
    );
    const expected = {
      type: 'request',
      n: 1,
      connection: 1,
      requestId: 1,
      client: '127.0.0.1:40000',
      server: '127.0.0.1:9000',
      role: 'responder',
      keepConnection: false,
      outcome: 'completed',
      at: 1789000000.123456,
      method: 'GET',
      url: 'http://shop.example/index.php?x=1',
      script: '/srv/www/index.php',
      status: 200,
      appStatus: 0,
      protocolStatus: 'request-complete',
      timing: { params: 0.1, stdin: 0.2, firstStdout: 12.5, lastStdout: 13, total: 13.1 },
      params: [
        ['SCRIPT_FILENAME', '/srv/www/index.php'],
        ['SCRIPT_NAME', '/index.php'],
        ['REQUEST_METHOD', 'GET'],
        ['REQUEST_URI', '/index.php?x=1'],
        ['QUERY_STRING', 'x=1'],
        ['REQUEST_SCHEME', 'http'],
        ['HTTP_HOST', 'shop.example'],
      ],
      responseHeaders: [
        ['Content-Type', 'text/html; charset=UTF-8'],
        ['X-Powered-By', 'PHP/8.2'],
      ],
      records: { total: 8, gaps: 0, problems: 0 },
      stdin: { bytes: 3, records: 1, ended: true },
      stdout: { bytes: 80, records: 1, ended: true },
      stderr: { bytes: 0, records: 0, ended: false },
      data: { bytes: 0, records: 0, ended: false },
      findings: [
        {
          id: 'slow-request',
          severity: 'warning',
          title: 'The title of slow-request',
          detail: 'What was seen in this request.',
          advice: ['Look at the first thing.', 'Then at the second.'],
        },
      ],
    };
    expect(collected.text).toBe(`${JSON.stringify(expected)}\n`);
    expect(collected.chunks).toHaveLength(1);
  });

  it('has all its keys when little is known', async () => {
    const request = await of({
      allParams: [],
      stdout: '',
      outcome: 'not-connected',
      timing: { paramsEnd: null, stdinEnd: null },
      override: { requestId: 0, role: 'unknown', keepConnection: null },
    });
    expect(request).toMatchObject({
      requestId: 0,
      role: 'unknown',
      keepConnection: null,
      method: null,
      url: null,
      script: null,
      status: null,
      appStatus: null,
      protocolStatus: null,
      responseHeaders: null,
      params: [],
      timing: { params: null, stdin: null, firstStdout: null, lastStdout: null, total: 13.1 },
    });
  });

  it('has no status while the header block is not whole', async () => {
    const request = await of({ stdout: 'Status: 404\r\nX-Cut: of', outcome: 'backend-reset' });
    expect(request.status).toBeNull();
    expect(request.responseHeaders).toEqual([
      ['Status', '404'],
      ['X-Cut', 'of'],
    ]);
  });

  it('writes a param that is not UTF-8 as its bytes, keeps order and duplicates', async () => {
    const request = await of({
      allParams: [
        { name: 'A', value: '1' },
        { name: 'B', value: 'x\ufffd', bytes: Uint8Array.from([0x78, 0xff]) },
        { name: 'A', value: '2' },
      ],
    });
    expect(request.params).toEqual([
      ['A', '1'],
      ['B', { base64: 'eP8=' }],
      ['A', '2'],
    ]);
  });

  it('stays one valid line whatever the text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 50 }), async (text, bytes) => {
        const stored = storedExchange({
          params: { REQUEST_METHOD: text, X_TEXT: text },
          stdin: bytes,
          stderr: text,
          stdout: stdoutOf(`X-Text: ${text.replaceAll(/[\r\n]/g, '')}`, bytes),
        });
        for (const bodies of ['none', 'text', 'base64', 'sha256'] as const) {
          const { request, collected } = await written(stored, bodies, false);
          expect(collected.text.indexOf('\n')).toBe(collected.text.length - 1);
          expect(request.method).toBe(text);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('--bodies', () => {
  const binary = Uint8Array.from({ length: 600_001 }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
  const text = 'grüße 😀 "quoted"\n\0'.repeat(40_000);

  it('text: as text where it is UTF-8, as base64 where not', async () => {
    const request = await of({ stdin: text, stdout: stdoutOf('A: b', binary), stderr: 'oops\n' }, 'text');
    expect(request.stdin.text).toBe(text);
    expect(Buffer.compare(Buffer.from(request.stdout.base64, 'base64'), stdoutOf('A: b', binary))).toBe(0);
    expect(request.stderr).toEqual({ bytes: 5, records: 1, ended: false, text: 'oops\n' });
    expect(request.data.text).toBe('');
  });

  it('base64: always', async () => {
    const request = await of({ stdin: binary, stderr: 'oops\n' }, 'base64');
    expect(Buffer.compare(Buffer.from(request.stdin.base64, 'base64'), binary)).toBe(0);
    expect(request.stderr.base64).toBe('b29wcwo=');
    expect(request.data.base64).toBe('');
  });

  it('sha256: of the bytes as they were on the wire', async () => {
    const stdout = stdoutOf('Set-Cookie: secret', binary);
    const request = await of({ stdin: binary, stdout }, 'sha256');
    const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
    expect(request.stdin.sha256).toBe(hash(binary));
    expect(request.stdout.sha256).toBe(hash(stdout));
    expect(request.stdout.redacted).toBeUndefined();
    expect(request.data.sha256).toBe(hash(new Uint8Array(0)));
  });

  it('pulls and writes large bodies in slices', async () => {
    const { collected, inspection } = await written(storedExchange({ stdin: binary }), 'base64');
    expect(Math.max(...collected.chunks.map((chunk) => chunk.length))).toBeLessThan(500_000);
    expect(inspection.calls.filter((call) => call.includes('stdin')).length).toBeGreaterThan(2);
  });

  it('says what is missing and leaves it out', async () => {
    const gaps = { stdin: [[10, 20] as const] };
    const content = 'abcdefghij##########klm';
    expect((await of({ stdin: content, gaps }, 'text')).stdin).toEqual({
      bytes: 13,
      records: 1,
      ended: true,
      text: 'abcdefghijklm',
      missing: 10,
    });
    expect((await of({ stdin: content, gaps })).stdin).toMatchObject({ bytes: 13, missing: 10 });
    expect((await of({ stdin: content, gaps }, 'sha256')).stdin.missing).toBe(10);
  });

  it('says so when the bytes are not kept any more', async () => {
    const collected = new CollectedOutput();
    const { exchange } = storedExchange({ stdin: 'abc' });
    const output = ndjson(collected.options(new FakeInspection(), 'text'));
    await output.exchange(exchange);
    await output.flush?.();
    expect(parsed(collected.text)[0].stdin).toEqual({ bytes: 3, records: 1, ended: true, text: '', missing: 3 });
  });
});

it('gives up a line that cannot be finished, and writes the next whole', async () => {
  const collected = new CollectedOutput();
  const one = storedExchange({ stdin: 'a'.repeat(600_000), params: { CONTENT_TYPE: 'text/plain' } });
  const inspection = new FakeInspection().put(one);
  const output = ndjson(collected.options(inspection, 'base64'));
  const body = inspection.body.bind(inspection);
  inspection.body = (n, stream, from, length) =>
    from > 300_000 ? Promise.reject(new Error('the worker has died')) : body(n, stream, from, length);
  await expect(output.exchange(one.exchange)).rejects.toThrow('died');
  await output.end(sessionSummary());
  const [broken, summary, rest] = collected.text.split('\n');
  expect(() => JSON.parse(broken!)).toThrow();
  expect(JSON.parse(summary!).type).toBe('summary');
  expect(rest).toBe('');
});

describe('redaction', () => {
  const options: ExchangeOptions = {
    params: {
      HTTP_COOKIE: 'PHPSESSID=geheim1',
      CONTENT_TYPE: 'application/x-www-form-urlencoded',
      QUERY_STRING: 'token=geheim2',
      REQUEST_URI: '/?token=geheim2',
    },
    stdin: 'user=joe&password=geheim3',
    stdout: stdoutOf('Set-Cookie: id=geheim4\nContent-Type: text/plain', 'the body'),
  };

  it.each(['none', 'text', 'base64'] as const)('leaves no secret with --bodies %s', async (bodies) => {
    const { collected, request } = await written(storedExchange(options), bodies);
    const everything = collected.text + Buffer.from(request.stdin.base64 ?? '', 'base64').toString();
    expect(everything + Buffer.from(request.stdout.base64 ?? '', 'base64').toString()).not.toContain('geheim');
    expect(request.url).toBe('http://shop.example/?token=[redacted]');
  });

  it('says where bodies were changed, and leaves their totals as they were', async () => {
    const request = await of(options, 'text');
    expect(request.stdin).toMatchObject({ bytes: 25, text: 'user=joe&password=[redacted]', redacted: true });
    expect(request.stdout.text).toBe('Set-Cookie: [redacted]\r\nContent-Type: text/plain\r\n\r\nthe body');
    expect(request.stdout.redacted).toBe(true);
    expect(request.stdout.missing).toBeUndefined();
  });

  it('withholds a form that cannot be looked through', async () => {
    const packed = await of({ ...options, params: { ...options.params, HTTP_CONTENT_ENCODING: 'gzip' } }, 'text');
    expect(packed.stdin).toEqual({ bytes: 25, records: 1, ended: true, redacted: true });
    const large = await of({ ...options, stdin: 'a'.repeat(5_000_000) }, 'base64');
    expect(large.stdin).toEqual({ bytes: 5_000_000, records: 611, ended: true, redacted: true });
    const holed = await of({ ...options, gaps: { stdin: [[10, 12]] } }, 'text');
    expect(holed.stdin).toEqual({ bytes: 23, records: 1, ended: true, redacted: true, missing: 2 });
  });

  it('is off on demand', async () => {
    const request = await of(options, 'text', false);
    expect(request.params).toContainEqual(['HTTP_COOKIE', 'PHPSESSID=geheim1']);
    expect(request.stdin.text).toBe('user=joe&password=geheim3');
    expect(request.stdout.redacted).toBeUndefined();
  });
});

describe('connection and summary', () => {
  it('are written as the contract says', async () => {
    const collected = new CollectedOutput();
    const output = ndjson(collected.options(new FakeInspection()));
    await output.connection(connectionSummary());
    await output.connection(connectionSummary({ endedBy: null, how: null, client: { kind: 'unix', path: '' } }));
    const notes = ['the reset reached the backend as a plain close'];
    await output.connection(connectionSummary({ endedBy: 'web-server', how: 'reset', notes }));
    await output.end(sessionSummary());
    expect(parsed(collected.text)[2]).toMatchObject({ how: 'reset', notes });
    expect(collected.text.split('\n')[0]).toBe(
      '{"type":"connection","connection":1,"client":"127.0.0.1:40000","server":"127.0.0.1:9000","at":1789000000.123356,' +
        '"requests":1,"endedBy":"backend","how":"fin","bytes":{"client":300,"server":5200},"managementRecords":0,' +
        '"problems":0,"notes":[],"findings":[]}',
    );
    expect(parsed(collected.text)[3]).toEqual({
      type: 'summary',
      connections: 1,
      requests: 1,
      completed: 1,
      findings: { error: 0, warning: 0, note: 0 },
      evicted: 0,
      seconds: 0.02,
    });
  });
});

it('the schema knows every outcome and refuses what is not in the contract', async () => {
  const outcomes: Outcome[] = ['completed', 'rejected', 'aborted', 'backend-closed', 'backend-reset'];
  outcomes.push('web-server-closed', 'web-server-reset', 'not-connected', 'unfinished', 'undecodable');
  for (const outcome of outcomes) expect((await of({ outcome })).outcome).toBe(outcome);
  const request = await of({});
  for (const key of Object.keys(request)) {
    const { [key]: _gone, ...rest } = request;
    expect(validate(rest), `without ${key}`).toBe(false);
  }
  expect(validate({ ...request, extra: 1 })).toBe(false);
});
