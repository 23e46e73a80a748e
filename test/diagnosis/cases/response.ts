import { gzipSync } from 'node:zlib';
import type { Exchange, Problem, ResponseHead } from '../../../src/model/exchange.js';
import { ResponseHeadReader } from '../../../src/protocol/fastcgi/cgi-response.js';
import { bytesOf, type ExchangeOptions, stdoutOf } from '../../support/exchange-fixture.js';

/** The head as the program reads it, invalid lines and all. */
function head(stdout: string | Uint8Array): ResponseHead | null {
  const reader = new ResponseHeadReader();
  reader.push(bytesOf(stdout));
  reader.finish();
  return reader.head;
}

/** An answer with these bytes, from behind this web server. */
export function answered(
  stdout: string | Uint8Array,
  software: string | null = null,
  options: ExchangeOptions = {},
): ExchangeOptions {
  const response = head(stdout);
  const start = response?.length ?? 0;
  return {
    ...options,
    stdout,
    params: { SERVER_SOFTWARE: software, ...options.params },
    override: { response, bodyHead: bytesOf(stdout).slice(start, start + 64), ...options.override },
  };
}

const HTML = 'Content-Type: text/html';
const cookies = (bytes: number) => `${HTML}\nSet-Cookie: ${'c'.repeat(bytes)}`;
const lines = (count: number) => `${HTML}${'\nX-More: 1'.repeat(count)}`;
const problem = (code: Problem['code'], message: string, side: Problem['side'] = 'server'): Problem => ({
  code,
  side,
  at: 0,
  offset: 64,
  length: 16,
  message,
});
const wrong = (code: Problem['code'], message: string, override: Partial<Exchange> = {}): ExchangeOptions => ({
  override: { problems: [problem(code, message)], ...override },
});
const page = gzipSync('<h1>Hello</h1>'.repeat(30));

/** For each rule: what makes it the first finding, and the nearest thing that must not. */
export const CASES: readonly (readonly [id: string, trigger: ExchangeOptions, nearMiss: ExchangeOptions])[] = [
  [
    'haproxy-split-header-crash',
    answered(`${HTML}\r\nSet-Coo`, 'HAProxy 2.6.12-1+deb12u4', { outcome: 'web-server-reset' }),
    answered(`${HTML}\r\nSet-Coo`, 'HAProxy 2.6.14', { outcome: 'web-server-reset' }),
  ],
  ['end-without-header', { stdout: '' }, { stdout: '', outcome: 'unfinished' }],
  [
    'status-line-nph',
    answered(stdoutOf(`HTTP/1.1 404 Not Found\n${HTML}`, 'no')),
    answered(stdoutOf(`Status: 404 Not Found\n${HTML}`, 'no')),
  ],
  [
    'header-line-invalid',
    answered('<html>\n<h1>Hello</h1>\n\nbody'),
    // What is cut off may yet become a header.
    answered(`${HTML}\r\nSet-Coo`, null, { outcome: 'unfinished' }),
  ],
  ['header-not-terminated', answered(`${HTML}\r\n`), answered(`${HTML}\r\n`, null, { outcome: 'unfinished' })],
  [
    'header-too-big',
    answered(stdoutOf(cookies(5_000), 'x'), 'nginx/1.22.1'),
    answered(stdoutOf(cookies(4_000), 'x'), 'nginx/1.22.1'),
  ],
  [
    'too-many-headers',
    answered(stdoutOf(lines(110), 'x'), 'HAProxy 2.6.12'),
    answered(stdoutOf(lines(99), 'x'), 'HAProxy 2.6.12'),
  ],
  ['status-bad', answered(stdoutOf(`Status: fine\n${HTML}`, 'x')), answered(stdoutOf(`Status: 200\n${HTML}`, 'x'))],
  [
    'content-length-invalid',
    answered(stdoutOf(`${HTML}\nContent-Length: 1\nContent-Length: 2`, 'x')),
    answered(stdoutOf(`${HTML}\nContent-Length: 1`, 'x')),
  ],
  [
    'transfer-encoding-from-app',
    answered(stdoutOf(`${HTML}\nTransfer-Encoding: chunked`, '1\r\nx\r\n0\r\n\r\n')),
    answered(stdoutOf(`${HTML}\nTransfer-Encoding: identity`, 'x')),
  ],
  [
    'encoding-mismatch',
    answered(stdoutOf(`${HTML}\nContent-Encoding: gzip`, 'plain')),
    answered(stdoutOf(`${HTML}\nContent-Encoding: gzip`, page)),
  ],
  [
    'body-not-allowed',
    answered(stdoutOf('Status: 204 No Content', 'x')),
    answered(stdoutOf('Status: 204 No Content', '')),
  ],
  [
    'content-length-too-small',
    answered(stdoutOf(`${HTML}\nContent-Length: 5`, 'hello\n')),
    answered(stdoutOf(`${HTML}\nContent-Length: 5`, 'hello')),
  ],
  [
    'content-length-too-big',
    answered(stdoutOf(`${HTML}\nContent-Length: 7`, 'hello\n')),
    answered(stdoutOf(`${HTML}\nContent-Length: 7`, ''), null, { params: { REQUEST_METHOD: 'HEAD' } }),
  ],
  [
    'x-accel-redirect-missing',
    answered(stdoutOf(`${HTML}\nX-Accel-Redirect: /files/a.pdf`, ''), 'lighttpd/1.4.69'),
    answered(stdoutOf(`${HTML}\nX-Accel-Redirect: /files/a.pdf`, ''), 'nginx/1.22.1'),
  ],
  [
    'x-sendfile-missing',
    answered(stdoutOf(`${HTML}\nX-Sendfile: /srv/files/a.pdf`, ''), 'nginx/1.22.1'),
    answered(stdoutOf(`${HTML}\nX-Sendfile: /srv/files/a.pdf`, ''), 'lighttpd/1.4.69'),
  ],
  [
    'headers-already-sent',
    {
      stderr:
        'PHP message: PHP Warning:  Cannot modify header information - headers already sent by (output started at /srv/www/a.php:1) in /srv/www/a.php on line 3',
    },
    { stderr: 'PHP message: PHP Warning:  Cannot modify the past in /srv/www/a.php on line 3' },
  ],
  [
    'stdout-after-eof',
    wrong('after-end-of-stream', 'STDOUT of 4 bytes after its end'),
    { override: { problems: [problem('after-end-of-stream', 'STDIN of 4 bytes after its end', 'client')] } },
  ],
  [
    'records-after-end',
    wrong('after-end-request', 'STDERR for id 1 after its END_REQUEST'),
    // Apache ends STDIN when it likes.
    { override: { problems: [problem('after-end-request', 'STDIN for id 1 after its END_REQUEST', 'client')] } },
  ],
  ['content-type-missing', answered(stdoutOf('X-A: b', 'x')), answered(stdoutOf('X-A: b', ''))],
  [
    'location-without-status',
    answered(stdoutOf(`${HTML}\nLocation: /other`, '')),
    answered(stdoutOf(`Status: 302 Found\n${HTML}\nLocation: /other`, '')),
  ],
];
