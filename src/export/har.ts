import { isIP } from 'node:net';
import { type Endpoint, formatEndpoint } from '../model/connection.js';
import type { Exchange } from '../model/exchange.js';
import { statusOf } from '../model/exchange-row.js';
import type { ExchangeOutput, OutputOptions, SessionSummary } from '../model/output.js';
import { paramValue } from '../model/param-value.js';
import { redactExchange } from '../model/redaction.js';
import { MICROSECONDS_PER_MILLISECOND, type Timestamp } from '../model/time.js';
import { visibleBytes } from '../model/visible-text.js';
import { postData, resourceType, responseContent, unreadableContent, unreadablePostData } from './har-body.js';
import {
  absoluteUrl,
  headerValue,
  queryFields,
  requestCookies,
  requestHeaders,
  responseCookies,
} from './har-message.js';

/**
 * HAR 1.2, as browsers' developer tools read it. Entries are written as they come, so that memory does not grow with their number, and
 * `end` makes the file whole. HAR wants entries in the order of their start while requests come in the order of their end: as many as
 * ENTRIES_HELD wait to be overtaken, which sorts everything but requests that outlasted that many others. They wait as finished text,
 * since the session may have let go of their bodies by then, and the oldest go early when that text gets longer than TEXT_HELD.
 *
 * Chrome refuses a whole file for one missing number, Firefox for a missing array or page, so every entry has all of them, also when
 * there was no response. What is FastCGI's own stands under `_fastcgi`.
 */
export function har(options: OutputOptions): ExchangeOutput {
  return new HarWriter(options);
}

const ENTRIES_HELD = 200;
/** In characters: two of the largest bodies, or ENTRIES_HELD ordinary pages many times over. */
const TEXT_HELD = 32 * 1024 * 1024;

interface HeldEntry {
  readonly begin: Timestamp;
  readonly n: number;
  readonly text: string;
}

const PAGE = 'page_1';
/** HAR's own sign for "does not apply" and "not known". */
const NOT_KNOWN = -1;

class HarWriter implements ExchangeOutput {
  /** In the order of their start. After a call no more than ENTRIES_HELD, and their texts, #length in all, no longer than TEXT_HELD. */
  readonly #held: HeldEntry[] = [];
  #length = 0;
  #begun = false;
  #written = 0;

  constructor(private readonly options: OutputOptions) {}

  async exchange(exchange: Exchange): Promise<void> {
    const text = JSON.stringify(await harEntry(exchange, this.options));
    const entry = { begin: exchange.times.begin, n: exchange.n, text };
    const later = this.#held.findLastIndex((held) => startsBefore(held, entry)) + 1;
    this.#held.splice(later, 0, entry);
    this.#length += text.length;
    while (this.#held.length > ENTRIES_HELD || this.#length > TEXT_HELD) await this.#writeOldest();
  }

  /** HAR knows requests only; their entries name the connection. */
  async connection(): Promise<void> {}

  async end(summary: SessionSummary): Promise<void> {
    while (this.#held.length > 0) await this.#writeOldest();
    await this.#begin(summary.startedAt);
    await this.options.write('\n]}}\n');
  }

  async #writeOldest(): Promise<void> {
    const { begin, text } = this.#held.shift()!;
    this.#length -= text.length;
    await this.#begin(begin);
    await this.options.write(`${this.#written++ === 0 ? '\n' : ',\n'}${text}`);
  }

  async #begin(at: Timestamp): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    const creator = { name: 'fcgi-inspect', version: this.options.version };
    const page = {
      startedDateTime: isoDate(at),
      id: PAGE,
      title: 'FastCGI requests',
      pageTimings: { onContentLoad: NOT_KNOWN, onLoad: NOT_KNOWN },
    };
    const head = `"version":"1.2","creator":${JSON.stringify(creator)},"pages":[${JSON.stringify(page)}]`;
    await this.options.write(`{"log":{${head},"entries":[`);
  }
}

function startsBefore(a: HeldEntry, b: HeldEntry): boolean {
  return a.begin === b.begin ? a.n < b.n : a.begin < b.begin;
}

async function harEntry(original: Exchange, options: OutputOptions) {
  const { inspection, redact } = options;
  const exchange = redact ? redactExchange(original) : original;
  const timings = timingsOf(exchange);
  const headers = requestHeaders(exchange.params);
  const post = await postData(original, inspection, redact).catch(unreadablePostData);
  const httpVersion = paramValue(exchange.params, 'SERVER_PROTOCOL') || 'HTTP/1.1';
  const address = ipOf(exchange.server);
  return {
    pageref: PAGE,
    startedDateTime: isoDate(exchange.times.begin),
    time: rounded(timings.send + timings.wait + timings.receive),
    request: {
      method: exchange.method ?? 'UNKNOWN',
      url: absoluteUrl(exchange),
      httpVersion,
      cookies: requestCookies(headers),
      headers,
      queryString: queryFields(exchange.params, exchange.url),
      ...(post === undefined ? {} : { postData: post }),
      // No bytes of HTTP exist here: the web server has taken the header apart.
      headersSize: NOT_KNOWN,
      bodySize: exchange.streams.stdin.bytes,
    },
    response: await responseOf(exchange, original, httpVersion, options),
    cache: {},
    timings,
    ...(address === null ? {} : { serverIPAddress: address }),
    connection: String(exchange.connection),
    _connectionId: String(exchange.connection),
    _resourceType: resourceType(exchange),
    _fastcgi: fastcgiOf(exchange),
  };
}

