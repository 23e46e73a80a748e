import type { ConnectionSummary } from './connection.js';
import type { Exchange, ExchangeRow, Outcome } from './exchange.js';
import type { Inspection } from './inspection.js';
import type { Timestamp } from './time.js';

/**
 * What exporters and printers have in common: something that is told of each request and connection once, in the order in which they
 * settle, and writes. Each call resolves when there is room for more (back-pressure), and is made only after the one before resolved;
 * undefined says that there is nothing to wait for.
 */
export type Output = ExchangeOutput | RowOutput;

export interface ExchangeOutput extends Ended {
  exchange(exchange: Exchange): Promise<void> | undefined;
  connection(connection: ConnectionSummary): Promise<void> | undefined;
  /** There is nothing more for the moment: what was gathered is to be written, without waiting for the end of that. Absent where nothing is. */
  flush?(): Promise<void>;
}

/** For output to which a row is enough: what has settled since the last call, in one. It is told of no connections. */
export interface RowOutput extends Ended {
  rows(rows: readonly ExchangeRow[]): Promise<void>;
}

interface Ended {
  /** The last call, made also when the session was interrupted: afterwards all is taken, and what was written is whole. */
  end(summary: SessionSummary): Promise<void>;
}

/** What NDJSON says of each stream's bytes. */
export type BodyMode = 'none' | 'text' | 'base64' | 'sha256';

export interface OutputOptions {
  /** Resolves when the reader has room again; rejects when it is gone. */
  readonly write: (chunk: string | Uint8Array) => Promise<void>;
  /** Secrets are replaced (redaction.ts). */
  readonly redact: boolean;
  readonly bodies: BodyMode;
  /** Where bodies and records are pulled from. */
  readonly inspection: Inspection;
  /** Our own version, for formats that name their creator. */
  readonly version: string;
}

/** The whole session, whatever the display filter lets through. */
export interface SessionSummary {
  readonly connections: number;
  readonly requests: number;
  readonly completed: number;
  /** Settled requests by outcome; only the outcomes that occurred. */
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
  readonly findings: { readonly error: number; readonly warning: number; readonly note: number };
  readonly evicted: number;
  readonly startedAt: Timestamp;
  /** From the first to the last thing that was seen. */
  readonly seconds: number;
  /** Requests that the filter let through, and that it held back. */
  readonly shown: number;
  readonly hidden: number;
  /** Settled requests and connections that were evicted before this output got to them. */
  readonly skipped: number;
  /** Bytes that passed and could not be recorded. */
  readonly lostBytes: number;
}
