import type { ConnectionSummary } from '../../src/model/connection.js';
import type {
  Exchange,
  ExchangeTimes,
  Header,
  Outcome,
  Param,
  RecordEntry,
  ResponseHead,
  StreamName,
  StreamTotals,
} from '../../src/model/exchange.js';
import { BODY_HEAD_KEPT, STDERR_KEPT, STREAM_NAMES } from '../../src/model/exchange.js';
import type { Finding, Severity } from '../../src/model/finding.js';

/**
 * One request by hand, whole and consistent: the exchange, the bytes of its streams, and the records that carried them. What a test
 * does not mention is an ordinary small GET that PHP answers.
 */
export interface StoredExchange {
  readonly exchange: Exchange;
  readonly bodies: Readonly<Record<StreamName, Uint8Array>>;
  /** Ranges [from, to) of a stream that were never seen. */
  readonly gaps: Readonly<Partial<Record<StreamName, readonly (readonly [number, number])[]>>>;
  readonly records: readonly StoredRecord[];
}

export interface StoredRecord {
  readonly entry: RecordEntry;
  readonly content: Uint8Array;
}

export interface ExchangeOptions {
  readonly n?: number;
  readonly connection?: number;
  readonly requestId?: number;
  readonly outcome?: Outcome | null;
  /** Added to the ordinary ones; a value of null takes one away. */
  readonly params?: Readonly<Record<string, string | null>>;
  /** In place of all params. */
  readonly allParams?: readonly Param[];
  readonly stdin?: string | Uint8Array;
  /** Head and body, as the backend sent them. */
  readonly stdout?: string | Uint8Array;
  readonly stderr?: string | Uint8Array;
  readonly data?: string | Uint8Array;
  /** Milliseconds after BEGIN_REQUEST; null: not seen. */
  readonly timing?: Partial<Record<'paramsEnd' | 'stdinEnd' | 'firstStdout' | 'lastStdout' | 'end', number | null>> & {
    readonly lastRecord?: number;
  };
  readonly begin?: number;
  readonly gaps?: StoredExchange['gaps'];
  /** How many content bytes a STDIN or STDOUT record carries. */
  readonly recordSize?: number;
  readonly findings?: readonly Finding[];
  /** Last word on any field. */
  readonly override?: Partial<Exchange>;
}

export const BEGIN = 1_789_000_000_123_456;
export const STDOUT = 'Content-Type: text/html; charset=UTF-8\r\nX-Powered-By: PHP/8.2\r\n\r\n<h1>Hello</h1>\n';

const PARAMS: Readonly<Record<string, string>> = {
  SCRIPT_FILENAME: '/srv/www/index.php',
  SCRIPT_NAME: '/index.php',
  REQUEST_METHOD: 'GET',
  REQUEST_URI: '/index.php?x=1',
  QUERY_STRING: 'x=1',
  SERVER_PROTOCOL: 'HTTP/1.1',
  SERVER_NAME: 'localhost',
  SERVER_PORT: '80',
  REQUEST_SCHEME: 'http',
  HTTP_HOST: 'shop.example',
  HTTP_USER_AGENT: 'curl/8.0',
};

