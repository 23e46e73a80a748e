import { createHash } from 'node:crypto';
import { type ConnectionSummary, formatEndpoint } from '../model/connection.js';
import type { Exchange, Param, StreamName, StreamTotals } from '../model/exchange.js';
import { statusOf } from '../model/exchange-row.js';
import type { ExchangeOutput, OutputOptions, SessionSummary } from '../model/output.js';
import { redactExchange } from '../model/redaction.js';
import { MICROSECONDS_PER_SECOND, milliseconds, type Timestamp } from '../model/time.js';
import { type StreamContent, streamContent } from './stream-content.js';
import { base64, isUtf8, TextWriter } from './text-writer.js';

/**
 * One JSON object a line, described by docs/ndjson.schema.json, which the package ships. A line with bodies is written in pieces: they go
 * through in slices, so that a request of any size takes no more memory than a small one.
 */
export function ndjson(options: OutputOptions): ExchangeOutput {
  const writer = new TextWriter(options.write);
  return {
    async exchange(exchange) {
      if (options.bodies === 'none') {
        const handedOn = writer.addLine(JSON.stringify(wholeObject(exchange, options)));
        if (handedOn !== undefined) await handedOn;
        return;
      }
      try {
        await writeRequest(exchange, writer, options);
        await writer.endLine();
      } catch (error) {
        // Only the reading may have failed: the lines that follow must not suffer.
        await writer.abandonLine();
        throw error;
      }
    },
    async connection(connection) {
      await writer.addLine(JSON.stringify(connectionObject(connection)));
    },
    flush: () => writer.flush(),
    async end(summary) {
      await writer.addLine(JSON.stringify(summaryObject(summary)));
      await writer.flush();
    },
  };
}

/** A request without bodies, for which nothing has to be read: at once. */
function wholeObject(original: Exchange, options: OutputOptions) {
  const exchange = options.redact ? redactExchange(original) : original;
  const { stdin, stdout, stderr, data } = exchange.streams;
  const object: Record<string, unknown> = requestObject(exchange);
  object.stdin = streamObject(stdin);
  object.stdout = streamObject(stdout);
  object.stderr = streamObject(stderr);
  object.data = streamObject(data);
  object.findings = findingObjects(exchange);
  return object;
}

function streamObject({ bytes, records, ended, missing }: StreamTotals) {
  return missing > 0 ? { bytes, records, ended, missing } : { bytes, records, ended };
}

function findingObjects(exchange: Exchange) {
  return exchange.findings.map(({ id, severity, title, detail, advice }) => ({ id, severity, title, detail, advice }));
}

/** In the order of the keys. PARAMS is there in the open as `params`. */
const BODY_STREAMS: readonly StreamName[] = ['stdin', 'stdout', 'stderr', 'data'];

async function writeRequest(original: Exchange, writer: TextWriter, options: OutputOptions): Promise<void> {
  const exchange = options.redact ? redactExchange(original) : original;
  await writer.add(unclosed(requestObject(exchange)));
  for (const stream of BODY_STREAMS) await writeStream(original, stream, writer, options);
  await writer.add(`,"findings":${JSON.stringify(findingObjects(exchange))}}`);
}

function requestObject(exchange: Exchange) {
  const { times, records } = exchange;
  const since = (at: Timestamp | null) => milliseconds(times.begin, at);
  return {
    type: 'request',
    n: exchange.n,
    connection: exchange.connection,
    requestId: exchange.requestId,
    client: formatEndpoint(exchange.client),
    server: formatEndpoint(exchange.server),
    role: exchange.role,
    keepConnection: exchange.keepConnection,
    outcome: exchange.outcome,
    at: seconds(times.begin),
    method: exchange.method,
    url: exchange.url,
    script: exchange.script,
    status: statusOf(exchange),
    appStatus: exchange.appStatus,
    protocolStatus: exchange.protocolStatus,
    timing: {
      params: since(times.paramsEnd),
      stdin: since(times.stdinEnd),
      firstStdout: since(times.firstStdout),
      lastStdout: since(times.lastStdout),
      total: since(times.end),
    },
    params: exchange.params.map(paramPair),
    // A block that is not kept any more is not one without headers.
    responseHeaders: exchange.response?.length
      ? exchange.response.headers.map(({ name, value }) => [name, value])
      : null,
    records: { total: records.total, gaps: records.gaps, problems: records.problems },
  };
}

function paramPair({ name, value, bytes }: Param): [string, string | { base64: string }] {
  return [name, bytes === undefined ? value : { base64: base64(bytes) }];
}

function connectionObject(connection: ConnectionSummary) {
  return {
    type: 'connection',
    connection: connection.connection,
    client: formatEndpoint(connection.client),
    server: formatEndpoint(connection.server),
    at: seconds(connection.at),
    requests: connection.requests,
    endedBy: connection.endedBy,
    how: connection.how,
    bytes: { client: connection.bytes.client, server: connection.bytes.server },
    managementRecords: connection.managementRecords,
    problems: connection.problems,
    notes: connection.notes,
    // No rule looks at whole connections yet; the key is part of the contract.
    findings: [],
  };
}

function summaryObject(summary: SessionSummary) {
  const { error, warning, note } = summary.findings;
  return {
    type: 'summary',
    connections: summary.connections,
    requests: summary.requests,
    completed: summary.completed,
    findings: { error, warning, note },
    evicted: summary.evicted,
    seconds: summary.seconds,
  };
}

/** `,"stdin":{"bytes":…}`: the totals, then what --bodies asks for, then what is missing of it. */
async function writeStream(
  exchange: Exchange,
  stream: StreamName,
  writer: TextWriter,
  options: OutputOptions,
): Promise<void> {
  const { bytes, records, ended, missing } = exchange.streams[stream];
  await writer.add(`,"${stream}":${unclosed({ bytes, records, ended })}`);
  const absent = options.bodies === 'none' ? missing : await writeContent(exchange, stream, writer, options);
  await writer.add(absent > 0 ? `,"missing":${absent}}` : '}');
}

/** @returns how many bytes are missing */
async function writeContent(
  exchange: Exchange,
  stream: StreamName,
  writer: TextWriter,
  options: OutputOptions,
): Promise<number> {
  const { bodies, inspection } = options;
  // A hash is for comparing: it is taken of the bytes as they were on the wire, and gives none of them away.
  const redact = options.redact && bodies !== 'sha256';
  const content = await streamContent(exchange, stream, inspection, redact);
  if (content === null) {
    await writer.add(',"redacted":true');
    return exchange.streams[stream].missing;
  }
  if (bodies === 'sha256') {
    await writer.add(`,"sha256":"${await sha256(content)}"`);
  } else if (bodies === 'text' && (await isUtf8(content.slices()))) {
    await writer.add(',"text":"');
    await writer.addJsonText(content.slices());
    await writer.add('"');
  } else {
    await writer.add(',"base64":"');
    await writer.addBase64(content.slices());
    await writer.add('"');
  }
  if (content.redacted) await writer.add(',"redacted":true');
  return content.missing();
}

async function sha256(content: StreamContent): Promise<string> {
  const hash = createHash('sha256');
  for await (const slice of content.slices()) hash.update(slice);
  return hash.digest('hex');
}

/** An object's JSON to which keys can be added. */
function unclosed(value: object): string {
  return JSON.stringify(value).slice(0, -1);
}

/** Seconds with microseconds: whole ones, as a nanosecond capture's fractions would only be rounding noise here. */
function seconds(at: Timestamp): number {
  return Math.round(at) / MICROSECONDS_PER_SECOND;
}
