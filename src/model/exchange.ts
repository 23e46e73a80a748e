import type { ConnectFailure, ConnectionId, EndedBy, EndKind, Endpoint, Side } from './connection.js';
import type { Finding } from './finding.js';
import type { Timestamp } from './time.js';
import type { Waiting } from './waiting.js';

/**
 * Waist 3: one request and what became of it, for any protocol and any reader. Only its builder writes it; everybody else reads.
 * Everything here survives a structured clone, so that it can cross a thread.
 */

export type StreamName = 'params' | 'stdin' | 'stdout' | 'stderr' | 'data';
export const STREAM_NAMES: readonly StreamName[] = ['params', 'stdin', 'stdout', 'stderr', 'data'];

export type Outcome =
  | 'completed'
  | 'rejected'
  | 'aborted'
  | 'backend-closed'
  | 'backend-reset'
  | 'web-server-closed'
  | 'web-server-reset'
  | 'not-connected'
  | 'unfinished'
  | 'undecodable';

/** `bytes` is there, set to the exact value, only where `value` (or `name`) is not valid UTF-8; the string is then a lossy reading. */
export interface Param {
  readonly name: string;
  readonly value: string;
  readonly bytes?: Uint8Array;
}

export interface Header {
  readonly name: string;
  readonly value: string;
}

/** The CGI header block at the head of STDOUT (RFC 3875 section 6). */
export interface ResponseHead {
  /** The Status header's number; 302 for a Location without Status; else 200. Null when it is no number or the block incomplete. */
  readonly status: number | null;
  /** What follows the number in the Status header; empty when there is none. */
  readonly reason: string;
  /** All header lines in their order, Status among them. Bytes that are not UTF-8 are read as Latin-1. */
  readonly headers: readonly Header[];
  /** False when STDOUT ended, or the limit was reached, before the blank line: then the headers are what could be read. */
  readonly complete: boolean;
  /**
   * How many bytes of STDOUT the block takes, the blank line included: the body begins there. 0 when the block was complete and its bytes
   * are not kept any more: then only `status` is known of it, and where the body begins is not.
   */
  readonly length: number;
  /** Lines that are not `Name: value`, visible text, at most a few. */
  readonly invalidLines: readonly string[];
}

export interface StreamTotals {
  /** Content bytes, without headers and padding, the missing ones not counted. */
  readonly bytes: number;
  readonly records: number;
  /** Its empty record was seen. */
  readonly ended: boolean;
  /** Content bytes that a record header announced and that were never seen (capture gap, or cut off), or that are not kept any more. */
  readonly missing: number;
}

/** Microsecond stamps; null until seen. */
export interface ExchangeTimes {
  readonly begin: Timestamp;
  readonly paramsEnd: Timestamp | null;
  readonly stdinEnd: Timestamp | null;
  readonly firstStdout: Timestamp | null;
  readonly lastStdout: Timestamp | null;
  /** The last record before the connection began to end, in either direction; ABORT_REQUEST, which breaks a silence, is not counted. */
  readonly lastRecord: Timestamp;
  readonly end: Timestamp | null;
}

export type ProblemCode =
  // framing (decoder)
  | 'bad-version'
  | 'lost-framing'
  | 'foreign-protocol'
  | 'midstream-start'
  | 'truncated-record'
  | 'capture-gap'
  | 'reserved-not-zero'
  | 'bad-body-length'
  | 'unknown-record-type'
  // requests (tracker)
  | 'no-begin-request'
  | 'duplicate-begin-request'
  | 'wrong-direction'
  | 'after-end-of-stream'
  | 'after-end-request'
  | 'data-before-params-end'
  | 'data-without-filter'
  | 'null-request-id'
  | 'management-with-request-id'
  | 'values-unanswered'
  | 'stream-gap'
  | 'met-late'
  // name-value pairs
  | 'params-cut'
  | 'params-length-absurd'
  | 'params-too-large';

export interface Problem {
  readonly code: ProblemCode;
  readonly at: Timestamp;
  readonly side: Side;
  /** Byte offset in that side's stream of the connection. */
  readonly offset: number;
  /** How many bytes it concerns. */
  readonly length: number;
  /** One sentence with the figures in it. */
  readonly message: string;
}

