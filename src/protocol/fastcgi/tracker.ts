import type { EndKind, Side } from '../../model/connection.js';
import { assertNever } from '../../model/errors.js';
import type { Problem } from '../../model/exchange.js';
import { STDERR_KEPT } from '../../model/exchange.js';
import type { Timestamp } from '../../model/time.js';
import type { AnalyzerOptions } from '../analyzer.js';
import { HEADER_LENGTH, isManagementType, NULL_REQUEST_ID, RecordType, Role } from './constants.js';
import type { ExchangeBuilder } from './exchange-builder.js';
import { type Directions, OpenRequests } from './open-requests.js';
import { recordEntry, type WholeRecord } from './record-entry.js';
import type { RecordEvent } from './record-event.js';
import { asProblem, RecordMarks, type Remark, typeName } from './record-marks.js';

/**
 * Both directions' records of one connection, put together by request id. It takes everything: a record that has no business where it
 * is gets marked and is kept, on the request it belongs to if there is one, else on the connection. A record for an id that is not open
 * belongs to the request that had it last; one for an id that never was opens a request only where its beginning may have been missed.
 *
 * A BEGIN_REQUEST for an open id is a mark on that request while its PARAMS go on. Once they have ended, or once its END_REQUEST may
 * have been lost, the web server has evidently turned to something new: the old request is settled and a new one opened, both marked.
 *
 * Ids are used again on kept connections, so where bytes are lost a record is a request's only as long as it can be nobody else's. An
 * answer begins after its request. And where END_REQUEST and the BEGIN_REQUEST of the next one with its id may both be lost, what comes
 * then is put down to a request of its own, of which the beginning is not known.
 *
 * A record in the wrong direction is counted, but says nothing: only a backend ends a request, and its STDOUT is nobody else's.
 */
export class RequestTracker {
  readonly requests: OpenRequests;
  managementRecords = 0;
  /** When the backend last sent something, or ended. */
  serverAt: Timestamp = Number.NEGATIVE_INFINITY;
  readonly #observer: AnalyzerOptions['observer'];
  readonly #sink: AnalyzerOptions['sink'];
  readonly #directions: Directions;
  readonly #marks = new RecordMarks();
  /** Records that belong to no request. */
  #strayRecords = 0;
  /** Something passed that was neither of a request nor management. */
  #foreign = false;
  /** Where the backend's stream stood at a gap of the web server's, until it is certain that its records are told as they come again. */
  #clientLostAt: number | null = null;
  /** Up to where the backend's stream was lost last. */
  #serverLostTo = 0;
  /** What to say of a GET_VALUES should the connection end without an answer to it. */
  #asked: Problem | null = null;