async function responseOf(
  exchange: Exchange,
  original: Exchange,
  httpVersion: string,
  { inspection, redact }: OutputOptions,
) {
  const { response, streams } = exchange;
  const headers = response?.headers ?? [];
  const error = errorOf(exchange);
  const headersSize = response?.length || NOT_KNOWN;
  const bodySize = headersSize === NOT_KNOWN ? NOT_KNOWN : Math.max(0, streams.stdout.bytes - headersSize);
  return {
    status: statusOf(exchange) ?? 0,
    statusText: response?.reason ?? '',
    httpVersion,
    cookies: responseCookies(headers),
    headers: headers.map(({ name, value }) => ({ name, value })),
    content: await responseContent(original, inspection, redact).catch(unreadableContent),
    redirectURL: headerValue(headers, 'location') ?? '',
    headersSize,
    bodySize,
    _transferSize: streams.stdout.bytes,
    ...(error === null ? {} : { _error: error }),
  };
}

/** Why there is no whole response; null when there is one, or nobody knows any more. */
function errorOf(exchange: Exchange): string | null {
  const { outcome, failure, connectionEnd, protocolStatus, streams } = exchange;
  // What is not kept may well have been a whole response.
  if (outcome === 'completed' && (statusOf(exchange) !== null || streams.stdout.missing > 0)) return null;
  if (failure !== null) return `${outcome}: ${failure.errno}`;
  if (outcome === 'completed') return 'no complete header block';
  if (outcome === 'rejected') return `rejected: ${protocolStatus}`;
  const after = connectionEnd?.afterRecord ?? null;
  return after === null ? String(outcome) : `${outcome} after ${after}`;
}

/**
 * send: BEGIN_REQUEST to the end of STDIN; wait: to the first STDOUT; receive: to the end. Each is at least 0: a response may begin
 * before the request has been sent whole.
 */
function timingsOf({ times }: Exchange) {
  const begin = times.begin;
  const sent = Math.max(begin, times.stdinEnd ?? times.paramsEnd ?? begin);
  const end = Math.max(times.end ?? times.lastStdout ?? sent, begin);
  const sendEnd = Math.min(sent, end);
  const answered = Math.min(Math.max(times.firstStdout ?? end, sendEnd), end);
  return {
    blocked: NOT_KNOWN,
    dns: NOT_KNOWN,
    // Not part of a request: it begins with BEGIN_REQUEST on a connection that stands.
    connect: NOT_KNOWN,
    ssl: NOT_KNOWN,
    send: span(begin, sendEnd),
    wait: span(sendEnd, answered),
    receive: span(answered, end),
  };
}

function fastcgiOf(exchange: Exchange) {
  const { streams, connectionEnd } = exchange;
  return {
    n: exchange.n,
    role: exchange.role,
    requestId: exchange.requestId,
    keepConnection: exchange.keepConnection,
    outcome: exchange.outcome,
    appStatus: exchange.appStatus,
    protocolStatus: exchange.protocolStatus,
    client: formatEndpoint(exchange.client),
    server: formatEndpoint(exchange.server),
    script: exchange.script,
    params: exchange.params.map(({ name, value }) => ({ name, value })),
    stderr: visibleLines(exchange.stderrHead),
    stderrBytes: streams.stderr.bytes,
    dataBytes: streams.data.bytes,
    records: { ...exchange.records },
    connectionEnd:
      connectionEnd === null
        ? null
        : { endedBy: connectionEnd.endedBy, how: connectionEnd.how, afterRecord: connectionEnd.afterRecord },
    failure: exchange.failure,
    problems: exchange.problems.map(({ code, message }) => ({ code, message })),
    findings: exchange.findings.map(({ id, severity, title, detail, advice }) => {
      return { id, severity, title, detail, advice };
    }),
  };
}

/** Lines stay lines; what is in them is made visible, as these are shown in a tool's pane as they are. */
function visibleLines(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('latin1')
    .split('\n')
    .map((line) => visibleBytes(Buffer.from(line, 'latin1')))
    .join('\n');
}

function ipOf(endpoint: Endpoint): string | null {
  return endpoint.kind === 'tcp' && isIP(endpoint.host) !== 0 ? endpoint.host : null;
}

/** A capture file may claim any time; what no date can be is moved to the nearest that can. */
function isoDate(at: Timestamp): string {
  const ms = Math.floor(at / MICROSECONDS_PER_MILLISECOND);
  return new Date(Math.min(Math.max(ms, 0), LAST_DATE)).toISOString();
}

/** The end of the year 9999: ISO 8601 writes years after it in a longer form that readers do not expect. */
const LAST_DATE = 253_402_300_799_999;

function span(from: Timestamp, to: Timestamp): number {
  return rounded((to - from) / MICROSECONDS_PER_MILLISECOND);
}

/** To the microsecond: sums of milliseconds would otherwise end in 0000000001. */
function rounded(ms: number): number {
  return Math.round(ms * MICROSECONDS_PER_MILLISECOND) / MICROSECONDS_PER_MILLISECOND;
}
