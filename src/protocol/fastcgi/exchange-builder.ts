import { concatBytes, NO_BYTES } from '../../model/bytes.js';
import type { ConnectFailure, ConnectionId, EndedBy, EndKind, Endpoint } from '../../model/connection.js';
import type { Exchange, ExchangeTimes, Outcome, Problem, StreamName, StreamTotals } from '../../model/exchange.js';
import { BODY_HEAD_KEPT, PROBLEMS_KEPT, STDERR_KEPT, STREAM_NAMES } from '../../model/exchange.js';
import type { Timestamp } from '../../model/time.js';
import { readRequestLine } from '../request-url.js';
import { headEnd, ResponseHeadReader } from './cgi-response.js';
import {
  BODY_LENGTH,
  HEADER_LENGTH,
  KEEP_CONN,
  protocolStatusWord,
  recordTypeName,
  roleWord,
  STREAM_TYPES,
} from './constants.js';
import { ParamsReader, type ParamsTrouble } from './params-reader.js';
import { recordTypeCode, type WholeRecord } from './record-entry.js';

/**
 * The only thing that writes an Exchange. It is told each record of one request and adds it up; which records belong together, and
 * what becomes of the request, is the tracker's business. What it keeps is bounded whatever is sent: PARAMS up to a limit, the head
 * of the response, the first bytes of STDERR and of the body. Totals without records are shared, so that an unused stream is free.
 */
export interface Opening {
  readonly n: number;
  readonly connection: ConnectionId;
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly requestId: number;
  readonly at: Timestamp;
  readonly precedingRequests: number;
  /** Null when BEGIN_REQUEST was not seen. */
  readonly begin: { readonly role: number; readonly flags: number } | null;
  /** False when records may have passed before: then what comes first need not be the beginning of PARAMS, or of STDOUT. */
  readonly startSeen: boolean;
  readonly answerStartSeen: boolean;
  /** Where the backend's stream stood: what is before that is no answer to this request. */
  readonly answerFrom: number;
}

type Draft<T> = { -readonly [K in keyof T]: T[K] };
type StreamRecord = Extract<WholeRecord, { kind: 'stream' }>;

export interface ExchangeDraft extends Draft<Omit<Exchange, 'times' | 'streams' | 'records'>> {
  readonly times: Draft<ExchangeTimes>;
  readonly streams: Record<StreamName, Draft<StreamTotals>>;
  readonly records: Draft<Exchange['records']>;
}

export class ExchangeBuilder {
  readonly exchange: ExchangeDraft;
  /** Null when BEGIN_REQUEST was not seen. */
  readonly role: number | null;
  /** Its BEGIN_REQUEST was seen, whole or not. */
  readonly startSeen: boolean;
  readonly answerFrom: number;
  /** Framing of the backend's direction was lost while the request was open: END_REQUEST may have been there. */
  endMayBeLost = false;
  /** The same of the web server's direction: a BEGIN_REQUEST may have been there, for another request with this id. */
  beginMayBeLost = false;
  /** The backend sent something for this request after the web server's end. */
  answeredLate = false;
  endSeen = false;
  #lastType = -1;
  // Each is null before there is something to read, and again when it has read all it can.
  #params: ParamsReader | null;
  #head: ResponseHeadReader | null = null;
  #stdout: 'head' | 'body' | 'done';
  #problems: Problem[] | null = null;

  constructor(opening: Opening) {
    const { begin } = opening;
    this.role = begin === null ? null : begin.role;
    this.startSeen = opening.startSeen;
    this.answerFrom = opening.answerFrom;
    this.#stdout = opening.answerStartSeen ? 'head' : 'done';
    this.#params = opening.startSeen ? new ParamsReader() : null;
    this.exchange = {
      n: opening.n,
      connection: opening.connection,
      requestId: opening.requestId,
      client: opening.client,
      server: opening.server,
      role: begin === null ? 'unknown' : roleWord(begin.role),
      keepConnection: begin === null ? null : (begin.flags & KEEP_CONN) !== 0,
      precedingRequests: opening.precedingRequests,
      outcome: null,
      waiting: null,
      times: {
        begin: opening.at,
        paramsEnd: null,
        stdinEnd: null,
        firstStdout: null,
        lastStdout: null,
        lastRecord: opening.at,
        end: null,
      },
      params: this.#params === null ? [] : this.#params.params,
      paramsComplete: false,
      paramsSplit: false,
      method: null,
      url: null,
      script: null,
      response: null,
      streams: { params: UNUSED, stdin: UNUSED, stdout: UNUSED, stderr: UNUSED, data: UNUSED },
      stderrHead: NO_BYTES,
      bodyHead: NO_BYTES,
      appStatus: null,
      protocolStatus: null,
      abortSeen: false,
      records: { total: 0, gaps: 0, problems: 0 },
      problems: [],
      connectionEnd: null,
      failure: null,
      findings: [],
    };
  }

