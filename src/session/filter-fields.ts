import { formatEndpoint } from '../model/connection.js';
import type { Exchange, ExchangeRow, Outcome, StreamName } from '../model/exchange.js';

/**
 * The display filter's fields: one table for the filter itself, for --help, for completion and for the manual. A field says what it is
 * read from: `row` costs nothing, `exchange` a replay of the stored bytes, `stream` reading them.
 */

/**
 * `number`, `duration` (milliseconds) and `size` (bytes) have an order. `text` and `choice` (a text of which all values are known) are
 * compared letter by letter, a choice in any case. `rank` is a choice with an order. `named` takes a name after the dot and may have
 * several values: one that fits is enough. `stream` is the bytes of a whole stream.
 */
export type FieldType = 'number' | 'duration' | 'size' | 'text' | 'choice' | 'rank' | 'named' | 'stream';

interface FieldBase {
  /** As it is written in a filter; NAME stands for a name of the reader's choice. */
  readonly name: string;
  readonly help: string;
}

export type Figure = number | null;
export type Texts = readonly string[];

/** Read from the row, or from the exchange. */
type Read<Value> = { readonly row: (row: ExchangeRow) => Value } | { readonly exchange: (exchange: Exchange) => Value };

export type FigureField = FieldBase & { readonly type: 'number' | 'duration' | 'size' } & Read<Figure>;

export type TextField = FieldBase & {
  readonly type: 'text' | 'choice' | 'rank';
  /** All values there are, from the least to the greatest for a `rank`; `open` lets `unknown-N` pass too. */
  readonly choices?: readonly string[];
  readonly open?: true;
} & Read<Texts>;

export type NamedField = FieldBase & {
  readonly type: 'named';
  readonly exchange: (exchange: Exchange, name: string) => Texts;
};

export type StreamField = FieldBase & {
  readonly type: 'stream';
  readonly stream: StreamName;
  /** Answers from the row, where the row knows. */
  readonly empty?: (row: ExchangeRow) => boolean;
};

export type FilterField = FigureField | TextField | NamedField | StreamField;

const OUTCOMES: readonly Outcome[] = [
  'completed',
  'rejected',
  'aborted',
  'backend-closed',
  'backend-reset',
  'web-server-closed',
  'web-server-reset',
  'not-connected',
  'unfinished',
  'undecodable',
];
const ROLES = ['responder', 'authorizer', 'filter', 'unknown'];
const SEVERITIES = ['note', 'warning', 'error'];
const PROTOCOL_STATUSES = ['request-complete', 'cant-mpx-conn', 'overloaded', 'unknown-role'];

