import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/diagnosis/diagnose.js';
import type { Finding } from '../../src/model/finding.js';
import { bytesOf, type ExchangeOptions, stdoutOf, storedExchange } from '../support/exchange-fixture.js';
import { connectionEnd } from '../support/surroundings-fixture.js';
import { answered, CASES } from './cases/response.js';

const findings = (options: ExchangeOptions): readonly Finding[] => diagnose(storedExchange(options).exchange);
const ids = (options: ExchangeOptions): string[] => findings(options).map(({ id }) => id);
const [NGINX, LIGHTTPD, APACHE, CADDY, HAPROXY, H2O] = [
  'nginx/1.22.1',
  'lighttpd/1.4.69',
  'Apache/2.4.66 (Debian)',
  'Caddy/v2.6.2',
  'HAProxy 2.6.12',
  'h2o/2.2.5',
];
const SERVERS = [NGINX, LIGHTTPD, APACHE, CADDY, HAPROXY, H2O] as const;
const HTML = 'Content-Type: text/html';

describe('rules about responses', () => {
  it.each(CASES)('%s is the one finding', (id, trigger) => {
    expect(ids(trigger)).toEqual([id]);
  });

  it.each(CASES)('%s says what was seen, what to do and where to look', (_id, trigger) => {
    const [finding] = findings(trigger);
    expect(finding!.detail).toMatch(/\S{2}.*\.$|"$/);
    expect(finding!.advice.length).toBeGreaterThan(0);
    expect(finding!.look.length).toBeGreaterThan(0);
    if (finding!.certainty === 'allowed') expect(finding!.alternatives.length).toBeGreaterThan(0);
    expect(finding!.detail).not.toMatch(/undefined|null|NaN|\$\{|\s{2}| \.$/);
  });

  it('say nothing of healthy responses, whoever serves them', () => {
    const healthy = [
      stdoutOf(`${HTML}\nContent-Length: 2`, 'ok'),
      stdoutOf(`Status: 200 OK\nX-Powered-By: PHP/8.2\n${HTML}`, 'ok'),
      stdoutOf('Status: 302 Found\nLocation: /other', ''),
      stdoutOf('Status: 304 Not Modified\nETag: "a"', ''),
      stdoutOf('Status: 204 No Content', ''),
      stdoutOf('Status: 404 Not Found\nContent-Type: text/plain', 'no'),
      stdoutOf(`${HTML}\nContent-Encoding: gzip\nContent-Length: 31`, gzipSync('hello world').subarray(0, 31)),
      stdoutOf('Content-Type: application/gzip', gzipSync('an archive')),
      stdoutOf('Content-Type: application/octet-stream', gzipSync('a download')),
      stdoutOf(`${HTML}\nContent-Encoding: br`, 'whatever'),
      'Content-Type: text/html\n\nline feeds only',
    ];
    for (const software of SERVERS) for (const stdout of healthy) expect(ids(answered(stdout, software))).toEqual([]);
  });

  it('say nothing of what was not seen', () => {
    for (const [id, trigger] of CASES) {
      const { exchange } = storedExchange(trigger);
      const { stdout } = exchange.streams;
      // A block that is gone leaves its status, and a stream that is gone its size.
      const response = exchange.response && { ...exchange.response, headers: [], invalidLines: [], length: 0 };
      const gone = {
        ...exchange,
        response,
        streams: { ...exchange.streams, stdout: { ...stdout, bytes: 0, missing: Math.max(1, stdout.bytes) } },
        bodyHead: new Uint8Array(0),
        stderrHead: new Uint8Array(0),
        problems: [],
      };
      expect(diagnose(gone).map((finding) => finding.id)).not.toContain(id);
    }
  });
});

describe('header-too-big', () => {
  const cookie = (size: number) => stdoutOf(`${HTML}\nSet-Cookie: ${'c'.repeat(size)}\nX-A: b`, 'x');
  const severity = (size: number, software: string | null, outcome: ExchangeOptions['outcome'] = 'completed') =>
    findings(answered(cookie(size), software, { outcome })).find(({ id }) => id === 'header-too-big')?.severity ?? null;

  it('knows each web server’s buffer', () => {
    const sizes = [3_900, 5_000, 9_000, 20_000, 70_000];
    const table = (software: string | null) => sizes.map((size) => severity(size, software));
    expect(table(NGINX)).toEqual([null, 'warning', 'warning', 'warning', 'warning']);
    expect(table(LIGHTTPD)).toEqual([null, null, null, null, 'error']);
    expect(table(APACHE)).toEqual([null, null, 'error', 'error', 'error']);
    expect(table(HAPROXY)).toEqual([null, null, null, 'warning', 'warning']);
    expect(table(CADDY)).toEqual([null, null, null, null, null]);
    expect(table(H2O)).toEqual([null, null, null, null, null]);
    expect(table(null)).toEqual([null, 'note', 'note', 'note', 'note']);
  });

  it('is certain enough for an error when the web server hung up on it', () => {
    expect(severity(5_000, NGINX, 'web-server-reset')).toBe('error');
    expect(severity(5_000, NGINX, 'web-server-closed')).toBe('error');
  });

  it('is an error when nginx reset the connection of a response that had come whole', () => {
    const ended = (how: 'fin' | 'reset') =>
      findings(
        answered(cookie(20_000), NGINX, { override: { connectionEnd: connectionEnd('web-server', how, 5) } }),
      ).find(({ id }) => id === 'header-too-big')!;
    expect(ended('reset').severity).toBe('error');
    expect(ended('reset').detail).not.toContain('where it was not raised');
    expect(ended('fin').severity).toBe('warning');
  });

  it('sees the beginning of one that was not waited for', () => {
    const cut = answered(cookie(9_000).subarray(0, 8_000), NGINX, { outcome: 'web-server-reset' });
    expect(ids(cut)[0]).toBe('header-too-big');
    expect(findings(cut)[0]!.detail).toContain('more than 8000 bytes');
  });

  it('measures, names the largest header and proposes values that nginx accepts', () => {
    const [finding] = findings(answered(cookie(5_000), NGINX));
    expect(finding!.detail).toContain('Set-Cookie alone 5.01kB');
    expect(finding!.advice[0]).toBe(
      'For this response, in nginx’s location with fastcgi_pass: fastcgi_buffer_size 8k; fastcgi_buffers 8 8k; fastcgi_busy_buffers_size 16k; then nginx -t && nginx -s reload.',
    );
    expect(finding!.detail).toContain('visitors get 502');
    expect(findings(answered(cookie(7_900), NGINX))[0]!.advice[0]).toContain('fastcgi_buffer_size 16k;');
    expect(findings(answered(cookie(70_000), NGINX))[0]!.advice[0]).toContain('fastcgi_buffer_size 128k;');
    const { advice } = findings(answered(cookie(20_000), NGINX))[0]!;
    expect(advice[0]).toContain('fastcgi_buffer_size 32k; fastcgi_buffers 8 32k; fastcgi_busy_buffers_size 64k;');
    // The rule's own value is for less than that, and says so.
    expect(advice.filter((text) => text.includes('16k')).every((text) => text.includes('up to 12 KiB'))).toBe(true);
  });
});

describe('header-line-invalid', () => {
  it.each([
    ['\ufeffContent-Type: text/html\n\nx', 'byte order mark'],
    ['<?php echo 1;\n\nx', 'source'],
    ['PHP Warning:  no such thing in a.php\n\nx', 'PHP message'],
    ['Traceback (most recent call last):\n\nx', 'error message'],
    ['<html>\n\nx', 'page begins without headers'],
    ['{"a": 1}\n\n', 'JSON'],
    ['X-A : b\nContent-Type: text/html\n\nx', 'blank behind it'],
    [' Content-Type: text/html\n\nx', 'begins with a blank'],
    ['hello world\n\nx', 'is none'],
  ])('%j is named', (stdout, words) => {
    const [finding] = findings(answered(stdout));
    expect(finding!.id).toBe('header-line-invalid');
    expect(finding!.detail).toContain(words);
  });

  it('says what the web server at hand makes of it, as far as the headers go', () => {
    const detail = (stdout: string, software: string) => findings(answered(stdout, software))[0]!.detail;
    expect(detail('hello world\n\nx', APACHE)).toMatch(/Apache answers 500\.$/);
    expect(detail('<p>hello</p>', APACHE)).toContain('answers 200 with it as the page');
    expect(detail('X-A : b\n\nx', LIGHTTPD)).toContain('lighttpd tolerates it.');
    expect(detail('X-A : b\n\nx', NGINX)).toContain('nginx answers 502.');
  });

  it('keeps what was captured harmless', () => {
    const [finding] = findings(answered('\x1b]0;owned\x07 \x1b[2J\n\nx'));
    expect(finding!.detail).not.toContain('\x1b');
  });
});

describe('status-bad', () => {
  const of = (status: string, software: string) => findings(answered(stdoutOf(`${status}\n${HTML}`, 'x'), software))[0];

  it.each([
    ['Status:', NGINX, 'empty. nginx answers 502.'],
    ['Status: abc', CADDY, '"abc". Caddy answers 502.'],
    ['Status: 99', CADDY, '"99". Caddy drops the connection.'],
    ['Status: 1000', HAPROXY, '"1000". HAProxy passes it on.'],
    ['Status: 042 x', LIGHTTPD, 'lighttpd answers'],
    ['Status: 200 OK\nStatus: 404 Not Found', LIGHTTPD, 'lighttpd takes the last.'],
  ])('%s behind %s', (status, software, words) => {
    expect(of(status, software)!.id).toBe('status-bad');
    expect(of(status, software)!.detail).toContain(words);
  });

  it('weighs what the client gets', () => {
    expect(of('Status:', CADDY)!.severity).toBe('warning');
    expect(of('Status:', NGINX)!.severity).toBe('error');
    expect(of('Status: 200\nStatus: 200', NGINX)!.severity).toBe('note');
    expect(of('Status: 200\nStatus: 404', NGINX)!.severity).toBe('warning');
  });
});

describe('Content-Length', () => {
  const of = (head: string, body: string, software = NGINX, options: ExchangeOptions = {}) =>
    findings(answered(stdoutOf(`${head}\n${HTML}`, body), software, options))[0];

  it('counts', () => {
    expect(of('Content-Length: 100', 'hello')!.detail).toContain('100, and 5 bytes of body came: 95 fewer');
    expect(of('Content-Length: 2', 'hello')!.detail).toContain('2, and 5 bytes of body came: 3 more');
  });

  it('is of no consequence where Apache drops it', () => {
    expect(of('Content-Length: 100', 'hello', APACHE)!.severity).toBe('warning');
    expect(of('Content-Length: 100', 'hello', NGINX)!.severity).toBe('error');
  });

  it('is not held against what ended otherwise', () => {
    for (const outcome of ['backend-closed', 'backend-reset', 'web-server-closed', 'unfinished'] as const)
      expect(of('Content-Length: 100', 'hello', NGINX, { outcome })?.id).not.toBe('content-length-too-big');
  });

  it('may be the length of a file that the web server sends', () => {
    expect(of('Content-Length: 100\nX-Accel-Redirect: /f', '')).toBeUndefined();
  });

  it.each([
    ['Content-Length: 5\nContent-Length: 5', 'warning'],
    ['Content-Length: 5\nContent-Length: 6', 'error'],
    ['Content-Length: five', 'error'],
    ['Content-Length: -1', 'error'],
    ['Content-Length: 5\nTransfer-Encoding: chunked', 'error'],
  ])('%s is invalid', (head, severity) => {
    expect(of(head, 'hello')).toMatchObject({ id: 'content-length-invalid', severity });
  });
});

describe('encoding-mismatch', () => {
  const text = 'hello '.repeat(200);
  const noise = Uint8Array.from({ length: 4_000 }, (_, i) => (i * 2_654_435_761) >>> 13);
  const of = (head: string, body: Uint8Array | string, params: Record<string, string> = {}) =>
    findings(answered(stdoutOf(head, body), NGINX, { params }))[0];

  it.each([
    ['short', gzipSync(gzipSync('hi'))],
    ['ordinary', gzipSync(gzipSync(text))],
    ['large', gzipSync(gzipSync(noise))],
  ])('sees double compression of a %s page', (_, body) => {
    expect(of(`${HTML}\nContent-Encoding: gzip`, body)!.detail).toContain('compressed twice');
  });

  it.each([
    ['a page', gzipSync(text)],
    ['noise', gzipSync(noise)],
    ['nothing', gzipSync('')],
    ['stored text', gzipSync(text, { level: 0 })],
  ])('takes %s for compressed once', (_, body) => {
    expect(of(`${HTML}\nContent-Encoding: gzip`, body)).toBeUndefined();
  });

  it('sees other codings that do not fit', () => {
    expect(of(`${HTML}\nContent-Encoding: br`, gzipSync(text))!.detail).toContain('br, and the body is gzip');
    expect(of(`${HTML}\nContent-Encoding: zstd`, text)!.detail).toContain('28 b5 2f fd');
    expect(of(HTML, gzipSync(text))!.detail).toContain('no Content-Encoding');
    expect(of('Content-Type: image/svg+xml', gzipSync(text))!.id).toBe('encoding-mismatch');
  });

  it('compares with what the client accepts, where it says so', () => {
    const gzip = (accepted: string) =>
      of(`${HTML}\nContent-Encoding: gzip`, gzipSync(text), { HTTP_ACCEPT_ENCODING: accepted });
    expect(gzip('br')).toMatchObject({ id: 'encoding-mismatch', severity: 'warning' });
    expect(gzip('gzip, br')).toBeUndefined();
    expect(gzip('*')).toBeUndefined();
  });
});

describe('body-not-allowed', () => {
  const of = (status: string, software: string, params: Record<string, string> = {}) =>
    findings(answered(stdoutOf(`${status}\n${HTML}`, 'x'), software, { params }))[0];

  it('weighs what the web server makes of it', () => {
    expect(of('Status: 204 No Content', HAPROXY)).toMatchObject({ id: 'body-not-allowed', severity: 'error' });
    expect(of('Status: 304 Not Modified', NGINX)).toMatchObject({ id: 'body-not-allowed', severity: 'warning' });
    expect(of('Status: 200 OK', HAPROXY, { REQUEST_METHOD: 'HEAD' })).toMatchObject({
      id: 'body-not-allowed',
      severity: 'note',
    });
  });
});

describe('haproxy-split-header-crash', () => {
  it('is thought of when the rest came after HAProxy had gone', () => {
    const { exchange } = storedExchange(answered(stdoutOf(HTML, 'ok'), HAPROXY, { outcome: 'web-server-closed' }));
    const at = exchange.times.firstStdout! + 300;
    const connectionEnd = {
      endedBy: 'web-server',
      how: 'fin',
      at,
      afterRecords: 4,
      afterRecord: 'STDOUT record 1',
    } as const;
    const seen = diagnose({ ...exchange, connectionEnd, times: { ...exchange.times, lastStdout: at + 50_000 } });
    expect(seen[0]!.id).toBe('haproxy-split-header-crash');
    // A client that leaves while the page is read is no crash.
    const later = diagnose({ ...exchange, connectionEnd: { ...connectionEnd, afterRecord: 'STDOUT record 9' } });
    expect(later[0]!.id).not.toBe('haproxy-split-header-crash');
  });
});

describe('files that the web server is to send', () => {
  it.each([
    ['X-Accel-Redirect: /f', [null, 'error', 'error', 'warning', 'error', 'error']],
    ['X-Sendfile: /f', ['error', null, null, 'warning', 'error', 'error']],
    ['X-LIGHTTPD-send-file: /f', ['error', null, null, 'warning', 'error', 'error']],
  ])('%s is told to whom it says something', (head, severities) => {
    const of = (software: string) =>
      findings(answered(stdoutOf(`${HTML}\n${head}`, ''), software))[0]?.severity ?? null;
    expect(SERVERS.map(of)).toEqual(severities);
  });

  it('with a body beside it are left to the application', () => {
    expect(ids(answered(stdoutOf(`${HTML}\nX-Sendfile: /f`, 'the file'), NGINX))).toEqual([]);
  });
});

describe('one cause', () => {
  it('of PHP’s is not also a response that is too short, has no type or no end', () => {
    const stderr = 'PHP message: PHP Fatal error:  Uncaught Error: no in /a.php:3';
    const of = (stdout: Uint8Array) => ids(answered(stdout, NGINX, { stderr }));
    expect(of(stdoutOf(`${HTML}\nContent-Length: 100`, 'part'))).toEqual(['php-fatal']);
    expect(of(bytesOf(''))).toEqual(['php-fatal']);
  });

  it('of a worker that died is not also a header without an end', () => {
    for (const outcome of ['backend-closed', 'backend-reset'] as const)
      expect(ids(answered(`${HTML}\r\n`, NGINX, { outcome }))).not.toContain('header-not-terminated');
  });

  it('is told instead of the client that web servers take their leave for', () => {
    const left = answered(stdoutOf('hello world', 'x'), NGINX, { outcome: 'web-server-reset' });
    expect(ids(left)).toEqual(['header-line-invalid']);
  });

  it('of bytes behind the end is not also a body that is too long', () => {
    const stdout = stdoutOf(`${HTML}\nContent-Length: 2`, 'okok');
    const after = {
      code: 'after-end-request',
      side: 'server',
      at: 0,
      offset: 0,
      length: 12,
      message: 'STDOUT late',
    } as const;
    expect(ids(answered(stdout, NGINX, { override: { problems: [after] } }))).toEqual(['records-after-end']);
  });
});