export function storedExchange(options: ExchangeOptions = {}): StoredExchange {
  const params = options.allParams ?? paramsOf(options.params ?? {});
  const value = (name: string) => params.find((param) => param.name === name)?.value ?? null;
  const bodies = {
    params: encodeParams(params),
    stdin: bytesOf(options.stdin ?? ''),
    stdout: bytesOf(options.stdout ?? STDOUT),
    stderr: bytesOf(options.stderr ?? ''),
    data: bytesOf(options.data ?? ''),
  };
  const gaps = options.gaps ?? {};
  const outcome = options.outcome === undefined ? 'completed' : options.outcome;
  const times = timesOf(options, bodies.stdout.length > 0);
  const ended = outcome === 'completed' || outcome === 'rejected';
  const response = responseHead(bodies.stdout);
  const path = value('REQUEST_URI') ?? value('SCRIPT_NAME');
  const host = value('HTTP_HOST');
  const totals = (stream: StreamName): StreamTotals => {
    const missing = (gaps[stream] ?? []).reduce((sum, [from, to]) => sum + to - from, 0);
    const length = bodies[stream].length;
    const size = options.recordSize ?? 8192;
    return {
      bytes: length - missing,
      records: Math.ceil(length / size),
      ended: stream === 'params' || stream === 'stdin' || (ended && stream === 'stdout'),
      missing,
    };
  };
  const streams = Object.fromEntries(STREAM_NAMES.map((name) => [name, totals(name)])) as Record<
    StreamName,
    StreamTotals
  >;
  const exchange: Exchange = {
    n: options.n ?? 1,
    connection: options.connection ?? 1,
    requestId: options.requestId ?? 1,
    client: { kind: 'tcp', host: '127.0.0.1', port: 40_000 },
    server: { kind: 'tcp', host: '127.0.0.1', port: 9000 },
    role: 'responder',
    keepConnection: false,
    precedingRequests: 0,
    outcome,
    waiting: null,
    times,
    params,
    paramsComplete: true,
    paramsSplit: false,
    method: value('REQUEST_METHOD'),
    url: path === null ? null : `${value('REQUEST_SCHEME') ?? 'http'}://${host ?? 'localhost'}${path}`,
    script: value('SCRIPT_FILENAME'),
    response,
    streams,
    stderrHead: bodies.stderr.slice(0, STDERR_KEPT),
    bodyHead: bodies.stdout.slice(response?.length ?? 0, (response?.length ?? 0) + BODY_HEAD_KEPT),
    appStatus: ended ? 0 : null,
    protocolStatus: ended ? 'request-complete' : null,
    abortSeen: outcome === 'aborted',
    records: { total: 0, gaps: 0, problems: 0 },
    problems: [],
    connectionEnd: null,
    failure: null,
    findings: options.findings ?? [],
    ...options.override,
  };
  const records = recordsOf(exchange, bodies, options.recordSize ?? 8192);
  const counted: Exchange = options.override?.records
    ? exchange
    : { ...exchange, records: { total: records.length, gaps: 0, problems: exchange.problems.length } };
  return { exchange: counted, bodies, gaps, records };
}

export function finding(id: string, severity: Severity = 'error'): Finding {
  return {
    id,
    severity,
    title: `The title of ${id}`,
    detail: 'What was seen in this request.',
    certainty: 'allowed',
    advice: ['Look at the first thing.', 'Then at the second.'],
    alternatives: [{ cause: 'Another cause.', tell: 'The log says so.' }],
    look: ['The log of the backend.'],
    evidence: [{ kind: 'record', record: 4 }],
  };
}

export function connectionSummary(override: Partial<ConnectionSummary> = {}): ConnectionSummary {
  return {
    connection: 1,
    client: { kind: 'tcp', host: '127.0.0.1', port: 40_000 },
    server: { kind: 'tcp', host: '127.0.0.1', port: 9000 },
    at: BEGIN - 100,
    endedBy: 'backend',
    how: 'fin',
    endedAt: BEGIN + 13_200,
    requests: 1,
    bytes: { client: 300, server: 5200 },
    managementRecords: 0,
    problems: 0,
    failure: null,
    undecoded: false,
    notes: [],
    ...override,
  };
}

export function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? new TextEncoder().encode(content) : content;
}

/** Head and body in one. */
export function stdoutOf(head: string, body: string | Uint8Array): Uint8Array {
  const first = bytesOf(`${head.replaceAll('\n', '\r\n')}\r\n\r\n`);
  const second = bytesOf(body);
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}

function paramsOf(changes: Readonly<Record<string, string | null>>): Param[] {
  return Object.entries({ ...PARAMS, ...changes }).flatMap(([name, value]) =>
    value === null ? [] : [{ name, value }],
  );
}

function timesOf(options: ExchangeOptions, output: boolean): ExchangeTimes {
  const begin = options.begin ?? BEGIN;
  const timing = {
    paramsEnd: 0.1,
    stdinEnd: 0.2,
    firstStdout: output ? 12.5 : null,
    lastStdout: output ? 13 : null,
    end: options.outcome === null ? null : 13.1,
    ...options.timing,
  };
  const stamp = (ms: number | null) => (ms === null ? null : begin + Math.round(ms * 1000));
  const ended = options.outcome === undefined || options.outcome === 'completed' || options.outcome === 'rejected';
  const last = (ended ? timing.end : null) ?? timing.lastStdout ?? timing.stdinEnd ?? timing.paramsEnd ?? 0;
  return {
    begin,
    paramsEnd: stamp(timing.paramsEnd),
    stdinEnd: stamp(timing.stdinEnd),
    firstStdout: stamp(timing.firstStdout),
    lastStdout: stamp(timing.lastStdout),
    lastRecord: begin + Math.round((timing.lastRecord ?? last) * 1000),
    end: stamp(timing.end),
  };
}

