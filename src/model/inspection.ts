import type { ConnectionId, ConnectionSummary } from './connection.js';
import type { Exchange, ExchangeRow, RecordEntry, StreamName } from './exchange.js';
import type { LogLine } from './log-line.js';
import type { SourceProgress } from './source-progress.js';
import type { Timestamp } from './time.js';

/**
 * What readers (terminal UI, printers, exporters) may ask of a session, in the same thread or across one. Readers pull; the only
 * thing pushed to them is one coalesced "something changed".
 */
export interface Inspection {
  overview(): Promise<Overview>;

  /** A window of the list, rows in order. Rows of open exchanges are as of now. */
  rows(query: RowQuery): Promise<RowPage>;

  /** Null when it was never there or has been evicted. `lost` bytes are those that could not be recorded. */
  exchange(n: number): Promise<Exchange | null>;

  /** The timeline, from the `from`th record, at most `count` (and at most RECORDS_PER_PAGE). */
  records(n: number, from: number, count: number): Promise<RecordPage>;

  /** The content of one record, by its index, and its 8 header bytes (specification section 3.3), as they were on the wire. */
  recordBytes(n: number, index: number): Promise<RecordBytes | null>;

  /** A range of one stream's content; at most BODY_PER_READ bytes come back at once. */
  body(n: number, stream: StreamName, from: number, length: number): Promise<BodyRange>;

  /** The lines of the logs that were given that are about a request, in the order of the files. */
  logs(n: number): Promise<readonly LogLine[]>;

  connection(id: ConnectionId): Promise<ConnectionSummary | null>;

  /**
   * Exchanges and connections in the order in which they settled and ended, from a cursor (0: the beginning) that the answer advances.
   * `skipped` counts the exchanges that were evicted before they were asked for. An exporter that pulls this sees each exactly once.
   */
  settled(cursor: number, max: number): Promise<SettledPage>;

  /** As `settled`, with rows and without connections, for readers to whom a line is enough: a whole exchange costs ten times as much. */
  settledRows(cursor: number, max: number): Promise<SettledRows>;

  /** Calls `listener` when something changed since the last call of any method here; never more than once in between. */
  onChange(listener: () => void): () => void;

  /** Stops the source in order: accepts nothing more, lets open requests finish for `grace` milliseconds, settles the rest. */
  stop(grace: number): Promise<void>;

  /** Forgets what is stored and removes the spool. The last call. */
  close(): Promise<void>;
}

export interface Overview {
  readonly sources: readonly string[];
  readonly startedAt: Timestamp;
  /** True until the source has ended or was stopped. */
  readonly live: boolean;
  /** How far a source with an end (a capture file) has been read; null for one that goes on until it is stopped. */
  readonly progress: SourceProgress | null;
  readonly connections: { readonly total: number; readonly open: number };
  /** `total` counts all that began; `kept` those still in memory. */
  readonly exchanges: {
    readonly total: number;
    readonly open: number;
    readonly kept: number;
    readonly completed: number;
  };
  readonly evicted: number;
  readonly findings: { readonly error: number; readonly warning: number; readonly note: number };
  /** Requests settled in the last full second. */
  readonly requestsPerSecond: number;
  /** Milliseconds, over the last 1 000 settled requests; null before the first. */
  readonly p50: number | null;
  readonly p95: number | null;
  readonly spool: {
    readonly path: string | null;
    readonly bytes: number;
    /** Bytes that passed and could not be recorded (disk full or too slow). */
    readonly lost: number;
    readonly error: string | null;
  };
  /** How many lines of logs have been read so far. */
  readonly logLines: number;
  /** Things a person should know, newest last, bounded ("the disk is full: …"). */
  readonly warnings: readonly string[];
  /** How many there have been so far; the last of `warnings` is the one of that number. */
  readonly warningCount: number;
}

export type RowOrder =
  | 'n'
  | 'time'
  | 'duration'
  | 'ttfb'
  | 'status'
  | 'method'
  | 'url'
  | 'size.in'
  | 'size.out'
  | 'finding';

export interface RowQuery {
  /** A display filter; '' shows all. A wrong one rejects with FcgiInspectError 'bad-filter'. */
  readonly filter: string;
  readonly order: RowOrder;
  readonly reverse: boolean;
  /** The first row's position in the filtered, ordered list; negative counts from the end (-50: the last 50). */
  readonly from: number;
  readonly count: number;
  /** When set, `from` is taken relative to the position of this exchange (if it is in the list). */
  readonly around?: number;
}

export interface RowPage {
  readonly rows: readonly ExchangeRow[];
  /** Position of the first row in the list. */
  readonly from: number;
  /** How many rows the filter lets through. */
  readonly shown: number;
  /** The position of `around`, -1 when it is not in the list. */
  readonly position: number;
  /** The filter needs stored bytes and is still being worked through: the figures will grow. */
  readonly searching: boolean;
}

export interface RecordPage {
  readonly records: readonly RecordEntry[];
  readonly from: number;
  readonly total: number;
}

export interface RecordBytes {
  readonly header: Uint8Array;
  readonly content: Uint8Array;
  readonly missing: number;
}

export interface BodyRange {
  readonly bytes: Uint8Array;
  readonly from: number;
  /** Ranges [from, to) of the stream inside the answer that were never seen or recorded; their bytes are zero. */
  readonly gaps: readonly (readonly [number, number])[];
  /** The stream's length so far, the missing bytes included. */
  readonly total: number;
}

export type Settled =
  | { readonly kind: 'exchange'; readonly exchange: Exchange }
  | { readonly kind: 'connection'; readonly connection: ConnectionSummary };

export interface SettledRows extends SettledProgress {
  readonly rows: readonly ExchangeRow[];
}

export interface SettledPage extends SettledProgress {
  readonly items: readonly Settled[];
}

interface SettledProgress {
  readonly cursor: number;
  readonly skipped: number;
  /** Nothing more will ever come: the source has ended and all was given out. */
  readonly done: boolean;
}

export const RECORDS_PER_PAGE = 1_000;
export const BODY_PER_READ = 1024 * 1024;
