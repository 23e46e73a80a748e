import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ConnectionEvent } from '../../src/model/connection-event.js';
import type { Analyzer } from '../../src/protocol/analyzer.js';

/**
 * Microseconds the analyzer takes for a request as nginx and PHP-FPM make it, from bytes to the settled exchange, its 25 params read:
 * with a connection of its own, and on a kept one. On the built code: `npm run build && npx tsx test/bench/analyzer.ts`. Each figure
 * is the best of some rounds, the others tell of the machine. Ends 1 when a target is missed.
 */
type AnalyzerModule = typeof import('../../src/protocol/fastcgi/analyzer.js');
type Encoder = typeof import('../../src/protocol/fastcgi/encoder.js');

const built = async (name: string): Promise<unknown> =>
  import(pathToFileURL(join(import.meta.dirname, '../../dist/protocol/fastcgi', `${name}.js`)).href);

const { fastcgi } = (await built('analyzer')) as AnalyzerModule;
const { encodeBeginRequest, encodeEndRequest, encodeParams, encodeStream } = (await built('encoder')) as Encoder;

const ROUNDS = 12;
const REQUESTS = 20_000;
const TARGET_MICROSECONDS = 12;

const client = { kind: 'tcp', host: '127.0.0.1', port: 40000 } as const;
const server = { kind: 'tcp', host: '127.0.0.1', port: 9000 } as const;

/** What Debian's fastcgi.conf sends, and what a browser adds; some values differ from request to request. */
function request(serial: number): Uint8Array {
  const pairs = Object.entries({
    SCRIPT_FILENAME: '/srv/www/example/public/index.php',
    QUERY_STRING: `page=${serial}&sort=name`,
    REQUEST_METHOD: 'GET',
    CONTENT_TYPE: '',
    CONTENT_LENGTH: '',
    SCRIPT_NAME: '/index.php',
    REQUEST_URI: `/articles/${serial}?page=${serial}&sort=name`,
    DOCUMENT_URI: '/index.php',
    DOCUMENT_ROOT: '/srv/www/example/public',
    SERVER_PROTOCOL: 'HTTP/1.1',
    REQUEST_SCHEME: 'http',
    GATEWAY_INTERFACE: 'CGI/1.1',
    SERVER_SOFTWARE: 'nginx/1.22.1',
    REMOTE_ADDR: '192.168.10.20',
    REMOTE_PORT: String(30_000 + (serial % 30_000)),
    SERVER_ADDR: '192.168.10.1',
    SERVER_PORT: '80',
    SERVER_NAME: 'www.example.org',
    REDIRECT_STATUS: '200',
    HTTP_HOST: 'www.example.org',
    HTTP_USER_AGENT: 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
    HTTP_ACCEPT: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8',
    HTTP_ACCEPT_LANGUAGE: 'en-US,en;q=0.5',
    HTTP_ACCEPT_ENCODING: 'gzip, deflate, br',
    HTTP_COOKIE: `session=${serial.toString(16).padStart(32, '0')}; theme=dark`,
  });
  return Buffer.concat([
    encodeBeginRequest(1, 1),
    encodeParams(1, pairs, { alignment: 8 }),
    encodeStream('stdin', 1, new Uint8Array(0)),
  ]);
}

function response(): Uint8Array {
  const page = `X-Powered-By: PHP/8.2.35\r\nContent-type: text/html; charset=UTF-8\r\n\r\n${'x'.repeat(900)}`;
  return Buffer.concat([
    encodeStream('stdout', 1, Buffer.from(page), { alignment: 8, close: false }),
    encodeEndRequest(1, 0, 0),
  ]);
}

const requests = Array.from({ length: 512 }, (_, i) => request(i));
const answer = response();

let n = 0;
let settled = 0;

function open(): Analyzer {
  return fastcgi.analyze({
    connection: 1,
    client,
    server,
    at: 1,
    midstream: false,
    nextNumber: () => ++n,
    sink: (event) => {
      if (event.kind === 'settled' && event.exchange.params.length === 25) settled += 1;
    },
  });
}

function exchange(analyzer: Analyzer, serial: number): void {
  const bytes = requests[serial % requests.length]!;
  analyzer.push({ kind: 'bytes', connection: 1, at: serial, side: 'client', bytes, origin: -1 });
  analyzer.push({ kind: 'bytes', connection: 1, at: serial, side: 'server', bytes: answer, origin: -1 });
}

const ENDINGS: readonly ConnectionEvent[] = [
  { kind: 'end', connection: 1, at: 9, side: 'server', how: 'fin' },
  { kind: 'end', connection: 1, at: 9, side: 'client', how: 'fin' },
  { kind: 'closed', connection: 1, at: 9 },
];

function oneEach(): void {
  for (let i = 0; i < REQUESTS; i++) {
    const analyzer = open();
    exchange(analyzer, i);
    for (const ending of ENDINGS) analyzer.push(ending);
  }
}

function kept(): void {
  const analyzer = open();
  for (let i = 0; i < REQUESTS; i++) exchange(analyzer, i);
}

function connections(): void {
  for (let i = 0; i < REQUESTS; i++) {
    const analyzer = open();
    for (const ending of ENDINGS) analyzer.push(ending);
  }
}

/** Microseconds per turn in the best round. */
function best(work: () => void, expected: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    settled = 0;
    const start = process.hrtime.bigint();
    work();
    least = Math.min(least, Number(process.hrtime.bigint() - start) / 1000 / REQUESTS);
    if (settled !== expected) throw new Error(`${settled} exchanges settled, not ${expected}`);
  }
  return least;
}

const figures = [
  ['a request with its connection', best(oneEach, REQUESTS)],
  ['a request on a kept connection', best(kept, REQUESTS)],
  ['a connection without a byte', best(connections, 0)],
] as const;
for (const [what, microseconds] of figures) console.log(`${microseconds.toFixed(2).padStart(6)} µs  ${what}`);
if (figures.some(([, microseconds]) => microseconds > TARGET_MICROSECONDS)) process.exitCode = 1;
