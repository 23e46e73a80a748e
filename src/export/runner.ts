import { setTimeout as sleep } from 'node:timers/promises';
import { StoredBody } from '../content/stored-body.js';
import type { Exchange, ExchangeRow, Outcome } from '../model/exchange.js';
import { rowOf } from '../model/exchange-row.js';
import type { Inspection, Settled, SettledPage } from '../model/inspection.js';
import type { ExchangeOutput, Output, RowOutput, SessionSummary } from '../model/output.js';
import { MICROSECONDS_PER_MILLISECOND, MICROSECONDS_PER_SECOND, milliseconds, type Timestamp } from '../model/time.js';
import { parseFilter } from '../session/filter.js';
import { Lockstep } from './lockstep.js';

export interface PumpOptions {
  /** Display filter: only requests that match reach the outputs; connections always do. */
  readonly filter?: string;
  /** Ends the pumping at once: what has not been given out yet is left out, the outputs are still ended. */
  readonly signal?: AbortSignal;
  /** Ends it after so many requests that the filter let through. */
  readonly count?: number;
  /**
   * For a session over a source with an end, in the same thread: takes in some more of it (Session.advance). It is called only when every
   * output has been given all there is, so that nothing is read ahead of the slowest of them.
   */
  readonly advance?: () => Promise<boolean>;
}

export interface PumpResult {
  readonly summary: SessionSummary;
  /** Outputs that could not be written to the end, in the order of `outputs`. The others were not held up by them. */
  readonly failures: readonly { readonly output: number; readonly error: Error }[];
}

/** Few enough that an interruption takes effect soon, enough that the way across the thread is worth it. */
const PAGE = 100;
/**
 * After a page of more than so many, traffic is busy, and a reader loses nothing by looking less often (milliseconds): each look costs
 * the relay's thread a message.
 */
const BUSY_PAGE = 20;
const BUSY_PAUSE = 75;
/** Rows are small. */
const ROWS_PAGE = 1_000;

/**
 * Gives every settled request and ended connection to every output, each once, until the session ends. Each output pulls at its own
 * pace: one whose reader has stopped holds up no other, it only risks that requests are evicted before it gets to them (`skipped`).
 * @throws FcgiInspectError 'bad-filter'
 */
export async function pump(
  inspection: Inspection,
  outputs: readonly Output[],
  options: PumpOptions = {},
): Promise<PumpResult> {
  // Without outputs somebody still has to see the session through and count.
  const given = outputs.length === 0 ? [SILENT] : outputs;
  const step = options.advance === undefined ? null : new Lockstep(options.advance, given.length);
  const pumps = given.map((output) => new Pump(inspection, output, options, step));
  const stopListening = inspection.onChange(() => {
    for (const one of pumps) one.wake();
  });
  const wakeAll = () => {
    for (const one of pumps) one.wake();
  };
  options.signal?.addEventListener('abort', wakeAll);
  try {
    const errors = await Promise.all(pumps.map((one) => one.run()));
    const failures = errors.flatMap((error, output) => (error === null ? [] : [{ output, error }]));
    const told = pumps[errors.indexOf(null)] ?? pumps[0]!;
    return { summary: await told.summary(), failures };
  } finally {
    stopListening();
    options.signal?.removeEventListener('abort', wakeAll);
  }
}

const SILENT: RowOutput = {
  rows: async () => {},
  end: async () => {},
};

interface Given extends Pick<SettledPage, 'cursor' | 'skipped' | 'done'> {
  readonly count: number;
  /** There is more already. */
  readonly full: boolean;
}

class Pump {
  readonly #filter;
  readonly #outcomes: Partial<Record<Outcome, number>> = {};
  readonly #findings = { error: 0, warning: 0, note: 0 };
  #connections = 0;
  #shown = 0;
  #hidden = 0;
  #skipped = 0;
  #first: Timestamp = Number.POSITIVE_INFINITY;
  #last: Timestamp = Number.NEGATIVE_INFINITY;
  /** Something changed since the last question: set by wake, taken back before asking. */
  #changed = false;
  #waiting: (() => void) | null = null;

  constructor(
    private readonly inspection: Inspection,
    private readonly output: Output,
    private readonly options: PumpOptions,
    /** Null when the source goes by itself. */
    private readonly step: Lockstep | null,
  ) {
    this.#filter = parseFilter(options.filter ?? '');
  }

  wake(): void {
    this.#changed = true;
    this.#waiting?.();
  }

