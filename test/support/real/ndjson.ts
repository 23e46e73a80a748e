import type { RecordCounts } from './packet-capture.js';

/** The NDJSON contract as its readers know it, written down apart from the program, so that a slip there cannot hide here. */
export type NdjsonLine = NdjsonRequest | NdjsonConnection | NdjsonSummary;

export interface NdjsonStream {
  readonly bytes: number;
  readonly records: number;
  readonly ended: boolean;
  readonly text?: string;
  readonly base64?: string;
  readonly sha256?: string;
  readonly missing?: number;
}

export interface NdjsonFinding {
  readonly id: string;
  readonly severity: 'error' | 'warning' | 'note';
  readonly title: string;
  readonly detail: string;
  readonly advice: readonly string[];
}

export interface NdjsonRequest {
  readonly type: 'request';
  readonly n: number;
  readonly connection: number;
  readonly requestId: number;
  readonly client: string;
  readonly server: string;
  readonly role: string;
  readonly keepConnection: boolean | null;
  readonly outcome: string;
  readonly at: number;
  readonly method: string | null;
  readonly url: string | null;
  readonly script: string | null;
  readonly status: number | null;
  readonly appStatus: number | null;
  readonly protocolStatus: string | null;
  readonly timing: Readonly<Record<'params' | 'stdin' | 'firstStdout' | 'lastStdout' | 'total', number | null>>;
  readonly params: readonly (readonly [string, string | { readonly base64: string }])[];
  /** Null when no response head came. */
  readonly responseHeaders: readonly (readonly [string, string])[] | null;
  readonly records: { readonly total: number; readonly gaps: number; readonly problems: number };
  readonly stdin: NdjsonStream;
  readonly stdout: NdjsonStream;
  readonly stderr: NdjsonStream;
  readonly data: NdjsonStream;
  readonly findings: readonly NdjsonFinding[];
}

export interface NdjsonConnection {
  readonly type: 'connection';
  readonly connection: number;
  readonly client: string;
  readonly server: string;
  readonly at: number;
  readonly requests: number;
  readonly endedBy: string | null;
  readonly how: string | null;
  readonly bytes: { readonly client: number; readonly server: number };
  readonly managementRecords: number;
  readonly problems: number;
  readonly notes: readonly string[];
  readonly findings: readonly NdjsonFinding[];
}

export interface NdjsonSummary {
  readonly type: 'summary';
  readonly connections: number;
  readonly requests: number;
  readonly completed: number;
  readonly findings: Readonly<Record<'error' | 'warning' | 'note', number>>;
  readonly evicted: number;
  readonly seconds: number;
}

/** The numbers of the record types that requests of web servers consist of (specification section 8). */
const BEGIN_REQUEST = 1;
const END_REQUEST = 3;
const PARAMS = 4;
const STDIN = 5;
const STDOUT = 6;
const STDERR = 7;

/**
 * How many records of each type the NDJSON says there were, to be compared with what tshark counts. PARAMS is what is left of the total,
 * so that a record counted twice, or under a wrong name, shows. A record that the end of its connection cut off is told of here, by its
 * missing bytes and the missing END_REQUEST (the NDJSON must have been written with --bodies), and not shown by tshark: it does not count.
 */
export function countRecordsOf(requests: readonly NdjsonRequest[]): RecordCounts {
  const counts = { [BEGIN_REQUEST]: 0, [END_REQUEST]: 0, [PARAMS]: 0, [STDIN]: 0, [STDOUT]: 0, [STDERR]: 0 };
  for (const { protocolStatus, records, stdin, stdout, stderr, data } of requests) {
    const ends = protocolStatus === null ? 0 : 1;
    counts[BEGIN_REQUEST] += 1;
    counts[END_REQUEST] += ends;
    const whole = (stream: NdjsonStream) => stream.records - (ends === 0 && (stream.missing ?? 0) > 0 ? 1 : 0);
    counts[STDIN] += whole(stdin);
    counts[STDOUT] += whole(stdout);
    counts[STDERR] += whole(stderr);
    counts[PARAMS] += records.total - stdin.records - stdout.records - stderr.records - data.records - ends - 1;
  }
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

/** The CGI header block as PHP writes it, made from the headers that the NDJSON tells: the beginning of STDOUT, byte for byte. */
export function responseHeadOf(request: NdjsonRequest): string {
  return `${(request.responseHeaders ?? []).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}