export interface Exchange {
  /** Numbered from 1 over the whole session in the order of BEGIN_REQUEST. */
  readonly n: number;
  readonly connection: ConnectionId;
  /** 0 when no BEGIN_REQUEST was seen (`not-connected`, `undecodable`). */
  readonly requestId: number;
  readonly client: Endpoint;
  readonly server: Endpoint;
  /** `responder`, `authorizer`, `filter`, `unknown-N`; `unknown` when BEGIN_REQUEST was not seen. */
  readonly role: string;
  /** FCGI_KEEP_CONN of BEGIN_REQUEST; null when it was not seen. */
  readonly keepConnection: boolean | null;
  /** How many requests had begun on this connection before this one. */
  readonly precedingRequests: number;
  /** Null while the request is open. */
  readonly outcome: Outcome | null;
  /** Of an open one, as of when it was asked for; else null. */
  readonly waiting: Waiting | null;
  readonly times: ExchangeTimes;
  readonly params: readonly Param[];
  /** False while PARAMS is not ended, or when it was cut or too large to keep whole. */
  readonly paramsComplete: boolean;
  /** A name-value pair is cut by the end of a PARAMS record and goes on in the next: allowed, and not understood by PHP-FPM. */
  readonly paramsSplit: boolean;
  readonly method: string | null;
  /** Absolute: scheme, host, path and query as the params tell; null when the params do not tell a path. */
  readonly url: string | null;
  /** SCRIPT_FILENAME, else SCRIPT_NAME. */
  readonly script: string | null;
  /**
   * Null when STDOUT has not told it, and when it did and that is not kept any more: `streams.stdout.missing` is above 0 then. What was
   * cut off only because bytes are not kept is never given as a block without an end.
   */
  readonly response: ResponseHead | null;
  readonly streams: Readonly<Record<StreamName, StreamTotals>>;
  /** The beginning of STDERR, at most STDERR_KEPT bytes (the rest is in the store). */
  readonly stderrHead: Uint8Array;
  /** The beginning of the response body, at most BODY_HEAD_KEPT bytes. */
  readonly bodyHead: Uint8Array;
  readonly appStatus: number | null;
  /** `request-complete`, `cant-mpx-conn`, `overloaded`, `unknown-role`, `unknown-N`; null without END_REQUEST. */
  readonly protocolStatus: string | null;
  /** An ABORT_REQUEST was seen. */
  readonly abortSeen: boolean;
  /** `gaps` counts the holes in what was captured; at least 1 when bytes that did pass are not kept any more. */
  readonly records: { readonly total: number; readonly gaps: number; readonly problems: number };
  /** The first problems, at most PROBLEMS_KEPT; `records.problems` counts all. */
  readonly problems: readonly Problem[];
  /**
   * The end of the connection as far as this request met it: which side stopped sending first, how, when, and after how many of this
   * request's records (0: before any). Null while both sides are open.
   */
  readonly connectionEnd: ConnectionEnd | null;
  readonly failure: ConnectFailure | null;
  readonly findings: readonly Finding[];
}

export interface ConnectionEnd {
  readonly endedBy: EndedBy;
  readonly how: EndKind;
  readonly at: Timestamp;
  /** Records of this request seen before it, in both directions. */
  readonly afterRecords: number;
  /** The last of them in words (`STDOUT record 12`), null when there was none. */
  readonly afterRecord: string | null;
}

export const STDERR_KEPT = 16 * 1024;
export const BODY_HEAD_KEPT = 64;
export const PROBLEMS_KEPT = 20;

/** One record of the timeline. Not kept in memory: made anew from the stored bytes when somebody looks. */
export interface RecordEntry {
  /** From 0, in the order in which the records were seen, both directions together. */
  readonly index: number;
  readonly at: Timestamp;
  readonly side: Side;
  /** `BEGIN_REQUEST` … `UNKNOWN_TYPE`, else `type N`. */
  readonly type: string;
  readonly typeCode: number;
  readonly version: number;
  readonly requestId: number;
  /** Where its header begins in that side's stream of the connection. */
  readonly offset: number;
  readonly contentLength: number;
  readonly paddingLength: number;
  /** Content bytes never seen. */
  readonly missing: number;
  /** For a stream record: where its content begins in that stream. */
  readonly streamOffset: number | null;
  /** Problems that begin in this record. */
  readonly problems: readonly ProblemCode[];
  /** What the content says, for the records that are not streams (`role responder, keep`, `app status 0, request complete`); else ''. */
  readonly summary: string;
}

/** What lists, lines and filters need of an exchange; flat, small, kept in memory for as long as the exchange is. */
export interface ExchangeRow {
  readonly n: number;
  readonly connection: ConnectionId;
  readonly requestId: number;
  readonly at: Timestamp;
  readonly role: string;
  readonly outcome: Outcome | null;
  readonly method: string | null;
  readonly url: string | null;
  readonly script: string | null;
  readonly status: number | null;
  readonly appStatus: number | null;
  readonly protocolStatus: string | null;
  /** Content bytes of STDIN and of STDOUT. */
  readonly sizeIn: number;
  readonly sizeOut: number;
  readonly stderrBytes: number;
  /** Milliseconds from BEGIN_REQUEST to the first STDOUT content; to the end. */
  readonly ttfb: number | null;
  readonly total: number | null;
  readonly records: number;
  readonly problems: number;
  /** The findings' ids, the cause first, and the worst severity among them. */
  readonly findings: readonly string[];
  readonly severity: 'error' | 'warning' | 'note' | null;
  /** As of an exchange. */
  readonly waiting: Waiting | null;
}