  /** @returns why the output failed, null when it did not */
  async run(): Promise<Error | null> {
    const error = await failureOf(this.#giveAll());
    this.step?.leave();
    // Also after a failure: when it was the session that broke off, what was written can still be made whole.
    const last = await failureOf(this.summary().then((summary) => this.output.end(summary)));
    return error ?? last;
  }

  async summary(): Promise<SessionSummary> {
    // A session that has died cannot be asked any more: then what was seen here is the summary.
    const overview = await this.inspection.overview().catch(() => null);
    const given = Object.values(this.#outcomes).reduce((sum, count) => sum + count, 0);
    return {
      connections: overview?.connections.total ?? this.#connections,
      requests: overview?.exchanges.total ?? given,
      completed: overview?.exchanges.completed ?? this.#outcomes.completed ?? 0,
      outcomes: this.#outcomes,
      findings: overview?.findings ?? this.#findings,
      evicted: overview?.evicted ?? this.#skipped,
      startedAt: overview?.startedAt ?? (Number.isFinite(this.#first) ? this.#first : 0),
      seconds: Math.max(0, Math.round(this.#last - this.#first)) / MICROSECONDS_PER_SECOND || 0,
      shown: this.#shown,
      hidden: this.#hidden,
      skipped: this.#skipped,
      lostBytes: overview?.spool.lost ?? 0,
    };
  }

  async #giveAll(): Promise<void> {
    let cursor = 0;
    while (!this.#over()) {
      this.#changed = false;
      const page = await this.#give(cursor);
      this.#skipped += page.skipped;
      if (page.done || this.#over()) return;
      // A page that was not full has emptied the log: the next notice comes at the session's pace, so that busy traffic is asked about in
      // large pages and not one request at a time.
      if (!page.full && this.step !== null) await this.step.next();
      else if (!page.full) {
        if (page.count > BUSY_PAGE) await pause(BUSY_PAUSE, this.options.signal);
        await this.#change();
      }
      cursor = page.cursor;
    }
  }

  /** Gives what has settled from `cursor` on, at most a page. */
  async #give(cursor: number): Promise<Given> {
    const { output, inspection } = this;
    if (!('rows' in output)) {
      const page = await inspection.settled(cursor, PAGE);
      await this.#giveEach(output, page.items);
      return { ...page, count: page.items.length, full: page.items.length === PAGE };
    }
    if (this.#filter.needs === 'row') {
      const page = await inspection.settledRows(cursor, ROWS_PAGE);
      await this.#giveRows(output, page.rows, null);
      return { ...page, count: page.rows.length, full: page.rows.length === ROWS_PAGE };
    }
    const page = await inspection.settled(cursor, PAGE);
    const exchanges = page.items.flatMap((item) => (item.kind === 'exchange' ? [item.exchange] : []));
    await this.#giveRows(
      output,
      exchanges.map((exchange) => rowOf(exchange)),
      exchanges,
    );
    return { ...page, count: page.items.length, full: page.items.length === PAGE };
  }

  async #giveEach(output: ExchangeOutput, items: readonly Settled[]): Promise<void> {
    for (const item of items) {
      if (item.kind === 'connection') {
        this.#connections++;
        this.#saw(item.connection.at, item.connection.endedAt ?? item.connection.at);
        const taken = output.connection(item.connection);
        if (taken !== undefined) await taken;
      } else {
        const { exchange } = item;
        const lets = this.#filter.canonical === '' ? this.#letsAll(exchange) : this.#lets(rowOf(exchange), exchange);
        const taken = lets === true || (lets !== false && (await lets)) ? output.exchange(exchange) : undefined;
        // Mostly there is nothing to wait for, and waiting for that costs as much as a request's text.
        if (taken !== undefined) await taken;
      }
      if (this.#over()) break;
    }
    await output.flush?.();
  }

  /** @param exchanges those of the rows, where the filter wants to see them */
  async #giveRows(
    output: RowOutput,
    rows: readonly ExchangeRow[],
    exchanges: readonly Exchange[] | null,
  ): Promise<void> {
    const shown: ExchangeRow[] = [];
    for (let index = 0; index < rows.length; index += 1) {
      const row = rows[index]!;
      const lets = this.#lets(row, exchanges?.[index] ?? null);
      if (lets === true || (lets !== false && (await lets))) shown.push(row);
      if (this.#over()) break;
    }
    if (shown.length > 0) await output.rows(shown);
  }

  #over(): boolean {
    return this.options.signal?.aborted === true || this.#shown >= (this.options.count ?? Number.POSITIVE_INFINITY);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const woken = () => {
        this.#waiting = null;
        resolve();
      };
      if (this.#changed || this.#over()) woken();
      else this.#waiting = woken;
    });
  }

  /** Counts it, and says whether the filter lets it through; at once unless the filter wants to see more than the row. */
  #lets(row: ExchangeRow, exchange: Exchange | null): boolean | Promise<boolean> {
    const { at, total, outcome } = row;
    this.#saw(at, at + (total ?? 0) * MICROSECONDS_PER_MILLISECOND);
    if (outcome !== null) this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + 1;
    // A row knows the worst of its findings only; the session knows them all, and this is for the case that it has died.
    if (exchange === null && row.severity !== null) this.#findings[row.severity]++;
    if (exchange !== null) for (const finding of exchange.findings) this.#findings[finding.severity]++;
    const matches = this.#filter.test({
      row,
      exchange: () => exchange,
      body: (stream) => new StoredBody(this.inspection, row.n, stream),
    });
    return typeof matches === 'boolean' ? this.#shows(matches) : matches.then((later) => this.#shows(later));
  }

  /** As #lets without a filter: no row is needed. */
  #letsAll({ times, outcome, findings }: Exchange): boolean {
    const { begin, end } = times;
    this.#saw(begin, begin + (milliseconds(begin, end) ?? 0) * MICROSECONDS_PER_MILLISECOND);
    if (outcome !== null) this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + 1;
    for (const finding of findings) this.#findings[finding.severity]++;
    return this.#shows(true);
  }

  #shows(matches: boolean): boolean {
    if (matches) this.#shown++;
    else this.#hidden++;
    return matches;
  }

  #saw(first: Timestamp, last: Timestamp): void {
    if (first < this.#first) this.#first = first;
    if (last > this.#last) this.#last = last;
  }
}

async function failureOf(work: Promise<void>): Promise<Error | null> {
  try {
    await work;
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Sleeps, or returns when the signal comes. */
async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(milliseconds, undefined, signal ? { signal } : {}).catch(() => {});
}