  constructor(options: AnalyzerOptions, directions: Directions) {
    this.requests = new OpenRequests(options, directions, () => this.#openGaps());
    this.#directions = directions;
    this.#observer = options.observer;
    this.#sink = options.sink;
  }

  /** As far as it is the tracker's: no request is open, no side has ended, nothing is waited for. */
  get idle(): boolean {
    return this.requests.idle && !this.#marks.awaits('client') && !this.#marks.awaits('server');
  }

  /** One event of the decoder of `side`. */
  record(side: Side, event: RecordEvent): void {
    if (side === 'client' && event.kind !== 'problem' && event.missing === 0 && event.at >= this.serverAt) {
      this.#clientLostAt = null;
    }
    if (event.kind !== 'problem' && this.#marks.awaits(side)) {
      for (const stray of this.#marks.claim(side, event)) this.#blameAll(side, stray, false);
    }
    switch (event.kind) {
      case 'stream':
        this.#stream(side, event);
        break;
      case 'begin-request':
        this.#begin(side, event);
        break;
      case 'end-request':
        this.#end(side, event);
        break;
      case 'abort-request':
        this.#abort(side, event);
        break;
      case 'management':
        this.#management(side, event);
        break;
      case 'unrecognised':
        this.#unrecognised(side, event);
        break;
      case 'problem':
        this.#lost(side, event);
        break;
      default:
        assertNever(event);
    }
  }

  /**
   * Whether `side` can send a record of this type and id now, by all that both have told, when `passed` bytes of it cannot be told.
   */
  expects(side: Side, type: number, id: number, passed: number): boolean {
    if (isManagementType(type)) return true;
    const open = this.requests.find(id);
    if (side === 'server') return open !== undefined || this.requests.beginMayBeMissing;
    if (open === undefined) return type === RecordType.BEGIN_REQUEST || this.requests.mayHaveBegun(passed);
    if (!open.startSeen || open.endMayBeLost || this.#directions.isLost('server')) return true;
    // Nobody begins anew, or sends more of what has ended, before END_REQUEST.
    const { params, stdin, data } = open.exchange.streams;
    if (type === RecordType.PARAMS) return !params.ended;
    if (type === RecordType.STDIN) return !stdin.ended;
    if (type === RecordType.DATA) return !data.ended;
    return type !== RecordType.BEGIN_REQUEST;
  }

  /** What will be read of the content of a stream record that has begun (Wanted in decoder.ts). */
  wants(side: Side, type: number, id: number, bytes: Uint8Array, from: number, to: number, searched: number): number {
    if (type === RecordType.STDIN || type === RecordType.DATA) return 0;
    if (type === RecordType.STDERR) return STDERR_KEPT;
    const open = side === 'server' ? this.requests.find(id) : undefined;
    // Whose record it will be is not certain while something may be lost.
    if (open === undefined || open.endMayBeLost || this.requests.beginMayBeMissing) return Number.POSITIVE_INFINITY;
    return open.wantedOfStdout(bytes, from, to, searched);
  }

  /** A side has stopped sending; its decoder has said everything. */
  end(side: Side, how: EndKind, at: Timestamp): void {
    this.#dropRemarks(side);
    this.requests.end(side, how, at);
  }

  /**
   * Nothing more will come.
   * @param touched whether any byte passed, or was missed
   */
  close(at: Timestamp, touched: boolean): void {
    this.#dropRemarks('client');
    this.#dropRemarks('server');
    this.#missAnswer();
    this.requests.close(at, touched && (this.#foreign || this.managementRecords === 0), touched);
  }

  /** @param record `unrecognised`: without the fields of its body, be they missed or never sent */
  #begin(side: Side, record: Of<'begin-request'> | Of<'unrecognised'>): void {
    const id = record.requestId;
    if (side === 'server') {
      this.#count(this.#owner(side, record, 'client'), side, record);
      return;
    }
    const open = this.requests.find(id);
    if (open !== undefined) {
      // A gap whose end is not known yet may hide anything; and a request of which the beginning was not seen was there before.
      if (!open.startSeen || this.#marks.awaits('server') || this.#directions.isLost('server'))
        open.endMayBeLost = true;
      if (!open.endMayBeLost) {
        this.#marks.mark(side, record, 'duplicate-begin-request', `BEGIN_REQUEST for id ${id}, which has not ended`);
      }
      if (!open.endMayBeLost && !open.exchange.streams.params.ended) {
        this.#count(open, side, record);
        return;
      }
      for (const mark of this.#marks.marks) open.problem(mark);
      this.requests.settle(open, open.endMayBeLost ? 'undecodable' : 'unfinished', record.at);
    }
    if (id === NULL_REQUEST_ID) this.#markNullId(side, record);
    const builder = this.requests.open(id, record.kind === 'begin-request' ? record : null, true, record.at);
    this.#markMetLate(builder, record);
    this.#count(builder, side, record);
  }

  /** Of a request that was met as its web server could be told again: the backend may have answered it before that. */
  #markMetLate(builder: ExchangeBuilder, record: WholeRecord): void {
    const from = this.#clientLostAt;
    if (from === null || !(this.#serverLostTo > from || this.#directions.isLost('server'))) return;
    const length = this.#directions.offset('server') - from;
    const message = `BEGIN_REQUEST could only be told when ${length} more bytes of the backend had passed`;
    builder.endMayBeLost = true;
    this.#marks.add({ code: 'met-late', at: record.at, side: 'server', offset: from, length, message });
  }

  #stream(side: Side, record: Of<'stream'>): void {
    const { stream } = record;
    const sender = stream === 'stdout' || stream === 'stderr' ? 'server' : 'client';
    const builder = this.#owner(side, record, sender);
    if (builder === null || side !== sender) {
      this.#count(builder, side, record);
      return;
    }
    const { streams, records } = builder.exchange;
    const index = records.total;
    const offset = builder.streamLength(stream);
    if (streams[stream].ended) {
      const what = `${typeName(record)} of ${record.contentLength} bytes after its end`;
      this.#marks.mark(side, record, 'after-end-of-stream', what);
    }
    if (stream === 'stdin' || stream === 'data') this.#checkBody(builder, side, record);
    if (record.missing > 0) {
      const what = `${record.missing} bytes of ${typeName(record)} are missing from its byte ${offset + record.missingFrom} on`;
      this.#marks.mark(side, record, 'stream-gap', what);
    }
    const trouble = builder.stream(record);
    if (trouble !== null) this.#marks.add({ ...trouble, at: record.at, side });
    this.#noted(builder, side, record, index, offset);
  }

  /** PARAMS come first (sections 6.2 to 6.4), and only a filter gets DATA (section 6.4). */
  #checkBody(builder: ExchangeBuilder, side: Side, record: Of<'stream'>): void {
    if (builder.role === null) return;
    const { exchange } = builder;
    if (!exchange.streams.params.ended) {
      this.#marks.mark(side, record, 'data-before-params-end', `${typeName(record)} before the end of PARAMS`);
    }
    if (record.stream === 'data' && builder.role !== Role.FILTER) {
      this.#marks.mark(side, record, 'data-without-filter', `DATA for a request whose role is ${exchange.role}`);
    }
  }

  #end(side: Side, record: Of<'end-request'>): void {
    const builder = this.#owner(side, record, 'server');
    const open = builder !== null && side === 'server' && builder.exchange.outcome === null;
    if (!open) {
      this.#count(builder, side, record);
      return;
    }
    const index = builder.exchange.records.total;
    builder.end(record);
    this.#noted(builder, side, record, index, null);
    this.requests.decide(builder, record.at);
  }

  #abort(side: Side, record: Of<'abort-request'>): void {
    const builder = this.#owner(side, record, 'client');
    if (builder !== null && side === 'client' && builder.exchange.outcome === null) builder.exchange.abortSeen = true;
    this.#count(builder, side, record);
  }

  #management(side: Side, record: Of<'management'>): void {
    this.managementRecords += 1;
    const id = record.requestId;
    if (side === 'server') this.#asked = null;
    else if (record.type === 'get-values') this.#asked ??= unanswered(record);
    if (side !== (record.type === 'get-values' ? 'client' : 'server')) this.#marks.markDirection(side, record);
    if (id !== NULL_REQUEST_ID) {
      this.#marks.mark(side, record, 'management-with-request-id', `${typeName(record)} with request id ${id}`);
    }
    this.#count(id === NULL_REQUEST_ID ? null : (this.requests.find(id) ?? null), side, record);
  }

  /** A type that the specification does not know, or a BEGIN_REQUEST or END_REQUEST without the fields of its body. */
  #unrecognised(side: Side, record: Of<'unrecognised'>): void {
    if (record.type === RecordType.BEGIN_REQUEST) {
      this.#begin(side, record);
    } else if (record.type === RecordType.END_REQUEST) {
      const builder = this.#owner(side, record, 'server');
      // Where the stream ended in it, the backend did not get to say it; else it was said, and only we do not know what.
      const cut = this.#marks.marks.some(({ code }) => code === 'truncated-record');
      if (builder !== null && side === 'server' && !cut) builder.endMayBeLost = true;
      this.#count(builder, side, record);
    } else if (record.requestId === NULL_REQUEST_ID) {
      // A management record of a type to come (section 4).
      this.managementRecords += 1;
      this.#count(null, side, record);
    } else {
      this.#count(this.#owner(side, record, null), side, record);
    }
  }

  /** The request a record is of: an open one, a settled one, one that it opens, or none. Marks what is wrong with that. */
  #owner(side: Side, record: WholeRecord, sender: Side | null): ExchangeBuilder | null {
    const id = record.requestId;
    if (sender !== null && side !== sender) this.#marks.markDirection(side, record);
    const open = this.requests.find(id);
    if (open !== undefined) {
      if (side === 'client' || record.offset >= open.answerFrom) {
        if (!this.#mayBeAnother(open, side)) return open;
        if (side === sender) return this.#another(open, side, record);
      }
    }
    // While the web server's direction is lost, what comes after END_REQUEST answers a request that was not seen.
    const late = side === 'client' || open !== undefined || !this.#directions.isLost('client');
    const settled = late ? this.requests.findSettled(id, side === 'server' ? record.offset : undefined) : undefined;
    if (settled !== undefined) {
      const after = settled.endSeen ? 'its END_REQUEST' : 'it was given up';
      this.#marks.mark(side, record, 'after-end-request', `${typeName(record)} for id ${id} after ${after}`);
      return settled;
    }
    if (id === NULL_REQUEST_ID) this.#markNullId(side, record);
    else {
      const what = `${typeName(record)} for id ${id}, whose BEGIN_REQUEST was not seen`;
      this.#marks.mark(side, record, 'no-begin-request', what);
      if (side === sender && open === undefined && this.requests.beginMayBeMissing) return this.#open(side, record);
    }
    this.#foreign = true;
    return null;
  }

  /** Whether a record for this request's id may as well be of a later one: END_REQUEST and that one's BEGIN_REQUEST may be lost. */
  #mayBeAnother(open: ExchangeBuilder, side: Side): boolean {
    // This side's loss is known by now, or there is none; the other side's may not be.
    if (side === 'server' ? !open.endMayBeLost : !open.beginMayBeLost) return false;
    if (open.exchange.keepConnection === false) return false;
    return side === 'server'
      ? open.beginMayBeLost || this.#directions.isLost('client')
      : open.endMayBeLost || this.#directions.isLost('server');
  }

