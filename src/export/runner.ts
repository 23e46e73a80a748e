import { StoredBody } from '../content/stored-body.js';
import type { ConnectionSummary } from '../model/connection.js';
import type { Exchange, Outcome } from '../model/exchange.js';
import { rowOf } from '../model/exchange-row.js';
import type { Inspection } from '../model/inspection.js';
import type { Output, SessionSummary } from '../model/output.js';
import { MICROSECONDS_PER_SECOND, type Timestamp } from '../model/time.js';
import { parseFilter } from '../session/filter.js';

export interface PumpOptions {
  /** Display filter: only requests that match reach the outputs; connections always do. */
  readonly filter?: string;
  /** Ends the pumping at once: what has not been given out yet is left out, the outputs are still ended. */
  readonly signal?: AbortSignal;
  /** Ends it after so many requests that the filter let through. */
  readonly count?: number;
}

export interface PumpResult {
  readonly summary: SessionSummary;
  /** Outputs that could not be written to the end, in the order of `outputs`. The others were not held up by them. */
  readonly failures: readonly { readonly output: number; readonly error: Error }[];
}

/** Few enough that an interruption takes effect soon, enough that the way across the thread is worth it. */
const PAGE = 100;

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
  const pumps = (outputs.length === 0 ? [SILENT] : outputs).map((output) => new Pump(inspection, output, options));
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

const SILENT: Output = {
  exchange: async () => {},
  connection: async () => {},
  end: async () => {},
};

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
      const page = await this.inspection.settled(cursor, PAGE);
      this.#skipped += page.skipped;
      for (const item of page.items) {
        if (item.kind === 'exchange') await this.#giveExchange(item.exchange);
        else await this.#giveConnection(item.connection);
        if (this.#over()) return;
      }
      if (page.done) return;
      if (page.items.length === 0 && page.cursor === cursor) await this.#change();
      cursor = page.cursor;
    }
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

  async #giveExchange(exchange: Exchange): Promise<void> {
    const { times, outcome } = exchange;
    this.#saw(times.begin, times.end ?? times.lastStdout ?? times.begin);
    if (outcome !== null) this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + 1;
    for (const finding of exchange.findings) this.#findings[finding.severity]++;
    if (await this.#matches(exchange)) {
      this.#shown++;
      await this.output.exchange(exchange);
    } else {
      this.#hidden++;
    }
  }

  async #giveConnection(connection: ConnectionSummary): Promise<void> {
    this.#connections++;
    this.#saw(connection.at, connection.endedAt ?? connection.at);
    await this.output.connection(connection);
  }

  #matches(exchange: Exchange): boolean | Promise<boolean> {
    return this.#filter.test({
      row: rowOf(exchange),
      exchange: () => exchange,
      body: (stream) => new StoredBody(this.inspection, exchange.n, stream),
    });
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
