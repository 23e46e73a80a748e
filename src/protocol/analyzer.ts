import type { ConnectionId, ConnectionSummary, Endpoint } from '../model/connection.js';
import type { ConnectionEvent } from '../model/connection-event.js';
import type { Exchange, RecordEntry } from '../model/exchange.js';
import type { ExchangeSink } from '../model/exchange-event.js';
import type { Recogniser } from '../model/recognition.js';
import type { Timestamp } from '../model/time.js';

/**
 * A protocol's view of one connection: connection events in, exchange events out. Deterministic: the same events give the same
 * exchanges, which is what lets a session forget everything but a row and replay the stored bytes when somebody looks.
 */
export interface Analyzer {
  push(event: ConnectionEvent): void;
  /** No exchange is open, both directions stand between records and in step, and no side has ended: a replay may start here. */
  readonly idle: boolean;
  /**
   * Ending the connection now cuts nothing that is known of: no direction stands in a record or out of step, and either nothing has
   * passed or requests were decoded. Unlike with `idle`, a side may have ended. Whether an exchange is open is not asked.
   */
  readonly quiet: boolean;
  /** Stream offsets of the next byte of each side. */
  readonly offsets: { readonly client: number; readonly server: number };
  /** How many exchanges have been opened on this connection. */
  readonly opened: number;
  summary(): ConnectionSummary;
}

export interface AnalyzerOptions {
  readonly connection: ConnectionId;
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly at: Timestamp;
  readonly midstream: boolean;
  /** Where the replay starts; 0 for a connection from its beginning. */
  readonly offsets?: { readonly client: number; readonly server: number };
  readonly opened?: number;
  /** The session's number for the next exchange; called once as each is opened. */
  readonly nextNumber: () => number;
  readonly sink: ExchangeSink;
  /**
   * Sees every record as it is assigned to an exchange (null: to the connection itself). Content is borrowed, and of a body there may be
   * only the beginning, or nothing.
   */
  readonly observer?: RecordObserver;
  /** The observer wants all content, which takes more time and memory. */
  readonly wholeContent?: boolean;
}

export type RecordObserver = (exchange: Exchange | null, entry: RecordEntry, content: Uint8Array) => void;

export interface Protocol {
  readonly name: string;
  /** Finds the protocol where nobody said that it is spoken. */
  readonly recognise: Recogniser;
  analyze(options: AnalyzerOptions): Analyzer;
}