  /** Gives up a request for what may be another one with its id. */
  #another(open: ExchangeBuilder, side: Side, record: WholeRecord): ExchangeBuilder {
    const id = record.requestId;
    const what = `${typeName(record)} for id ${id}: the end of its request and the BEGIN_REQUEST of another may be lost`;
    this.#marks.mark(side, record, 'no-begin-request', what);
    this.requests.settle(open, 'undecodable', record.at);
    return this.#open(side, record);
  }

  /** A request that is under way already. */
  #open(side: Side, record: WholeRecord): ExchangeBuilder {
    const answerFrom = side === 'server' ? record.offset : undefined;
    return this.requests.open(record.requestId, null, false, record.at, answerFrom);
  }

  #markNullId(side: Side, record: WholeRecord): void {
    this.#marks.mark(side, record, 'null-request-id', `${typeName(record)} with id 0, which is for management records`);
  }

  /** Keeps a record that adds no content to its request, or that has none. */
  #count(builder: ExchangeBuilder | null, side: Side, record: WholeRecord): void {
    const index = builder === null ? this.#strayRecords++ : builder.exchange.records.total;
    builder?.count(record);
    this.#noted(builder, side, record, index, null);
  }

  /** The record has found its place: so do its marks. */
  #noted(builder: ExchangeBuilder | null, side: Side, record: WholeRecord, index: number, offset: number | null): void {
    const marks = this.#marks.take();
    for (const mark of marks) this.requests.blame(builder, mark);
    if (builder === null && side === 'server' && marks.length > 0 && record.missing === 0) {
      for (const mark of marks) this.requests.blameWaiting(mark);
    }
    if (this.#observer !== undefined) {
      const codes = marks.map(({ code }) => code);
      this.#observer(builder?.exchange ?? null, recordEntry(record, side, index, offset, codes), record.bytes);
    }
    if (builder === null) return;
    if (side === 'server' && this.requests.state.clientEnd === 'fin') builder.answeredLate = true;
    if (builder.exchange.outcome !== null) this.#sink({ kind: 'amended', exchange: builder.exchange });
  }

  /** Bytes that are in no record, or a remark that waits for the record it is about. */
  #lost(side: Side, event: Remark): void {
    if (side === 'server') this.#serverLostTo = event.offset + event.length;
    if (event.remark === true) {
      this.#marks.keep(side, event);
      if (side === 'client') this.#clientLostAt ??= this.#directions.offset('server');
      return;
    }
    this.#dropRemarks(side);
    // A header that the end of the stream cuts leaves nothing behind it that could be missed.
    this.#blameAll(side, event, event.code !== 'truncated-record');
  }

  /** A web server that asks first begins no request before it has the answer. */
  #missAnswer(): void {
    const { first } = this.requests.state;
    if (this.#asked === null || this.requests.opened > 0 || first === null || first.how === 'capture-end') return;
    this.requests.blame(null, this.#asked);
    this.#foreign = true;
  }

  #dropRemarks(side: Side): void {
    for (const remark of this.#marks.release(side)) this.#blameAll(side, remark, false);
  }

  #openGaps(): readonly Problem[] {
    if (!this.#marks.awaits('client') && !this.#marks.awaits('server')) return NO_GAPS;
    return (['client', 'server'] as const).flatMap((side) =>
      this.#marks
        .waiting(side)
        .filter(({ code }) => code === 'capture-gap')
        .map((remark) => asProblem(side, remark)),
    );
  }

  #blameAll(side: Side, remark: Remark, stepLost: boolean): void {
    this.#foreign = true;
    this.requests.blameAll(asProblem(side, remark), stepLost);
  }
}

const NO_GAPS: readonly Problem[] = Object.freeze([]);

function unanswered({ at, offset, contentLength, paddingLength }: WholeRecord): Problem {
  const length = HEADER_LENGTH + contentLength + paddingLength;
  return { code: 'values-unanswered', at, side: 'client', offset, length, message: 'GET_VALUES was never answered' };
}

type Of<Kind extends WholeRecord['kind']> = Extract<WholeRecord, { kind: Kind }>;