  /** Where the content of a stream's next record begins in that stream, the missing bytes counted. */
  streamLength(stream: StreamName): number {
    const totals = this.exchange.streams[stream];
    return totals.bytes + totals.missing;
  }

  /** Counts a record of this request that says nothing more: a second BEGIN_REQUEST, one in the wrong direction, an unknown type. */
  count(record: WholeRecord): void {
    const { exchange } = this;
    exchange.records.total += 1;
    this.#lastType = recordTypeCode(record);
    if (exchange.connectionEnd === null && record.kind !== 'abort-request') exchange.times.lastRecord = record.at;
  }

  /** Counts and reads a stream record; tells what is wrong with PARAMS when this record brings it to light. */
  stream(record: StreamRecord): ParamsTrouble | null {
    this.count(record);
    const { streams, times } = this.exchange;
    const name = record.stream;
    let totals = streams[name];
    if (totals === UNUSED) totals = streams[name] = { bytes: 0, records: 0, ended: false, missing: 0 };
    const before = totals.bytes;
    const late = totals.ended;
    totals.records += 1;
    if (record.contentLength === 0) return late ? null : this.#endStream(name, totals, record.at);
    totals.bytes += record.contentLength - record.missing;
    totals.missing += record.missing;
    if (name === 'stdout') {
      times.firstStdout ??= record.at;
      times.lastStdout = record.at;
    }
    // What follows the end of a stream is counted and kept, but the head of the response and the params are past.
    if (late) return null;
    if (name === 'params') return this.#readParams(record);
    if (name === 'stdout') this.#readStdout(record, before);
    else if (name === 'stderr') this.#keepStderr(record.bytes);
    return null;
  }

