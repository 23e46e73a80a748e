import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Exchange } from '../../src/model/exchange.js';
import type { Finding } from '../../src/model/finding.js';
import { type Recorded, recorded } from './offline/recorded.js';
import { replicate } from './offline/replicas.js';

/**
 * What it costs that somebody looks at every request: `npm run bench:diagnosis`. First nanoseconds for a healthy one of 25 params, whose
 * bytes were decoded before; then its share in reading a capture, from sessions over the same file with and without `diagnose`, in turns,
 * the best of each. There, each request is looked at LOOKS times, and the difference divided. Nothing is printed of what is read, so in
 * the program the share is smaller. On the built code. Ends 1 when the share is above the target.
 */
type Diagnosis = typeof import('../../src/diagnosis/diagnose.js');
type AnalyzerModule = typeof import('../../src/protocol/fastcgi/analyzer.js');
type Encoder = typeof import('../../src/protocol/fastcgi/encoder.js');
type Protocols = typeof import('../../src/protocol/index.js');
type Sources = typeof import('../../src/capture/file-source.js');
type Sessions = typeof import('../../src/session/recording-session.js');

const built = async (name: string): Promise<unknown> =>
  import(pathToFileURL(join(import.meta.dirname, '../../dist', `${name}.js`)).href);

const { diagnose } = (await built('diagnosis/diagnose')) as Diagnosis;
const { fastcgi } = (await built('protocol/fastcgi/analyzer')) as AnalyzerModule;
const { encodeBeginRequest, encodeEndRequest, encodeParams, encodeStream } = (await built(
  'protocol/fastcgi/encoder',
)) as Encoder;
const { protocols } = (await built('protocol/index')) as Protocols;
const { FileSource } = (await built('capture/file-source')) as Sources;
const { captureSession } = (await built('session/recording-session')) as Sessions;

/** Kept together, so that neighbours are different objects, as they are when a capture is read. */
const EXCHANGES = 512;
const TURNS = 200_000;
const ROUNDS = 9;
const READINGS = 8;
const CAPTURE_BYTES = 192 * 1024 * 1024;
/** How often each request is looked at, and the difference divided: once is less than the machine's pace changes. An even number. */
const LOOKS = 16;
/** With diagnosis, reading takes at most this part more. */
const TARGET_SHARE = 0.1;
const SAMPLES = ['short.pcap'] as const;

console.log(`${perExchange().toFixed(0).padStart(6)} ns  a healthy exchange of 25 params`);
const { requests, without, once } = await reading();
const share = once / without;
console.log(`${without.toFixed(2).padStart(6)} µs  a request, reading a capture of ${requests} without diagnosis`);
console.log(`${once.toFixed(2).padStart(6)} µs  more with it: ${(share * 100).toFixed(1)} %`);
if (share > TARGET_SHARE) process.exitCode = 1;

/** In the best round. */
function perExchange(): number {
  const exchanges = Array.from({ length: EXCHANGES }, (_, i) => settled(i));
  let least = Number.POSITIVE_INFINITY;
  let findings = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < TURNS; i++) findings += diagnose(exchanges[i % EXCHANGES]!).length;
    least = Math.min(least, Number(process.hrtime.bigint() - start) / TURNS);
  }
  if (findings !== 0) throw new Error(`${findings} findings of healthy requests`);
  return least;
}

/** One request as nginx and PHP-FPM make it. */
function settled(serial: number): Exchange {
  let found: Exchange | null = null;
  const analyzer = fastcgi.analyze({
    connection: 1,
    client: { kind: 'tcp', host: '127.0.0.1', port: 30_000 + serial },
    server: { kind: 'tcp', host: '127.0.0.1', port: 9_000 },
    at: 1,
    midstream: false,
    nextNumber: () => serial + 1,
    sink: (event) => {
      if (event.kind === 'settled') found = event.exchange;
    },
  });
  const say = (side: 'client' | 'server', ...parts: readonly Uint8Array[]) =>
    analyzer.push({ kind: 'bytes', connection: 1, at: 1_000, side, bytes: Buffer.concat(parts), origin: -1 });
  say(
    'client',
    encodeBeginRequest(1, 1),
    encodeParams(1, params(serial), { alignment: 8 }),
    encodeStream('stdin', 1, new Uint8Array(0)),
  );
  const page = `X-Powered-By: PHP/8.2.35\r\nSet-Cookie: basket=${serial}; path=/\r\nContent-type: text/html; charset=UTF-8\r\n\r\n<!DOCTYPE html>\n${'x'.repeat(900)}`;
  say(
    'server',
    encodeStream('stdout', 1, Buffer.from(page), { alignment: 8, close: false }),
    encodeEndRequest(1, 0, 0),
  );
  const exchange = found as Exchange | null;
  if (exchange?.params.length !== 25) throw new Error('not settled with 25 params');
  return exchange;
}

/** What Debian's fastcgi.conf sends, and what a browser adds. */
function params(serial: number): [string, string][] {
  return Object.entries({
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
    REMOTE_PORT: String(30_000 + serial),
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
}

interface Reading {
  readonly requests: number;
  /** Microseconds a request, the best of some readings. */
  readonly without: number;
  /** What it takes longer when each request is diagnosed once. */
  readonly once: number;
}

async function reading(): Promise<Reading> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-diagnosis-'));
  try {
    const file = join(folder, 'capture.pcap');
    const found: Recorded[] = SAMPLES.flatMap((name) =>
      recorded(fileURLToPath(new URL(`../../samples/${name}`, import.meta.url))),
    );
    const { requests } = await replicate(file, found, ({ bytes }) => bytes >= CAPTURE_BYTES);
    const spent = { diagnosed: Number.POSITIVE_INFINITY, without: Number.POSITIVE_INFINITY };
    for (let i = 0; i < READINGS; i++) {
      // In turns, and each as often the first: the machine's pace changes.
      for (const isDiagnosed of i % 2 === 0 ? [true, false] : [false, true]) {
        const which = isDiagnosed ? 'diagnosed' : 'without';
        spent[which] = Math.min(spent[which], (await read(file, isDiagnosed)) / requests);
      }
    }
    return { requests, without: spent.without, once: (spent.diagnosed - spent.without) / LOOKS };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Microseconds of the processor's time, as when the lines of a capture are written: what was read is forgotten. */
async function read(file: string, isDiagnosed: boolean): Promise<number> {
  const source = await FileSource.open({
    paths: [file],
    ports: null,
    recognise: protocols.fastcgi.recognise,
    warn: () => undefined,
  });
  const session = captureSession({
    source,
    capture: source,
    isSeekable: source.isSeekable,
    protocol: protocols.fastcgi,
    clock: () => source.now,
    maxRequests: 1_000_000,
    ...(isDiagnosed ? { diagnose: often() } : {}),
  });
  await session.start();
  global.gc?.();
  const before = process.cpuUsage();
  while (await session.advance(true));
  const { user, system } = process.cpuUsage(before);
  const { warnings } = await session.overview();
  if (warnings.length > 0) throw new Error(warnings.join('; '));
  await session.close();
  return user + system;
}

/** In turns with the request before it, as no two looks in a row are at the same one when a capture is read. */
function often(): typeof diagnose {
  let previous: Exchange | null = null;
  return (exchange, surroundings = null) => {
    let findings: readonly Finding[] = [];
    for (let i = 0; i < LOOKS / 2; i++) {
      diagnose(previous ?? exchange, null);
      findings = diagnose(exchange, surroundings);
    }
    previous = exchange;
    return findings;
  };
}