export const FIELDS: readonly FilterField[] = [
  { name: 'n', type: 'number', help: "the request's number", row: (row) => row.n },
  { name: 'conn', type: 'number', help: "the connection's number", row: (row) => row.connection },
  { name: 'id', type: 'number', help: 'the FastCGI request id', row: (row) => row.requestId },
  {
    name: 'role',
    type: 'choice',
    help: 'responder, authorizer, filter or unknown-N',
    row: (row) => [row.role],
    choices: ROLES,
    open: true,
  },
  { name: 'method', type: 'text', help: 'GET, POST, …', row: (row) => present(row.method) },
  { name: 'url', type: 'text', help: 'the whole URL, with the query', row: (row) => present(row.url) },
  {
    name: 'path',
    type: 'text',
    help: "the URL's path, without host and query",
    row: (row) => present(pathOf(row.url)),
  },
  { name: 'script', type: 'text', help: 'SCRIPT_FILENAME, else SCRIPT_NAME', row: (row) => present(row.script) },
  { name: 'status', type: 'number', help: "the answer's HTTP status", row: (row) => row.status },
  { name: 'app.status', type: 'number', help: 'the app status of END_REQUEST', row: (row) => row.appStatus },
  {
    name: 'protocol.status',
    type: 'choice',
    help: 'the protocol status of END_REQUEST: request-complete, overloaded, …',
    row: (row) => present(row.protocolStatus),
    choices: PROTOCOL_STATUSES,
    open: true,
  },
  {
    name: 'outcome',
    type: 'choice',
    help: 'how the request ended: completed, backend-closed, …; empty while it is open',
    row: (row) => present(row.outcome),
    choices: OUTCOMES,
  },
  { name: 'duration', type: 'duration', help: 'from BEGIN_REQUEST to the end', row: (row) => row.total },
  { name: 'ttfb', type: 'duration', help: 'from BEGIN_REQUEST to the first STDOUT bytes', row: (row) => row.ttfb },
  { name: 'size.in', type: 'size', help: 'bytes of STDIN', row: (row) => row.sizeIn },
  { name: 'size.out', type: 'size', help: 'bytes of STDOUT, the header block included', row: (row) => row.sizeOut },
  { name: 'size.err', type: 'size', help: 'bytes of STDERR', row: (row) => row.stderrBytes },
  { name: 'records', type: 'number', help: 'how many records, both directions', row: (row) => row.records },
  { name: 'problems', type: 'number', help: 'how many protocol problems', row: (row) => row.problems },
  { name: 'finding', type: 'text', help: 'the ids of the findings', row: (row) => row.findings },
  {
    name: 'severity',
    type: 'rank',
    help: 'the worst finding: note < warning < error',
    row: (row) => present(row.severity),
    choices: SEVERITIES,
  },
  {
    name: 'client',
    type: 'text',
    help: "the web server's address and port",
    exchange: (exchange) => [formatEndpoint(exchange.client)],
  },
  {
    name: 'server',
    type: 'text',
    help: "the backend's address and port",
    exchange: (exchange) => [formatEndpoint(exchange.server)],
  },
  {
    name: 'param.NAME',
    type: 'named',
    help: 'a FastCGI parameter; the name in any case',
    exchange: ({ params }, name) => params.filter((param) => sameName(param.name, name)).map((param) => param.value),
  },
  {
    name: 'header.NAME',
    type: 'named',
    help: "a header of the answer's CGI header block; the name in any case",
    exchange: ({ response }, name) =>
      (response?.headers ?? []).filter((header) => sameName(header.name, name)).map((header) => header.value),
  },
  { name: 'stdin', type: 'stream', help: 'the request body', stream: 'stdin', empty: (row) => row.sizeIn === 0 },
  {
    name: 'stdout',
    type: 'stream',
    help: 'the answer as sent, header block and body',
    stream: 'stdout',
    empty: (row) => row.sizeOut === 0,
  },
  {
    name: 'stderr',
    type: 'stream',
    help: 'what the application wrote to STDERR',
    stream: 'stderr',
    empty: (row) => row.stderrBytes === 0,
  },
  { name: 'data', type: 'stream', help: "the filter role's DATA stream", stream: 'data' },
];

const BY_WORD = new Map(FIELDS.map((field) => [field.name.replace('.NAME', ''), field]));

/** @param word the field as written, in lower case, without a name after the dot */
export function fieldOf(word: string): FilterField | null {
  return BY_WORD.get(word) ?? null;
}

/** The field that was probably meant by `word`, as it is written in a filter; null when none is near. */
export function nearestField(word: string): string | null {
  const distances = FIELDS.map(({ name }) => ({
    name,
    distance: distance(word, name.replace('.NAME', '').toLowerCase()),
  }));
  const best = distances.reduce((a, b) => (b.distance < a.distance ? b : a));
  return best.distance <= Math.max(1, Math.floor(word.length / 3)) ? best.name : null;
}

function present(text: string | null): Texts {
  return text === null ? [] : [text];
}

function sameName(a: string, b: string): boolean {
  return a.length === b.length && a.toLowerCase() === b.toLowerCase();
}

/** `/a` of `http://host/a?b`; null without a URL. */
function pathOf(url: string | null): string | null {
  return url === null ? null : /^(?:[a-z][a-z0-9+.-]*:\/\/[^/?#]*)?([^?#]*)/i.exec(url)![1]!;
}

/** Names longer than this are nobody's slip of the finger; the table below stays small. */
const MAX_SLIP = 24;

/** Levenshtein's, row by row. */
function distance(a: string, b: string): number {
  if (a.length > MAX_SLIP) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
