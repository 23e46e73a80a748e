import type { ConnectFailure, EndKind, Side } from '../../model/connection.js';
import { assertNever } from '../../model/errors.js';
import { type Outcome, PROBLEMS_KEPT, type Problem } from '../../model/exchange.js';
import type { Timestamp } from '../../model/time.js';
import type { AnalyzerOptions } from '../analyzer.js';
import { NULL_REQUEST_ID, Role } from './constants.js';
import { ExchangeBuilder } from './exchange-builder.js';
import { type ConnectionState, decideOutcome, endedByWord } from './outcome.js';
import { recordEntry, type WholeRecord } from './record-entry.js';
import type { RecordEvent } from './record-event.js';
import { asProblem, RecordMarks, type Remark, typeName } from './record-marks.js';

/**
 * Both directions' records of one connection, put together by request id. It takes everything: a record that has no business where it
 * is gets marked and is kept, on the request it belongs to if there is one, else on the connection.
 *
 * A request is open from its BEGIN_REQUEST until END_REQUEST, or until the connection tells that none will come (outcome.ts). Ids are
 * used again on kept connections (specification section 3.3), so a record for an id that is not open belongs to the request that had
 * it last. A BEGIN_REQUEST for an open id is a mark on that request while its PARAMS go on; once they have ended, or once its
 * END_REQUEST may have been lost, the web server has evidently turned to something new: the old request is settled, a new one opened.
 *
 * Where the beginning of the web server's stream was not seen, or some of it was lost, a record for an unknown id opens a request
 * without a beginning. That is over as soon as no request is open: from there on the connection counts as seen from its beginning,
 * which is what lets a replay start at such a point without knowing what was before.
 */
