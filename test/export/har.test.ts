import { brotliCompressSync, deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { har } from '../../src/export/har.js';
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
import { validateHar } from '../support/har-schema.js';

/** HAR as a reader gets it: what is compared, not computed with. */
type Har = ReturnType<typeof JSON.parse>;

/** The numbers without which Chrome refuses the file. */
function chromeNumbers(entry: Har): unknown[] {
  const { request, response, timings } = entry;
  return [
    entry.time,
    response.status,
    response.headersSize,
    response.bodySize,
    response.content.size,
    request.headersSize,
    request.bodySize,
    timings.send,
    timings.wait,
    timings.receive,
  ];
}

function checked(text: string): Har {
  const file = JSON.parse(text);
  expect(validateHar(file), JSON.stringify(validateHar.errors)).toBe(true);
  const { log } = file;
  expect(log.version).toBe('1.2');
  expect(log.creator).toEqual({ name: 'fcgi-inspect', version: '1.2.3' });
  expect(log.pages).toHaveLength(1);
  expect(log.pages[0].pageTimings).toBeTypeOf('object');
  expect(Date.parse(log.pages[0].startedDateTime)).not.toBeNaN();
  for (const entry of log.entries) {
    expect(entry.pageref).toBe(log.pages[0].id);
    for (const number of chromeNumbers(entry)) expect(Number.isFinite(number), JSON.stringify(entry)).toBe(true);
    const { blocked, dns, connect, ssl, send, wait, receive } = entry.timings;
    for (const part of [send, wait, receive]) expect(part).toBeGreaterThanOrEqual(0);
    const sum = [blocked, dns, connect, ssl, send, wait, receive]
      .filter((part) => part >= 0)
      .reduce((a, b) => a + b, 0);
    expect(entry.time).toBeCloseTo(sum, 6);
    expect(entry.cache).toEqual({});
    expect(entry.response.redirectURL).toBeTypeOf('string');
    for (const list of [entry.request.cookies, entry.request.headers, entry.request.queryString]) {
      expect(Array.isArray(list)).toBe(true);
    }
    // What har-to-k6 refuses beyond the schema.
    expect(entry.request.method).not.toBe('');
    expect(entry.request.url).toMatch(/^[^:]+:\/\//);
    for (const { name } of [...entry.request.headers, ...entry.request.cookies, ...entry.response.cookies]) {
      expect(name).not.toBe('');
    }
    if (entry.request.postData?.params?.length) {
      expect(entry.request.postData.mimeType).toMatch(/^(multipart\/form-data|application\/x-www-form-urlencoded)/);
    }
    if (entry.request.postData) expect(entry.request.postData.text).toBeTypeOf('string');
  }
  return file;
}

async function written(stored: readonly StoredExchange[], redact = true): Promise<Har> {
  const collected = new CollectedOutput();
  const inspection = new FakeInspection().put(...stored);
  const output = har(collected.options(inspection, 'none', redact));
  for (const one of stored) await output.exchange(one.exchange);
  await output.end(sessionSummary());
  return checked(collected.text);
}

const entryOf = async (options: ExchangeOptions, redact = true): Promise<Har> =>
  (await written([storedExchange(options)], redact)).log.entries[0];

describe('an entry', () => {
  it('says what an ordinary request was', async () => {
    const entry = await entryOf({ findings: [finding('slow', 'note')], stderr: 'PHP \x1b[31mWarning\nsecond' });
    expect(entry).toMatchObject({
      pageref: 'page_1',
      startedDateTime: '2026-09-10T00:26:40.123Z',
      time: 13.1,
      timings: { blocked: -1, dns: -1, connect: -1, ssl: -1, send: 0.2, wait: 12.3, receive: 0.6 },
      serverIPAddress: '127.0.0.1',
      connection: '1',
      _connectionId: '1',
      _resourceType: 'document',
      request: {
        method: 'GET',
        url: 'http://shop.example/index.php?x=1',
        httpVersion: 'HTTP/1.1',
        headers: [
          { name: 'Host', value: 'shop.example' },
          { name: 'User-Agent', value: 'curl/8.0' },
        ],
        queryString: [{ name: 'x', value: '1' }],
        headersSize: -1,
        bodySize: 0,
      },
      response: {
        status: 200,
        httpVersion: 'HTTP/1.1',
        content: { size: 15, mimeType: 'text/html; charset=UTF-8', text: '<h1>Hello</h1>\n' },
        bodySize: 15,
        headersSize: 65,
        _transferSize: 80,
      },
      _fastcgi: {
        role: 'responder',
        requestId: 1,
        outcome: 'completed',
        appStatus: 0,
        protocolStatus: 'request-complete',
        stderr: 'PHP ␛[31mWarning\nsecond',
        records: { total: 8, gaps: 0, problems: 0 },
        findings: [{ id: 'slow', severity: 'note' }],
      },
    });
    expect(entry._fastcgi.params).toContainEqual({ name: 'SCRIPT_FILENAME', value: '/srv/www/index.php' });
    expect(entry.response._error).toBeUndefined();
    expect(entry.request.postData).toBeUndefined();
    expect(
      Object.keys(entry).filter(
        (key) =>
          !/^_|^(pageref|startedDateTime|time|request|response|cache|timings|serverIPAddress|connection)$/.test(key),
      ),
    ).toEqual([]);
  });

  it('gives headers back the names that HTTP writes', async () => {
    const entry = await entryOf({
      params: {
        HTTP_X_FORWARDED_FOR: '1.2.3.4',
        HTTP_DNT: '1',
        HTTP_IF_NONE_MATCH: '"x"',
        CONTENT_TYPE: 'text/plain',
        HTTP_CONTENT_TYPE: 'text/plain',
        CONTENT_LENGTH: '',
        HTTP_: 'odd',
        HTTPS: 'on',
      },
    });
    expect(entry.request.headers.map((header: Har) => header.name)).toEqual([
      'Host',
      'User-Agent',
      'X-Forwarded-For',
      'DNT',
      'If-None-Match',
      'Content-Type',
    ]);
  });

  it('keeps duplicates of the query and of response headers', async () => {
    const entry = await entryOf({
      params: { QUERY_STRING: 'a=1&b=%C3%BC&a=2&c' },
      stdout: stdoutOf('X-A: 1\nX-A: 2', ''),
    });
    expect(entry.request.queryString).toEqual([
      { name: 'a', value: '1' },
      { name: 'b', value: 'ü' },
      { name: 'a', value: '2' },
      { name: 'c', value: '' },
    ]);
    expect(entry.response.headers).toHaveLength(2);
  });

  it('takes cookies apart when they are not redacted', async () => {
    const options = {
      params: { HTTP_COOKIE: 'a=1; b=x=y; =z;; novalue' },
      stdout: stdoutOf(
        'Set-Cookie: s=1; Path=/; Expires=Wed, 09 Jun 2027 10:18:14 GMT; HttpOnly; Secure; SameSite=Lax\nset-cookie: t=2; expires=never\nSet-Cookie: =x\nSet-Cookie: u=3; expires=Wed, 09 Jun 20270 10:18:14 GMT',
        '',
      ),
    };
    const entry = await entryOf(options, false);
    expect(entry.request.cookies).toEqual([
      { name: 'a', value: '1' },
      { name: 'b', value: 'x=y' },
    ]);
    expect(entry.response.cookies).toEqual([
      {
        name: 's',
        value: '1',
        path: '/',
        expires: '2027-06-09T10:18:14.000Z',
        httpOnly: true,
        secure: true,
        sameSite: 'Lax',
      },
      { name: 't', value: '2' },
      { name: 'u', value: '3' },
    ]);
    expect((await entryOf(options)).request.cookies).toEqual([]);
  });

  it('names a redirect and a status', async () => {
    const entry = await entryOf({ stdout: stdoutOf('Status: 303 See Other\nLocation: /next', '') });
    expect(entry.response).toMatchObject({ status: 303, statusText: 'See Other', redirectURL: '/next', bodySize: 0 });
  });

  it('leaves out the address of a Unix socket', async () => {
    const entry = await entryOf({ override: { server: { kind: 'unix', path: '/run/php/fpm.sock' }, url: null } });
    expect(entry).not.toHaveProperty('serverIPAddress');
    expect(entry.request.url).toBe('fastcgi://unix/run/php/fpm.sock');
    const six = await entryOf({ override: { server: { kind: 'tcp', host: '::1', port: 9000 } } });
    expect(six.serverIPAddress).toBe('::1');
    const name = await entryOf({ override: { server: { kind: 'tcp', host: 'backend', port: 9000 } } });
    expect(name).not.toHaveProperty('serverIPAddress');
  });
});

it('bears times that no calendar has', async () => {
  for (const begin of [0, -5, 1e15 * 100, 9e18]) await entryOf({ begin });
});

describe('timings', () => {
  it.each([
    ['a response that begins before the request is whole', { stdinEnd: 20, firstStdout: 5, end: 30 }, [20, 0, 10]],
    ['an end before the request is whole', { stdinEnd: 20, firstStdout: 5, end: 10 }, [10, 0, 0]],
    ['no response', { stdinEnd: 1, firstStdout: null, lastStdout: null, end: 10 }, [1, 9, 0]],
    ['no STDIN', { stdinEnd: null, firstStdout: 2, end: 3 }, [0.1, 1.9, 1]],
    ['nothing at all', { paramsEnd: null, stdinEnd: null, firstStdout: null, lastStdout: null, end: null }, [0, 0, 0]],
  ])('%s', async (_name, timing, [send, wait, receive]) => {
    const entry = await entryOf({ timing });
    expect(entry.timings).toMatchObject({ send, wait, receive });
  });
});

describe('a response that is not whole', () => {
  it('none: status 0, sizes -1, an error', async () => {
    const entry = await entryOf({ stdout: '', outcome: 'backend-closed' });
    expect(entry.response).toMatchObject({
      status: 0,
      content: { size: 0, mimeType: 'x-unknown' },
      headersSize: -1,
      bodySize: -1,
      _error: 'backend-closed',
    });
  });

  it('a part keeps its status and text', async () => {
    const entry = await entryOf({
      outcome: 'backend-reset',
      override: {
        connectionEnd: {
          endedBy: 'backend',
          how: 'reset',
          at: BEGIN + 13_000,
          afterRecords: 5,
          afterRecord: 'STDOUT record 4',
        },
      },
    });
    expect(entry.response).toMatchObject({
      status: 200,
      content: { text: '<h1>Hello</h1>\n' },
      _error: 'backend-reset after STDOUT record 4',
    });
  });

  it('a header block that is cut off: all of STDOUT, without its secrets', async () => {
    const entry = await entryOf({ outcome: 'backend-reset', stdout: 'Status: 404\r\nSet-Cookie: geheim\r\nX-Cut: of' });
    expect(entry.response.status).toBe(0);
    expect(entry.response.content.text).toBe('Status: 404\r\nSet-Cookie: [redacted]\r\nX-Cut: of');
  });

  it('rejected, not connected, no header block', async () => {
    const rejected = await entryOf({ stdout: '', outcome: 'rejected', override: { protocolStatus: 'overloaded' } });
    expect(rejected.response._error).toBe('rejected: overloaded');
    const refused = await entryOf({
      allParams: [],
      stdout: '',
      outcome: 'not-connected',
      override: { failure: { reason: 'refused', errno: 'ECONNREFUSED', message: 'refused' }, requestId: 0 },
    });
    expect(refused.response._error).toBe('not-connected: ECONNREFUSED');
    expect(refused.request).toMatchObject({ method: 'UNKNOWN', url: 'fastcgi://127.0.0.1:9000/' });
    expect((await entryOf({ stdout: '' })).response._error).toBe('no complete header block');
  });
});

describe('content', () => {
  const text = 'grüße, a long and repetitive text. '.repeat(100);
  const size = Buffer.byteLength(text);

  it.each([
    ['gzip', gzipSync(text)],
    ['deflate', deflateRawSync(text)],
    ['br', brotliCompressSync(text)],
  ])('%s is decoded: size, wire size and what was saved', async (encoding, packed) => {
    const entry = await entryOf({
      stdout: stdoutOf(`Content-Type: text/plain\nContent-Encoding: ${encoding}`, packed),
    });
    expect(entry.response.content).toEqual({ size, compression: size - packed.length, mimeType: 'text/plain', text });
    expect(entry.response.bodySize).toBe(packed.length);
  });

  it('a packed body that is cut off gives what came before the cut', async () => {
    const packed = gzipSync(Array.from({ length: 5000 }, (_, i) => `line ${i} ${(i * 7919) % 1009}`).join('\n'));
    const half = packed.subarray(0, packed.length >> 1);
    const entry = await entryOf({ stdout: stdoutOf('Content-Type: text/plain\nContent-Encoding: gzip', half) });
    expect(entry.response.content.text).toMatch(/^line 0 0\nline 1 856\n/);
    expect(entry.response.content.comment).toMatch(/cut off/);
    expect(entry.response.content).not.toHaveProperty('compression');
  });

  it('honours the charset; binary, and text that is not what its label says, go as base64', async () => {
    const latin = await entryOf({
      stdout: stdoutOf('Content-Type: text/plain; charset=iso-8859-1', Uint8Array.from([0xfc])),
    });
    expect(latin.response.content).toMatchObject({ size: 1, text: 'ü' });
    const image = await entryOf({
      stdout: stdoutOf('Content-Type: image/png', Uint8Array.from([0x89, 0x50, 0, 0xff])),
    });
    expect(image.response.content).toMatchObject({ size: 4, text: 'iVAA/w==', encoding: 'base64' });
    const lie = await entryOf({
      stdout: stdoutOf('Content-Type: text/plain; charset=utf-8', Uint8Array.from([0x61, 0xff])),
    });
    expect(lie.response.content).toMatchObject({ text: 'Yf8=', encoding: 'base64' });
  });

  it('invents no error for a response that was not kept', async () => {
    const stdout = 'Status: 200\r\nSet-Cookie: sid=s3cret\r\n\r\nabc';
    const lost = { status: 200, reason: '', headers: [], complete: true, length: 0, invalidLines: [] };
    const all = { stdout: [[0, stdout.length] as const] };
    for (const response of [null, lost]) {
      const { response: gone } = await entryOf({ stdout, gaps: all, override: { response } });
      expect(gone._error).toBeUndefined();
      expect(gone).toMatchObject({ status: response === null ? 0 : 200, headersSize: -1, bodySize: -1 });
      expect(gone.content).toEqual({
        size: 0,
        mimeType: 'x-unknown',
        comment: `the response was not kept: ${stdout.length} bytes are missing`,
      });
      // What is left of a header block whose end nobody knows may be half a secret.
      const half = await entryOf({ stdout, gaps: { stdout: [[30, stdout.length]] }, override: { response } });
      expect(half.response._error).toBeUndefined();
      expect(JSON.stringify(half)).not.toContain('sid=');
    }
    const cut = await entryOf({ stdout: 'Status: 200\r\n' });
    expect(cut.response._error).toBe('no complete header block');
  });

  it('says what is missing, and leaves out the text of a body that was not kept', async () => {
    const stdout = stdoutOf('Content-Type: text/plain', 'abc###def');
    const start = stdout.length - 9;
    const gap = await entryOf({ stdout, gaps: { stdout: [[start + 3, start + 6]] } });
    expect(gap.response.content).toMatchObject({ size: 6, text: 'abcdef', comment: '3 bytes are missing' });
    const gone = await entryOf({ stdout, gaps: { stdout: [[start, start + 9]] } });
    expect(gone.response.content).not.toHaveProperty('text');
    expect(gone.response.content.comment).toMatch(/not kept: 9 bytes/);
  });

  it('leaves out the text of one that is too large, and stops a bomb', async () => {
    const large = await entryOf({ stdout: stdoutOf('Content-Type: text/plain', 'a'.repeat(17_000_000)) });
    expect(large.response.content).toMatchObject({
      size: 17_000_000,
      comment: '17000000 bytes, too large to be written here',
    });
    const bomb = gzipSync(Buffer.alloc(40_000_000, 'a'));
    const entry = await entryOf({ stdout: stdoutOf('Content-Type: text/plain\nContent-Encoding: gzip', bomb) });
    expect(entry.response.content.text).toHaveLength(16 * 1024 * 1024);
    expect(entry.response.content.comment).toMatch(/only the first/);
  });
});

describe('postData', () => {
  const form = { REQUEST_METHOD: 'POST', CONTENT_TYPE: 'application/x-www-form-urlencoded' };

  it('text and params of a form, without its secrets', async () => {
    const stdin = 'a=1&password=geheim&a=2';
    expect((await entryOf({ params: form, stdin })).request).toMatchObject({
      bodySize: 23,
      postData: {
        mimeType: 'application/x-www-form-urlencoded',
        text: 'a=1&password=[redacted]&a=2',
        params: [
          { name: 'a', value: '1' },
          { name: 'password', value: '[redacted]' },
          { name: 'a', value: '2' },
        ],
      },
    });
    expect((await entryOf({ params: form, stdin }, false)).request.postData.text).toBe(stdin);
  });

  it('a packed form is unpacked and looked through', async () => {
    const params = { ...form, HTTP_CONTENT_ENCODING: 'gzip' };
    const stdin = gzipSync('a=1&password=geheim');
    expect((await entryOf({ params, stdin })).request.postData.text).toBe('a=1&password=[redacted]');
    const cut = await entryOf({ params, stdin: stdin.subarray(0, 15) });
    expect(cut.request.postData).toMatchObject({ text: '', comment: expect.stringMatching(/withheld/) });
  });

  it('text without params for other types, base64 for binary', async () => {
    const json = await entryOf({ params: { CONTENT_TYPE: 'application/json' }, stdin: '{"token":"geheim","a":1}' });
    expect(json.request.postData).toEqual({ mimeType: 'application/json', text: '{"token":"[redacted]","a":1}' });
    const binary = await entryOf({ params: { CONTENT_TYPE: 'image/png' }, stdin: Uint8Array.from([0x89, 0, 0xff]) });
    expect(binary.request.postData).toEqual({ mimeType: 'image/png', text: 'iQD/', _encoding: 'base64' });
    const untyped = await entryOf({ stdin: 'x' });
    expect(untyped.request.postData).toEqual({ mimeType: '', text: 'x' });
  });
});

describe('redaction', () => {
  const options: ExchangeOptions = {
    params: {
      HTTP_COOKIE: 'a=geheim',
      HTTP_AUTHORIZATION: 'geheim',
      QUERY_STRING: 'token=geheim',
      PHP_AUTH_PW: 'geheim',
    },
    stdout: stdoutOf('Set-Cookie: a=geheim\nLocation: /?key=geheim', ''),
  };

  it('is on by default and off on demand', async () => {
    expect(JSON.stringify(await entryOf(options))).not.toContain('geheim');
    const entry = await entryOf(options, false);
    expect(entry.request.headers).toContainEqual({ name: 'Cookie', value: 'a=geheim' });
    expect(entry.response.redirectURL).toBe('/?key=geheim');
  });
});

describe('the file', () => {
  const at = (n: number, begin: number) => storedExchange({ n, begin: BEGIN + begin * 1000 });

  it('is valid without entries', async () => {
    expect((await written([])).log.entries).toEqual([]);
  });

  it('has its entries in the order of their start, and the page starts with the first', async () => {
    const file = await written([at(3, 30), at(1, 10), at(4, 10), at(2, 20)]);
    expect(file.log.entries.map((entry: Har) => entry._fastcgi.n)).toEqual([1, 4, 2, 3]);
    expect(file.log.pages[0].startedDateTime).toBe(file.log.entries[0].startedDateTime);
  });

  it('is written as it grows, and holds no more than a fixed number back', async () => {
    const collected = new CollectedOutput();
    const inspection = new FakeInspection();
    const output = har(collected.options(inspection));
    for (let n = 1; n <= 1000; n++) {
      const one = at(n, n);
      inspection.put(one);
      await output.exchange(one.exchange);
      inspection.evict(n - 500);
    }
    const before = collected.text.split('\n').length;
    expect(before).toBeGreaterThan(790);
    // Whatever comes next, the file is whole after `end`.
    await output.end(sessionSummary());
    expect(checked(collected.text).log.entries).toHaveLength(1000);
  });

  it('has bodies that were there when the request came, however soon they go', async () => {
    const collected = new CollectedOutput();
    const inspection = new FakeInspection();
    const output = har(collected.options(inspection));
    for (let n = 1; n <= 100; n++) {
      const one = storedExchange({ n, begin: BEGIN + n, stdin: `in ${n}`, stdout: stdoutOf('X: y', `out ${n}`) });
      inspection.put(one);
      await output.exchange(one.exchange);
      inspection.evict(n);
    }
    expect(collected.text).toBe('');
    await output.end(sessionSummary());
    const { entries } = checked(collected.text).log;
    expect(entries.map((entry: Har) => entry.response.content.text)).toEqual(
      Array.from({ length: 100 }, (_, i) => `out ${i + 1}`),
    );
    expect(entries[99].request.postData.text).toBe('in 100');
  });

  it('does not hold more text back than fits, the oldest going first', async () => {
    const collected = new CollectedOutput();
    const inspection = new FakeInspection();
    const output = har(collected.options(inspection));
    const large = stdoutOf('Content-Type: text/plain', 'a'.repeat(12_000_000));
    for (const n of [2, 1]) {
      const one = storedExchange({ n, begin: BEGIN + n, stdout: large });
      inspection.put(one);
      await output.exchange(one.exchange);
    }
    expect(collected.text).toBe('');
    const third = storedExchange({ n: 3, begin: BEGIN + 3, stdout: large });
    inspection.put(third);
    await output.exchange(third.exchange);
    expect(collected.text.match(/"n":\d+/g)).toEqual(['"n":1']);
    await output.end(sessionSummary());
    expect(checked(collected.text).log.entries.map((entry: Har) => entry._fastcgi.n)).toEqual([1, 2, 3]);
  });

  it('is whole also when the session has died', async () => {
    const collected = new CollectedOutput();
    const one = storedExchange({ stdin: 'abc' });
    const inspection = new FakeInspection().put(one);
    inspection.body = () => Promise.reject(new Error('the worker has died'));
    const output = har(collected.options(inspection));
    await output.exchange(one.exchange);
    await output.end(sessionSummary());
    const [entry] = checked(collected.text).log.entries;
    expect(entry.response.content.comment).toBe('the body could not be read');
    expect(entry.request.postData.comment).toBe('the body could not be read');
  });

  it('holds what no terminal or parser stumbles over', async () => {
    const entry = await entryOf({
      params: { HTTP_X: '\u2028\x1b"\\\ud800', REQUEST_METHOD: 'G"T' },
      stdout: stdoutOf('X: y', '\u2028</script>'),
    });
    expect(entry.request.method).toBe('G"T');
    expect(entry.response.content.text).toBe('\u2028</script>');
  });
});
