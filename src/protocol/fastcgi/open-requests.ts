import type { ConnectFailure, EndKind, Side } from '../../model/connection.js';
import { type Outcome, PROBLEMS_KEPT, type Problem } from '../../model/exchange.js';
import type { Timestamp } from '../../model/time.js';
import type { AnalyzerOptions } from '../analyzer.js';
import { BODY_LENGTH, HEADER_LENGTH, NULL_REQUEST_ID } from './constants.js';
import { ExchangeBuilder } from './exchange-builder.js';
import { type ConnectionState, decideOutcome, endedByWord } from './outcome.js';

/** What the requests of a connection have to know of its two directions. */
export interface Directions {
  /** Records of this side may be passing that cannot be told. */
  isLost(side: Side): boolean;
  /** The stream offset of its next byte. */
  offset(side: Side): number;
}

/** Gaps of which it is not known yet what was in them. */
export type OpenGaps = () => readonly Problem[];

/**
 * The requests of one connection from their opening until they are settled, and what is known of the connection itself: who ended it,
 * and what is wrong with it that belongs to no request.
 *
 * A request is open from its BEGIN_REQUEST until END_REQUEST, or until the connection tells that none will come (outcome.ts). Ids are
 * used again on kept connections (specification section 3.3), so the last settled requests are remembered for records that come late.
 *
 * Where the beginning of the web server's stream was not seen, or some of it was lost, a BEGIN_REQUEST may be missing. That is over as
 * soon as no request is open: from there on the connection counts as seen from its beginning, which is what lets a replay start at
 * such a point without knowing what was before.
 */
export class OpenRequests {
  /*
   * Invariants: no request in #open has an outcome, all in #settled have; #settled is ordered by time and at most SETTLED_KEPT long.
   */
  readonly #open = new Map<number, ExchangeBuilder>();
  readonly #settled: ExchangeBuilder[] = [];
  readonly #options: AnalyzerOptions;
  readonly #directions: Directions;
  readonly #openGaps: OpenGaps;
  readonly #connectionProblems: Problem[] = [];
  #beginMayBeMissing: boolean;
  /** The same of the backend's direction: what comes first for an unknown id need not be the beginning of its answer. */
  #answerMayBeMissing: boolean;
  /** How many exchanges were opened, those before `options.opened` included. */
  opened: number;
  /** How many of them were requests. */
  begun: number;
  /** Problems that belong to no request. */
  problems = 0;
  readonly state: ConnectionState = {
    clientEnd: null,
    serverEnd: null,
    clientReset: false,
    first: null,
    failure: null,
    closed: false,
  };

  constructor(options: AnalyzerOptions, directions: Directions, openGaps: OpenGaps) {
    this.#options = options;
    this.#directions = directions;
    this.#openGaps = openGaps;
    this.#beginMayBeMissing = this.#answerMayBeMissing = options.midstream;
    this.opened = this.begun = options.opened ?? 0;
  }

  /** No request is open, no side has ended, and nothing of what was before matters to the next request. */
  get idle(): boolean {
    return (
      this.#open.size === 0 && this.state.first === null && this.state.failure === null && !this.#beginMayBeMissing
    );
  }

  /** Whether a record for an unknown id may be of a request whose beginning was not seen. */
  get beginMayBeMissing(): boolean {
    return this.#beginMayBeMissing || this.#directions.isLost('client');
  }

  /**
   * Whether the web server may go on with a request that is not open, when `passed` bytes of it cannot be told. What was settled is not
   * asked: a replay that starts anew does not know of it, and must find the same records.
   */
  mayHaveBegun(passed: number): boolean {
    return this.#beginMayBeMissing || passed >= LEAST_BEGIN;
  }

  find(id: number): ExchangeBuilder | undefined {
    return this.#open.get(id);
  }

  /**
   * The request that had the id last, if that is not long ago.
   * @param before only one that began before this offset of the backend's stream
   */
  findSettled(id: number, before = Number.POSITIVE_INFINITY): ExchangeBuilder | undefined {
    return this.#settled.findLast(({ exchange, answerFrom }) => exchange.requestId === id && answerFrom <= before);
  }

  /**
   * @param begin null when BEGIN_REQUEST was not seen, or not whole
   * @param startSeen whether it was seen at all
   * @param answerFrom where its answer can begin, if that is not where the backend's stream stands
   */
  open(
    id: number,
    begin: { readonly role: number; readonly flags: number } | null,
    startSeen: boolean,
    at: Timestamp,
    answerFrom = this.#directions.offset('server'),
  ): ExchangeBuilder {
    const { connection, client, server } = this.#options;
    const builder = new ExchangeBuilder({
      n: this.#options.nextNumber(),
      connection,
      client,
      server,
      requestId: id,
      at,
      precedingRequests: this.opened,
      begin,
      startSeen,
      answerStartSeen: startSeen || !this.#answerMayBeMissing,
      answerFrom,
    });
    this.opened += 1;
    if (!this.state.closed) this.begun += 1;
    this.#open.set(id, builder);
    const { first } = this.state;
    if (first !== null) builder.connectionEnd(endedByWord(first.side, first.how), first.how, first.at);
    this.#options.sink({ kind: 'opened', exchange: builder.exchange });
    return builder;
  }