function responseHead(stdout: Uint8Array): ResponseHead | null {
  if (stdout.length === 0) return null;
  const text = Buffer.from(stdout).toString('latin1');
  const end = /\r?\n\r?\n/.exec(text);
  const block = end === null ? text : text.slice(0, end.index);
  const headers: Header[] = block.split(/\r?\n/).flatMap((line) => {
    const colon = line.indexOf(':');
    return colon < 1 ? [] : [{ name: line.slice(0, colon), value: line.slice(colon + 1).trim() }];
  });
  const status = headers.find((header) => header.name.toLowerCase() === 'status')?.value;
  const location = headers.some((header) => header.name.toLowerCase() === 'location');
  return {
    status: status === undefined ? (location ? 302 : 200) : Number.parseInt(status, 10),
    reason: status?.replace(/^\d+ ?/, '') ?? '',
    headers,
    complete: end !== null,
    length: end === null ? stdout.length : end.index + end[0].length,
    invalidLines: [],
  };
}

/** Name-value pairs, specification section 3.4. */
function encodeParams(params: readonly Param[]): Uint8Array {
  const parts: number[] = [];
  const length = (count: number) =>
    count < 128 ? [count] : [(count >>> 24) | 0x80, (count >>> 16) & 0xff, (count >>> 8) & 0xff, count & 0xff];
  for (const param of params) {
    const name = bytesOf(param.name);
    const value = param.bytes ?? bytesOf(param.value);
    parts.push(...length(name.length), ...length(value.length), ...name, ...value);
  }
  return Uint8Array.from(parts);
}

const TYPE_CODES: Readonly<Record<string, number>> = {
  BEGIN_REQUEST: 1,
  ABORT_REQUEST: 2,
  END_REQUEST: 3,
  PARAMS: 4,
  STDIN: 5,
  STDOUT: 6,
  STDERR: 7,
  DATA: 8,
};

function recordsOf(
  exchange: Exchange,
  bodies: Readonly<Record<StreamName, Uint8Array>>,
  recordSize: number,
): StoredRecord[] {
  const records: StoredRecord[] = [];
  const offsets = { client: 0, server: 0 };
  const { times } = exchange;
  const add = (type: string, at: number | null, content: Uint8Array, streamOffset: number | null, summary = '') => {
    if (at === null) return;
    const side = type === 'STDOUT' || type === 'STDERR' || type === 'END_REQUEST' ? 'server' : 'client';
    const paddingLength = (8 - (content.length % 8)) % 8;
    records.push({
      entry: {
        index: records.length,
        at,
        side,
        type,
        typeCode: TYPE_CODES[type]!,
        version: 1,
        requestId: exchange.requestId,
        offset: offsets[side],
        contentLength: content.length,
        paddingLength,
        missing: 0,
        streamOffset,
        problems: [],
        summary,
      },
      content,
    });
    offsets[side] += 8 + content.length + paddingLength;
  };
  const stream = (name: StreamName, first: number | null, last: number | null) => {
    const bytes = bodies[name];
    const count = Math.ceil(bytes.length / recordSize);
    for (let i = 0; i < count; i++) {
      const at =
        first === null || last === null || count < 2 ? first : first + Math.round(((last - first) * i) / (count - 1));
      add(name.toUpperCase(), at, bytes.slice(i * recordSize, (i + 1) * recordSize), i * recordSize);
    }
    if (exchange.streams[name].ended) add(name.toUpperCase(), last ?? first, new Uint8Array(0), bytes.length);
  };
  const role = Uint8Array.from([0, 1, exchange.keepConnection ? 1 : 0, 0, 0, 0, 0, 0]);
  add('BEGIN_REQUEST', times.begin, role, null, `role ${exchange.role}${exchange.keepConnection ? ', keep' : ''}`);
  stream('params', times.begin, times.paramsEnd);
  stream('stdin', times.paramsEnd, times.stdinEnd);
  stream('data', times.stdinEnd, times.stdinEnd);
  stream('stderr', times.firstStdout ?? times.stdinEnd, times.firstStdout ?? times.stdinEnd);
  stream('stdout', times.firstStdout, times.lastStdout);
  if (exchange.protocolStatus !== null) {
    add('END_REQUEST', times.end, new Uint8Array(8), null, `app status ${exchange.appStatus}, request complete`);
  }
  return records;
}