  /**
   * How many bytes of the content of a STDOUT record will be read of it, of which bytes[from, to) are there; they were looked through up to
   * `searched`. Infinitely many when that cannot be told yet.
   */
  wantedOfStdout(bytes: Uint8Array, from: number, to: number, searched: number): number {
    if (this.#stdout === 'done' || this.exchange.streams.stdout.ended) return 0;
    if (this.#stdout === 'body') return BODY_HEAD_KEPT - this.exchange.bodyHead.length;
    // A head in several records is put together from all of them.
    if (this.#head !== null) return Number.POSITIVE_INFINITY;
    const end = headEnd(bytes, from, to, searched);
    return end < 0 ? Number.POSITIVE_INFINITY : end - from + BODY_HEAD_KEPT;
  }

  end(record: Extract<WholeRecord, { kind: 'end-request' }>): void {
    this.count(record);
    this.endSeen = true;
    this.exchange.times.end = record.at;
    this.exchange.appStatus = record.appStatus;
    this.exchange.protocolStatus = protocolStatusWord(record.protocolStatus);
  }

  problem(problem: Problem): void {
    const { exchange } = this;
    exchange.records.problems += 1;
    if (problem.code === 'capture-gap') exchange.records.gaps += 1;
    if (this.#problems === null) exchange.problems = this.#problems = [];
    if (this.#problems.length < PROBLEMS_KEPT) this.#problems.push(problem);
  }

  /** Bytes of a direction are missing, and records of this request may have been in them. */
  loseStep(problem: Problem): void {
    // A record of eight bytes and a body of eight: neither of the two hides in less.
    const whole = problem.length >= HEADER_LENGTH + BODY_LENGTH;
    if (problem.side === 'server') {
      if (whole) this.endMayBeLost = true;
      this.#endStdout();
      return;
    }
    if (whole) this.beginMayBeLost = true;
    if (this.#params !== null) {
      this.#params.stop();
      this.problem({
        ...problem,
        code: 'stream-gap',
        message: 'the lost bytes may have held PARAMS; what follows is not read',
      });
    }
  }

  /** The first end of the connection, as this request met it. */
  connectionEnd(endedBy: EndedBy, how: EndKind, at: Timestamp): void {
    const afterRecords = this.exchange.records.total;
    this.exchange.connectionEnd = { endedBy, how, at, afterRecords, afterRecord: this.#lastRecord() };
  }

  /** The last word: reads what was held back and lets go of everything but the exchange. */
  settle(outcome: Outcome, at: Timestamp, failure: ConnectFailure | null): void {
    const { exchange } = this;
    const trouble = this.#endParams(false);
    if (trouble !== null) this.problem({ ...trouble, at, side: 'client' });
    this.#endStdout();
    if (exchange.stderrHead.length < exchange.stderrHead.buffer.byteLength)
      exchange.stderrHead = exchange.stderrHead.slice();
    exchange.outcome = outcome;
    exchange.times.end ??= Math.max(at, exchange.times.begin);
    if (outcome === 'not-connected') exchange.failure = failure;
  }

  #endStream(name: StreamName, totals: Draft<StreamTotals>, at: Timestamp): ParamsTrouble | null {
    totals.ended = true;
    if (name === 'params') {
      this.exchange.times.paramsEnd = at;
      return this.#endParams(true);
    }
    if (name === 'stdin') this.exchange.times.stdinEnd = at;
    else if (name === 'stdout') this.#endStdout();
    return null;
  }

  #readParams(record: StreamRecord): ParamsTrouble | null {
    const reader = this.#params;
    if (reader === null || reader.stopped) return null;
    const offset = record.offset + HEADER_LENGTH;
    if (record.missing === 0) return reader.push(record.bytes, offset);
    const trouble = reader.push(record.bytes.subarray(0, record.missingFrom), offset);
    reader.stop();
    return trouble;
  }

  #endParams(ended: boolean): ParamsTrouble | null {
    const reader = this.#params;
    if (reader === null) return null;
    this.#params = null;
    const trouble = reader.finish();
    const { exchange } = this;
    exchange.paramsComplete = ended && !reader.stopped;
    exchange.paramsSplit = reader.split;
    const line = readRequestLine(exchange.params);
    exchange.method = line.method;
    exchange.url = line.url;
    exchange.script = line.script;
    return trouble;
  }

  #readStdout(record: StreamRecord, before: number): void {
    if (this.#stdout === 'done') return;
    const seen = record.missing === 0 ? record.bytes : record.bytes.subarray(0, record.missingFrom);
    if (this.#stdout === 'body') this.#keepBody(seen);
    else {
      this.#head ??= new ResponseHeadReader();
      if (this.#head.push(seen)) {
        this.exchange.response = this.#head.head;
        this.#head = null;
        this.#stdout = 'body';
        this.#keepBody(seen.subarray(Math.max(0, (this.exchange.response?.length ?? 0) - before)));
      }
    }
    // What follows the missing bytes, or those that nobody wanted when they passed, is read no more.
    if (record.missing > 0 || record.bytes.length < record.contentLength) this.#endStdout();
  }

  #endStdout(): void {
    this.#stdout = 'done';
    if (this.#head === null) return;
    this.#head.finish();
    this.exchange.response = this.#head.head;
    this.#head = null;
  }

  #keepBody(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const kept = this.exchange.bodyHead;
    this.exchange.bodyHead = concatBytes([kept, bytes.subarray(0, BODY_HEAD_KEPT - kept.length)]);
    if (this.exchange.bodyHead.length === BODY_HEAD_KEPT) this.#stdout = 'done';
  }

  /** Doubles the memory behind the view as it fills, so that many small records are not copied over and over. */
  #keepStderr(bytes: Uint8Array): void {
    const kept = this.exchange.stderrHead;
    const length = Math.min(kept.length + bytes.length, STDERR_KEPT);
    if (length === kept.length) return;
    let room = new Uint8Array(kept.buffer);
    if (room.length < length) {
      room = new Uint8Array(Math.min(STDERR_KEPT, Math.max(length, 2 * kept.length)));
      room.set(kept);
    }
    room.set(bytes.subarray(0, length - kept.length), kept.length);
    this.exchange.stderrHead = room.subarray(0, length);
  }

  /** `STDOUT record 12`: the last record in words. */
  #lastRecord(): string | null {
    if (this.#lastType < 0) return null;
    const name = recordTypeName(this.#lastType);
    const stream = STREAM_NAMES.find((stream) => STREAM_TYPES[stream] === this.#lastType);
    const ordinal = stream === undefined ? 0 : this.exchange.streams[stream].records;
    return ordinal === 0 ? name : `${name} record ${ordinal}`;
  }
}

/** What a stream without records counts: shared by all of them. */
const UNUSED: StreamTotals = Object.freeze({ bytes: 0, records: 0, ended: false, missing: 0 });
