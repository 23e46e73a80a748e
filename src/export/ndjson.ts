import { createHash } from 'node:crypto';
import { type ConnectionSummary, type Endpoint, formatEndpoint } from '../model/connection.js';
import type { Exchange, StreamName, StreamTotals } from '../model/exchange.js';
import { statusOf } from '../model/exchange-row.js';
import type { ExchangeOutput, OutputOptions, SessionSummary } from '../model/output.js';
import { redactFindings, redactUrl, redactValue } from '../model/redaction.js';
import { millisecondsText, PairTexts, quoted, quotedOrNull, secondsText } from './json-text.js';
import { type StreamContent, streamContent } from './stream-content.js';
import { isUtf8, TextWriter } from './text-writer.js';

/**
 * One JSON object a line, described by docs/ndjson.schema.json, which the package ships. A line with bodies is written in pieces: they go
 * through in slices, so that a request of any size takes no more memory than a small one.
 */
export function ndjson(options: OutputOptions): ExchangeOutput {
  const writer = new TextWriter(options.write);
  const texts = new RequestTexts(options.redact);
  const withBodies = async (exchange: Exchange): Promise<void> => {
    try {
      await writeRequest(exchange, texts, writer, options);
      await writer.endLine();
    } catch (error) {
      // Only the reading may have failed: the lines that follow must not suffer.
      await writer.abandonLine();
      throw error;
    }
  };
  return {
    exchange(exchange) {
      if (options.bodies !== 'none') return withBodies(exchange);
      texts.whole(exchange, writer);
      return writer.endLine();
    },
    connection: (connection) => writer.addLine(connectionText(connection, texts)),
    flush: () => writer.flush(),
    async end(summary) {
      await writer.addLine(JSON.stringify(summaryObject(summary)));
      await writer.flush();
      await writer.taken();
    },
  };
}

function streamText(totals: StreamTotals): string {
  if (totals.records === 0 && totals.bytes === 0 && totals.missing === 0 && !totals.ended) return UNUSED;
  return `${streamTotals(totals)}${totals.missing > 0 ? `,"missing":${totals.missing}}` : '}'}`;
}

/** The object is not closed. */
function streamTotals({ bytes, records, ended }: StreamTotals): string {
  return `{"bytes":${bytes},"records":${records},"ended":${ended}`;
}

const UNUSED = '{"bytes":0,"records":0,"ended":false}';

/** For the words of the model, which hold nothing that needs an escape. */
function wordOrNull(word: string | null): string {
  return word === null ? 'null' : `"${word}"`;
}

function findingsText(exchange: Exchange, redact: boolean): string {
  if (exchange.findings.length === 0) return '[]';
  const findings = redact ? redactFindings(exchange) : exchange.findings;
  return JSON.stringify(
    findings.map(({ id, severity, title, detail, advice }) => ({ id, severity, title, detail, advice })),
  );
}

/** In the order of the keys. PARAMS is there in the open as `params`. */
const BODY_STREAMS = ['stdin', 'stdout', 'stderr', 'data'] as const;

async function writeRequest(
  exchange: Exchange,
  texts: RequestTexts,
  writer: TextWriter,
  options: OutputOptions,
): Promise<void> {
  texts.head(exchange, writer);
  for (const stream of BODY_STREAMS) await writeStream(exchange, stream, writer, options);
  await writer.add(`,"findings":${findingsText(exchange, options.redact)}}`);
}

/** Requests as text; put together from pieces, because this runs for each request of a capture. */
class RequestTexts {
  readonly #params: PairTexts;
  readonly #headers: PairTexts;
  /** Neighbours have their endpoints in common. */
  #client: EndpointText | null = null;
  #server: EndpointText | null = null;

  constructor(private readonly redact: boolean) {
    const shown = redact ? redactValue : (_name: string, value: string) => value;
    this.#params = new PairTexts(shown);
    this.#headers = new PairTexts(shown);
  }