export class RequestTracker {
  /** How many exchanges were opened, those before `options.opened` included. */
  opened: number;
  /** How many of them were requests. */
  begun: number;
  managementRecords = 0;
  /** Problems that belong to no request. */
  problems = 0;
  readonly #options: AnalyzerOptions;
  readonly #state: ConnectionState = {
    clientEnd: null,
    serverEnd: null,
    clientReset: false,
    first: null,
    failure: null,
    closed: false,
  };
  /** Open requests by id, in the order of their opening. */
  readonly #open = new Map<number, ExchangeBuilder>();
  /** The last settled ones, oldest first, at most SETTLED_KEPT. */
  readonly #settled: ExchangeBuilder[] = [];
  #beginMayBeMissing: boolean;
  readonly #marks = new RecordMarks();
  readonly #connectionProblems: Problem[] = [];
  #connectionRecords = 0;
  /** Something passed that was neither of a request nor a management record. */
  #foreign = false;

  constructor(options: AnalyzerOptions) {
    this.#options = options;
    this.#beginMayBeMissing = options.midstream;
    this.opened = options.opened ?? 0;
    this.begun = this.opened;
  }

  /** No request is open, no side has ended, and what comes next needs nothing of what was before. */
  get idle(): boolean {
    return (
      this.#open.size === 0 &&
      this.#state.first === null &&
      this.#state.failure === null &&
      !this.#beginMayBeMissing &&
      !this.#marks.awaits('client') &&
      !this.#marks.awaits('server')
    );
  }

  /** How and by whom the connection was ended, as far as it was. */
  get state(): Readonly<ConnectionState> {
    return this.#state;
  }

  record(side: Side, event: RecordEvent): void {
    if (event.kind === 'problem') {
      this.#lost(side, event);
      return;
    }
    if (this.#marks.awaits(side)) {
      for (const stray of this.#marks.claim(side, event)) this.#blameAll(asProblem(side, stray), false);
    }
    switch (event.kind) {
      case 'begin-request':
        this.#begin(side, event);
        break;
      case 'stream':
        this.#stream(side, event);
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
        // An unknown type with id 0 is a management record of the future (section 4).
        if (event.requestId === NULL_REQUEST_ID) this.managementRecords += 1;
        this.#count(event.requestId === NULL_REQUEST_ID ? null : this.#owner(side, event, null), side, event);
        break;
      default:
        assertNever(event);
    }
  }

  /** A side has stopped sending; its decoder has said everything. */
  end(side: Side, how: EndKind, at: Timestamp): void {
    const state = this.#state;
    this.#dropRemarks(side);
    if (side === 'client') {
      state.clientEnd ??= how;
      if (how === 'reset') state.clientReset = true;
    } else {
      state.serverEnd ??= how;
    }
    if (state.first === null) {
      state.first = { side, how, at };
      for (const builder of this.#open.values()) builder.connectionEnd(endedByWord(side, how), how, at);
    }
    this.#decide(at);
  }

  /** The upstream could not be reached. */
  failed(failure: ConnectFailure): void {
    this.#state.failure = failure;
  }

  /**
   * Nothing more will come: settles everything that is open. A failure to connect, and bytes that were no request, get an exchange with
   * id 0, so that there is a row to look at.
   * @param touched whether any byte passed, or was missed
   */
  close(at: Timestamp, touched: boolean): void {
    if (this.#state.closed) return;
    this.#dropRemarks('client');
    this.#dropRemarks('server');
    this.#state.closed = true;
    this.#decide(at);
    const { failure } = this.#state;
    const undecodable = touched && (this.#foreign || this.managementRecords === 0);
    if (this.opened > 0 || (failure === null && !undecodable)) return;
    const builder = this.#openRequest(NULL_REQUEST_ID, null, this.#options.at);
    for (const problem of this.#connectionProblems) builder.problem(problem);
    builder.exchange.records.problems = this.problems;
    this.#settle(builder, failure === null ? 'undecodable' : 'not-connected', at);
  }

  #begin(side: Side, record: Extract<WholeRecord, { kind: 'begin-request' }>): void {
    const id = record.requestId;
    const open = this.#open.get(id);
    if (side === 'server') {
      this.#count(this.#owner(side, record, 'client'), side, record);
      return;
    }
    if (open !== undefined) {
      if (this.#marks.awaits('server')) open.endMayBeLost = true;
      const abandoned = open.endMayBeLost || open.exchange.streams.params.ended;
      this.#marks.mark(side, record, 'duplicate-begin-request', `BEGIN_REQUEST for id ${id}, which has not ended`);
      if (!abandoned) {
        this.#count(open, side, record);
        return;
      }
      open.problem(this.#marks.marks.at(-1)!);
      this.#settle(open, open.endMayBeLost ? 'undecodable' : 'unfinished', record.at);
    }
    if (id === NULL_REQUEST_ID)
      this.#marks.mark(side, record, 'null-request-id', 'BEGIN_REQUEST with the id of management records');
    const builder = this.#openRequest(id, record.missing > 0 ? null : record, record.at);
    builder.count(record);
    this.#noted(builder, side, record, 0, null);
  }

  #stream(side: Side, record: Extract<WholeRecord, { kind: 'stream' }>): void {
    const { stream } = record;
    const sender = stream === 'stdout' || stream === 'stderr' ? 'server' : 'client';
    const builder = this.#owner(side, record, sender);
    if (builder === null || side !== sender) {
      this.#count(builder, side, record);
      return;
    }
    const { streams, records } = builder.exchange;
    if (streams[stream].ended) {
      this.#marks.mark(
        side,
        record,
        'after-end-of-stream',
        `${typeName(record)} of ${record.contentLength} bytes after its end`,
      );
    }
    if (builder.role !== null && (stream === 'stdin' || stream === 'data')) {
      if (!streams.params.ended) {
        this.#marks.mark(side, record, 'data-before-params-end', `${typeName(record)} before the end of PARAMS`);
      }
      if (stream === 'data' && builder.role !== Role.FILTER) {
        this.#marks.mark(
          side,
          record,
          'data-without-filter',
          `DATA for a request whose role is ${builder.exchange.role}`,
        );
      }
    }
    const index = records.total;
    const offset = builder.streamLength(stream);
    if (record.missing > 0) {
      const place = offset + record.missingFrom;
      this.#marks.mark(
        side,
        record,
        'stream-gap',
        `${record.missing} bytes of ${typeName(record)} are missing at its byte ${place}`,
      );
    }
    const trouble = builder.stream(record);
    if (trouble !== null) this.#marks.add({ ...trouble, at: record.at, side });
    this.#noted(builder, side, record, index, offset);
  }

  #end(side: Side, record: Extract<WholeRecord, { kind: 'end-request' }>): void {
    const builder = this.#owner(side, record, 'server');
    // What was cut out of END_REQUEST is the very status: it ended, but nobody knows how.
    if (builder === null || side !== 'server' || builder.exchange.outcome !== null || record.missing > 0) {
      if (builder !== null && this.#marks.marks.some(({ code }) => code === 'capture-gap')) builder.endMayBeLost = true;
      this.#count(builder, side, record);
      return;
    }
    const index = builder.exchange.records.total;
    builder.end(record);
    this.#noted(builder, side, record, index, null);
    const outcome = decideOutcome(builder, this.#state);
    if (outcome !== null) this.#settle(builder, outcome, record.at);
  }

  #abort(side: Side, record: Extract<WholeRecord, { kind: 'abort-request' }>): void {
    const builder = this.#owner(side, record, 'client');
    if (builder !== null && side === 'client' && builder.exchange.outcome === null) builder.exchange.abortSeen = true;
    this.#count(builder, side, record);
  }

  #management(side: Side, record: Extract<WholeRecord, { kind: 'management' }>): void {
    this.managementRecords += 1;
    const sender = record.type === 'get-values' ? 'client' : 'server';
    if (side !== sender) this.#marks.markDirection(side, record);
    if (record.requestId === NULL_REQUEST_ID) {
      this.#count(null, side, record);
      return;
    }
    this.#marks.mark(
      side,
      record,
      'management-with-request-id',
      `${typeName(record)} with request id ${record.requestId}`,
    );
    this.#count(this.#open.get(record.requestId) ?? null, side, record);
  }

  /** The request a record is of: an open one, a settled one, one that it opens, or none. Marks what is wrong with that. */
  #owner(side: Side, record: WholeRecord, sender: Side | null): ExchangeBuilder | null {
    const id = record.requestId;
    if (sender !== null && side !== sender) this.#marks.markDirection(side, record);
    const open = this.#open.get(id);
    if (open !== undefined) return open;
    const settled = this.#settled.findLast(({ exchange }) => exchange.requestId === id);
    if (settled !== undefined) {
      const after = settled.endSeen ? 'END_REQUEST' : 'the request was over';
      this.#marks.mark(side, record, 'after-end-request', `${typeName(record)} for id ${id} after ${after}`);
      return settled;
    }
    if (id === NULL_REQUEST_ID) {
      this.#marks.mark(side, record, 'null-request-id', `${typeName(record)} with the id of management records`);
      this.#foreign = true;
      return null;
    }
    this.#marks.mark(
      side,
      record,
      'no-begin-request',
      `${typeName(record)} for id ${id}, whose BEGIN_REQUEST was not seen`,
    );
    if (side === sender && this.#beginMayBeMissing) return this.#openRequest(id, null, record.at);
    this.#foreign = true;
    return null;
  }

  #openRequest(id: number, begin: { role: number; flags: number } | null, at: Timestamp): ExchangeBuilder {
    const { connection, client, server, midstream } = this.#options;
    const builder = new ExchangeBuilder({
      n: this.#options.nextNumber(),
      connection,
      client,
      server,
      requestId: id,
      at,
      precedingRequests: this.opened,
      begin,
      startSeen: begin !== null,
      answerStartSeen: begin !== null || !midstream,
    });
    this.opened += 1;
    if (!this.#state.closed) this.begun += 1;
    this.#open.set(id, builder);
    const { first } = this.#state;
    if (first !== null) builder.connectionEnd(endedByWord(first.side, first.how), first.how, first.at);
    this.#options.sink({ kind: 'opened', exchange: builder.exchange });
    return builder;
  }

  #settle(builder: ExchangeBuilder, outcome: Outcome, at: Timestamp): void {
    this.#open.delete(builder.exchange.requestId);
    builder.settle(outcome, at, this.#state.failure);
    this.#settled.push(builder);
    if (this.#settled.length > SETTLED_KEPT) this.#settled.shift();
    if (this.#open.size === 0) this.#beginMayBeMissing = false;
    this.#options.sink({ kind: 'settled', exchange: builder.exchange });
  }

  #decide(at: Timestamp): void {
    for (const builder of this.#open.values()) {
      const outcome = decideOutcome(builder, this.#state);
      if (outcome !== null) this.#settle(builder, outcome, this.#state.first?.at ?? at);
    }
  }

  /** Keeps a record that adds nothing to its request, or that has none. */
  #count(builder: ExchangeBuilder | null, side: Side, record: WholeRecord): void {
    const index = builder === null ? this.#connectionRecords++ : builder.exchange.records.total;
    builder?.count(record);
    this.#noted(builder, side, record, index, null);
  }

  #noted(builder: ExchangeBuilder | null, side: Side, record: WholeRecord, index: number, offset: number | null): void {
    const marks = this.#marks.take();
    for (const mark of marks) this.#blame(builder, mark);
    const { observer, sink } = this.#options;
    if (observer !== undefined) {
      const codes = marks.map(({ code }) => code);
      observer(builder?.exchange ?? null, recordEntry(record, side, index, offset, codes), record.bytes);
    }
    if (builder === null) return;
    if (side === 'server' && this.#state.clientEnd === 'fin') builder.answeredLate = true;
    if (builder.exchange.outcome !== null) sink({ kind: 'amended', exchange: builder.exchange });
  }

  #blame(builder: ExchangeBuilder | null, problem: Problem): void {
    if (builder !== null) {
      builder.problem(problem);
      return;
    }
    this.problems += 1;
    if (this.#connectionProblems.length < PROBLEMS_KEPT) this.#connectionProblems.push(problem);
  }

  /** Bytes that are in no record, or a remark that waits for the record it is about. */
  #lost(side: Side, event: Remark): void {
    if (event.remark === true) {
      this.#marks.keep(side, event);
      return;
    }
    this.#dropRemarks(side);
    // A header that the end of the stream cuts leaves nothing behind it that could be missed.
    const stepLost = event.code !== 'truncated-record';
    if (side === 'client' && stepLost) {
      this.#beginMayBeMissing = true;
      this.#settled.length = 0;
    }
    this.#blameAll(asProblem(side, event), stepLost);
  }

  #dropRemarks(side: Side): void {
    for (const remark of this.#marks.release(side)) this.#blameAll(asProblem(side, remark), false);
  }

  /** Any open request may have been in bytes that are in no record. */
  #blameAll(problem: Problem, stepLost: boolean): void {
    if (this.#open.size === 0) {
      this.#foreign = true;
      this.#blame(null, problem);
    }
    for (const builder of this.#open.values()) {
      builder.problem(problem);
      if (stepLost) builder.loseStep(problem);
    }
  }
}

/** How many settled requests are remembered for records that come late; those come at once or not at all. */
const SETTLED_KEPT = 4;
