import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Decoder, name-value pairs and CGI head, on the built code: `npm run build && npx tsx test/bench/decoder.ts`.
 * Each figure is the best of some rounds, the others tell of the machine. Ends 1 when a target is missed.
 */
type Decoder = typeof import('../../src/protocol/fastcgi/decoder.js');
type Encoder = typeof import('../../src/protocol/fastcgi/encoder.js');
type NameValue = typeof import('../../src/protocol/fastcgi/name-value.js');
type CgiResponse = typeof import('../../src/protocol/fastcgi/cgi-response.js');

const built = async (name: string): Promise<unknown> =>
  import(pathToFileURL(join(import.meta.dirname, '../../dist/protocol/fastcgi', `${name}.js`)).href);

const { RecordDecoder } = (await built('decoder')) as Decoder;
const { encodeRecord } = (await built('encoder')) as Encoder;
const { decodePairs, encodePairs } = (await built('name-value')) as NameValue;
const { ResponseHeadReader } = (await built('cgi-response')) as CgiResponse;

const ROUNDS = 7;
const TARGET_NANOSECONDS = 150;
const TARGET_GIGABYTES = 1;

/** Nanoseconds of the best round. */
function best(work: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    work();
    least = Math.min(least, Number(process.hrtime.bigint() - start));
  }
  return least;
}

/** Records of one size, `total` bytes of them. */
function stream(contentLength: number, total: number): { bytes: Uint8Array; count: number } {
  const record = encodeRecord({ type: 6, requestId: 1, content: new Uint8Array(contentLength).fill(0x61) });
  const count = Math.floor(total / record.length);
  const bytes = new Uint8Array(count * record.length);
  for (let i = 0; i < count; i++) bytes.set(record, i * record.length);
  return { bytes, count };
}

/** As read from a socket: chunks of a size that cuts records anywhere. */
function decodeIn(chunkLength: number, bytes: Uint8Array): () => void {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += chunkLength) chunks.push(Buffer.from(bytes.subarray(at, at + chunkLength)));
  return () => {
    let seen = 0;
    const decoder = new RecordDecoder('server', (event) => {
      if (event.kind === 'stream') seen += event.bytes.length;
    });
    for (const chunk of chunks) decoder.push(chunk, 1);
    decoder.end(1);
    if (seen === 0) throw new Error('nothing was decoded');
  };
}

/** What a socket gives at most, less a little, so that records are cut anywhere. */
const CHUNK = 65_521;
const SEGMENT = 1_448;
let missed = false;

function report(name: string, value: number, unit: string, met: boolean | null): void {
  if (met === false) missed = true;
  const verdict = met === null ? '' : met ? '  (target met)' : '  TARGET MISSED';
  console.log(`${name.padEnd(44)} ${value.toFixed(value < 10 ? 2 : 0).padStart(8)} ${unit}${verdict}`);
}

const small = stream(8, 16 * 1024 * 1024);
for (const [name, length] of [
  ['64 KiB chunks', CHUNK],
  ['1448-byte segments', SEGMENT],
] as const) {
  const perRecord = best(decodeIn(length, small.bytes)) / small.count;
  report(`16-byte records in ${name}`, perRecord, 'ns each', perRecord <= TARGET_NANOSECONDS);
}
for (const contentLength of [512, 8_192, 65_528]) {
  const large = stream(contentLength, 64 * 1024 * 1024);
  for (const [name, length] of [
    ['64 KiB chunks', CHUNK],
    ['1448-byte segments', SEGMENT],
  ] as const) {
    const speed = large.bytes.length / best(decodeIn(length, large.bytes));
    report(
      `${contentLength}-byte records in ${name}`,
      speed,
      'GB/s',
      contentLength === 8_192 ? speed >= TARGET_GIGABYTES : null,
    );
  }
}

const noise = new Uint8Array(16 * 1024 * 1024);
for (let i = 0; i < noise.length; i++) noise[i] = (i * 2_654_435_761) >>> 13;
report(
  'hunting through bytes that are no records',
  noise.length /
    best(() => {
      const decoder = new RecordDecoder('server', () => {});
      for (let at = 0; at < noise.length; at += CHUNK) decoder.push(noise.subarray(at, at + CHUNK), 1);
      decoder.end(1);
    }),
  'GB/s',
  null,
);

/** What nginx sends for a page, with the values that change from request to request. */
function params(n: number): Uint8Array {
  return encodePairs([
    ['QUERY_STRING', `page=${n}&sort=name`],
    ['REQUEST_METHOD', 'GET'],
    ['CONTENT_TYPE', ''],
    ['CONTENT_LENGTH', ''],
    ['SCRIPT_NAME', '/index.php'],
    ['REQUEST_URI', `/index.php?page=${n}&sort=name`],
    ['DOCUMENT_URI', '/index.php'],
    ['DOCUMENT_ROOT', '/srv/www'],
    ['SERVER_PROTOCOL', 'HTTP/1.1'],
    ['REQUEST_SCHEME', 'http'],
    ['GATEWAY_INTERFACE', 'CGI/1.1'],
    ['SERVER_SOFTWARE', 'nginx/1.22.1'],
    ['REMOTE_ADDR', '127.0.0.1'],
    ['REMOTE_PORT', `${32_768 + (n % 28_000)}`],
    ['SERVER_ADDR', '127.0.0.1'],
    ['SERVER_PORT', '80'],
    ['SERVER_NAME', 'localhost'],
    ['REDIRECT_STATUS', '200'],
    ['SCRIPT_FILENAME', '/srv/www/index.php'],
    ['HTTP_HOST', 'localhost'],
    ['HTTP_USER_AGENT', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'],
    ['HTTP_ACCEPT', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
    ['HTTP_ACCEPT_ENCODING', 'gzip, deflate, br'],
    ['HTTP_COOKIE', `session=${(n * 7_919).toString(36).padStart(120, 'x')}`],
    ['HTTP_CONNECTION', 'close'],
  ]);
}
const blocks = Array.from({ length: 10_000 }, (_, n) => params(n));
let read = 0;
const perBlock =
  best(() => {
    for (const block of blocks) read += decodePairs(block).params.length;
  }) / blocks.length;
report(`25 params (${blocks[0]!.length} bytes)`, perBlock, 'ns a request', null);

const head = new TextEncoder().encode(
  'Status: 404 Not Found\r\nX-Powered-By: PHP/8.2.7\r\nContent-type: text/html; charset=UTF-8\r\n\r\n<html></html>',
);
const perHead =
  best(() => {
    for (let i = 0; i < 100_000; i++) new ResponseHeadReader().push(head);
  }) / 100_000;
report('CGI head of three lines', perHead, 'ns', null);

if (missed || read === 0) process.exitCode = 1;