  /** A request without bodies, for which nothing has to be read: all of a line. */
  whole(exchange: Exchange, writer: TextWriter): void {
    this.head(exchange, writer);
    const { stdin, stdout, stderr, data } = exchange.streams;
    writer.put(
      `,"stdin":${streamText(stdin)},"stdout":${streamText(stdout)},"stderr":${streamText(stderr)},"data":${streamText(data)}` +
        `,"findings":${findingsText(exchange, this.redact)}}`,
    );
  }

  /** All that stands before the streams; the object is not closed. */
  head(exchange: Exchange, writer: TextWriter): void {
    const { times, records, params, response } = exchange;
    const { begin } = times;
    const url = exchange.url !== null && this.redact ? redactUrl(exchange.url) : exchange.url;
    const script = exchange.script !== null && this.redact ? redactUrl(exchange.script) : exchange.script;
    writer.put(
      `{"type":"request","n":${exchange.n},"connection":${exchange.connection},"requestId":${exchange.requestId}` +
        `,"client":${this.client(exchange.client)},"server":${this.server(exchange.server)},"role":"${exchange.role}"` +
        `,"keepConnection":${exchange.keepConnection},"outcome":${wordOrNull(exchange.outcome)}` +
        `,"at":${secondsText(begin)},"method":${quotedOrNull(exchange.method)},"url":`,
    );
    writer.put(quotedOrNull(url));
    writer.put(
      `,"script":${quotedOrNull(script)},"status":${statusOf(exchange)},"appStatus":${exchange.appStatus}` +
        `,"protocolStatus":${wordOrNull(exchange.protocolStatus)}` +
        `,"timing":{"params":${millisecondsText(begin, times.paramsEnd)}` +
        `,"stdin":${millisecondsText(begin, times.stdinEnd)}` +
        `,"firstStdout":${millisecondsText(begin, times.firstStdout)}` +
        `,"lastStdout":${millisecondsText(begin, times.lastStdout)}` +
        `,"total":${millisecondsText(begin, times.end)}},"params":`,
    );
    this.#params.put(params, writer);
    // A block that is not kept any more is not one without headers.
    if (response === null || response.length === 0) writer.put(',"responseHeaders":null');
    else {
      writer.put(',"responseHeaders":');
      this.#headers.put(response.headers, writer);
    }
    writer.put(`,"records":{"total":${records.total},"gaps":${records.gaps},"problems":${records.problems}}`);
  }

  client(endpoint: Endpoint): string {
    if (this.#client?.endpoint !== endpoint) this.#client = new EndpointText(endpoint);
    return this.#client.text;
  }

  server(endpoint: Endpoint): string {
    if (this.#server?.endpoint !== endpoint) this.#server = new EndpointText(endpoint);
    return this.#server.text;
  }
}

class EndpointText {
  readonly text: string;
  constructor(readonly endpoint: Endpoint) {
    this.text = quoted(formatEndpoint(endpoint));
  }
}

function connectionText(connection: ConnectionSummary, texts: RequestTexts): string {
  const { client, server } = connection.bytes;
  return (
    `{"type":"connection","connection":${connection.connection},"client":${texts.client(connection.client)}` +
    `,"server":${texts.server(connection.server)},"at":${secondsText(connection.at)},"requests":${connection.requests}` +
    `,"endedBy":${wordOrNull(connection.endedBy)},"how":${wordOrNull(connection.how)}` +
    `,"bytes":{"client":${client},"server":${server}},"managementRecords":${connection.managementRecords}` +
    `,"problems":${connection.problems}` +
    // No rule looks at whole connections yet; the key is part of the contract.
    `,"notes":${connection.notes.length === 0 ? '[]' : JSON.stringify(connection.notes)},"findings":[]}`
  );
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
  const { missing } = exchange.streams[stream];
  await writer.add(`,"${stream}":${streamTotals(exchange.streams[stream])}`);
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