  settle(builder: ExchangeBuilder, outcome: Outcome, at: Timestamp): void {
    this.#open.delete(builder.exchange.requestId);
    // A gap at the end of what the web server said is not explained by anything that follows: it may have held the end of this request.
    for (const gap of this.#openGaps()) if (isOf(builder, gap)) builder.problem(gap);
    builder.settle(outcome, at, this.state.failure);
    const lost = this.#directions.isLost('client');
    // What the web server's direction holds next may be of this request or of one after it whose beginning is lost: nobody can tell.
    if (!lost) this.#remember(builder);
    if (this.#open.size === 0 && !lost) this.#beginMayBeMissing = this.#answerMayBeMissing = false;
    this.#options.sink({ kind: 'settled', exchange: builder.exchange });
  }

  /** Settles a request if it can be told what became of it. */
  decide(builder: ExchangeBuilder, at: Timestamp): void {
    const outcome = decideOutcome(builder, this.state);
    if (outcome !== null) this.settle(builder, outcome, at);
  }

  /** A side has stopped sending; its decoder has said everything. */
  end(side: Side, how: EndKind, at: Timestamp): void {
    const { state } = this;
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
    this.#decideAll(state.first.at);
  }

  /** The upstream could not be reached. */
  failed(failure: ConnectFailure): void {
    this.state.failure = failure;
  }

  /**
   * Nothing more will come: settles everything that is open. A failure to connect, bytes that were no request, and a backend that closed
   * before a byte was sent get an exchange with id 0, so that there is a row to look at.
   * @param foreign whether anything passed that was neither of a request nor management
   * @param touched whether any byte passed, or was missed
   */
  close(at: Timestamp, foreign: boolean, touched: boolean): void {
    const { state } = this;
    state.closed = true;
    const over = state.first?.at ?? at;
    this.#decideAll(over);
    if (this.opened > 0) return;
    const closedUnasked = touched ? null : this.#closedUnasked();
    if (state.failure === null && !foreign && closedUnasked === null) return;
    const builder = this.open(NULL_REQUEST_ID, null, false, this.#options.at);
    for (const problem of this.#connectionProblems) builder.problem(problem);
    builder.exchange.records.problems = this.problems;
    this.settle(builder, state.failure === null ? (closedUnasked ?? 'undecodable') : 'not-connected', over);
  }

  /**
   * The backend took the connection and ended it at once, before a byte had passed: the web server fails though it never got to ask.
   * Null otherwise: later than that it is a connection that nobody had a use for.
   */
  #closedUnasked(): Outcome | null {
    const { first } = this.state;
    if (first === null || first.side !== 'server' || this.#options.midstream) return null;
    if (first.at - this.#options.at > UNASKED) return null;
    return first.how === 'reset' ? 'backend-reset' : first.how === 'fin' ? 'backend-closed' : null;
  }

  /** Puts a problem down to a request, or to the connection. */
  blame(builder: ExchangeBuilder | null, problem: Problem): void {
    if (builder !== null) {
      builder.problem(problem);
      return;
    }
    this.problems += 1;
    if (this.#connectionProblems.length < PROBLEMS_KEPT) this.#connectionProblems.push(problem);
  }

  /**
   * Puts a record of the backend's that is of no request down to those that wait for one, too: it may be their answer under a wrong id. Only
   * while no request of the connection is over, whose late record it may also be; a replay that starts anew could not tell.
   */
  blameWaiting(problem: Problem): void {
    if (this.opened !== this.#open.size) return;
    for (const builder of this.#open.values()) builder.problem(problem);
  }

  /**
   * Puts a problem of the connection's bytes down to every open request, since each may be concerned.
   * @param stepLost whether records may have been in those bytes
   */
  blameAll(problem: Problem, stepLost: boolean): void {
    if (stepLost && problem.side === 'server') this.#answerMayBeMissing = true;
    if (stepLost && problem.side === 'client' && problem.length >= LEAST_BEGIN) {
      this.#beginMayBeMissing = true;
      // From here on a record for an id that was settled may as well be of a new request.
      this.#settled.length = 0;
    }
    let concerned = false;
    for (const builder of this.#open.values()) {
      if (!isOf(builder, problem)) continue;
      concerned = true;
      builder.problem(problem);
      if (stepLost) builder.loseStep(problem);
    }
    if (!concerned) this.blame(null, problem);
  }

  #remember(builder: ExchangeBuilder): void {
    this.#settled.push(builder);
    if (this.#settled.length > SETTLED_KEPT) this.#settled.shift();
  }

  #decideAll(at: Timestamp): void {
    for (const builder of this.#open.values()) this.decide(builder, at);
  }
}

/** What the backend sent before a request began has nothing to do with it. */
function isOf({ answerFrom }: ExchangeBuilder, { side, offset, length }: Problem): boolean {
  return side === 'client' || offset + length > answerFrom;
}

/** libfcgi gives a connection two seconds to begin a request, PHP-FPM five; half a second is no patience. In microseconds. */
const UNASKED = 500_000;

/** How many settled requests are remembered for records that come late; those come at once or not at all. */
const SETTLED_KEPT = 4;

/** A BEGIN_REQUEST: no less can hide one. */
const LEAST_BEGIN = HEADER_LENGTH + BODY_LENGTH;
