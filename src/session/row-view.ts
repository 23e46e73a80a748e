import type { ExchangeRow } from '../model/exchange.js';
import type { RowOrder, RowPage, RowQuery } from '../model/inspection.js';
import type { Filter } from './filter.js';
import type { KeptExchange } from './kept-exchange.js';
import type { Pace } from './pace.js';
import { comparatorOf, isInOrderOfNumbers, type RowComparator } from './row-order.js';

/** A view that nobody has asked for this long stops searching; the next question resumes it. In milliseconds. */
const WANTED_FOR = 10_000;
/** Changes that may wait for a view nobody asks for; then it is cheaper to make it anew. */
export const WAITING_LIMIT = 200_000;
/** Up to this many newcomers are put in one by one; more are sorted and merged. */
const FEW = 32;
/** How often an answer looks for what has settled while it was being made. */
const ROUNDS = 4;
/** How many are sorted at once: well within a slice. */
const RUN = 1_024;

export interface ViewSource {
  /** All that are kept, in the order of their numbers. */
  kept(): readonly KeptExchange[];
  get(n: number): KeptExchange | null;
  /** Those that are open, in the order of their numbers. */
  open(): Iterable<KeptExchange>;
  readonly removed: number;
  pace(): Pace;
  /** Whether the filter lets it through; looks at its stored bytes where the filter needs them. */
  test(filter: Filter, exchange: KeptExchange, row: ExchangeRow, pace: Pace): boolean | Promise<boolean>;
  /** More was found. */
  changed(): void;
}

/**
 * The list through one filter in one order. Settled exchanges are tested once and kept sorted; what settles later waits until somebody
 * asks and is then merged in. Open ones change all the time, so they are tested and put between at each question.
 */
export class RowView {
  /** Sorted; no open ones, and no evicted ones once `sweep` was called. */
  private settled: KeptExchange[] = [];
  /** What was kept when the view was made, from `tested` on untested; and what has settled or was amended since. */
  private backlog: readonly KeptExchange[];
  private tested = 0;
  private readonly waiting = new Set<KeptExchange>();
  /** Those of them that may be in `settled` already. */
  private readonly again = new Set<KeptExchange>();
  private sweptAt: number;
  private wantedAt = 0;
  private searching = false;
  private tail: Promise<unknown> = Promise.resolve();
  private dropped = false;
  private readonly compare: RowComparator;
  private readonly numbered: boolean;

  constructor(
    private readonly source: ViewSource,
    private readonly filter: Filter,
    order: RowOrder,
  ) {
    this.compare = comparatorOf(order);
    this.numbered = isInOrderOfNumbers(order);
    this.sweptAt = source.removed;
    this.backlog = source.kept();
  }

  /** An exchange has settled, or has changed once more. False: too many wait, and the view should be dropped. */
  offer(exchange: KeptExchange, amended: boolean): boolean {
    this.waiting.add(exchange);
    if (amended) this.again.add(exchange);
    return this.waiting.size <= WAITING_LIMIT;
  }

  drop(): void {
    this.dropped = true;
    this.backlog = [];
    this.waiting.clear();
    this.again.clear();
    this.settled = [];
  }

  page(query: RowQuery): Promise<RowPage> {
    const answer = this.tail.then(() => this.answer(query));
    this.tail = answer.catch(() => undefined);
    return answer;
  }

  private async answer(query: RowQuery): Promise<RowPage> {
    this.wantedAt = performance.now();
    const pace = this.source.pace();
    if (this.filter.needs !== 'row') this.search();
    else for (let i = 0; i < ROUNDS && this.untestedCount > 0; i += 1) await this.takeIn(pace, () => true);
    const open: ExchangeRow[] = [];
    for (const exchange of [...this.source.open()]) {
      if (pace.isOver) await pace.turn();
      const row = exchange.row();
      // The last word on a request is had when it settles: while it is open, only what its row tells can be asked.
      if (this.filter.needs === 'row' && this.source.test(this.filter, exchange, row, pace) === true) open.push(row);
    }
    if (!this.numbered) open.sort(this.compare);
    this.sweep();
    return { ...pageOf(this.mergedWith(open), query), searching: this.searching };
  }

  /** The settled ones with the open rows between them, by position. */
  private mergedWith(open: readonly ExchangeRow[]): RowList {
    const { settled, compare, source } = this;
    const lowerBound = (row: ExchangeRow) => this.lowerBound(row);
    const places = open.map((row, i) => lowerBound(row) + i);
    return {
      length: settled.length + open.length,
      at(position) {
        const before = lowerBoundOf(places, position);
        return places[before] === position ? open[before]! : settled[position - before]!.row();
      },
      positionOf(n) {
        const i = open.findIndex((row) => row.n === n);
        if (i >= 0) return places[i]!;
        const exchange = source.get(n);
        if (exchange === null || exchange.live !== null) return -1;
        const row = exchange.row();
        const at = lowerBound(row);
        if (settled[at] !== exchange) return -1;
        return at + open.filter((other) => compare(other, row) < 0).length;
      },
    };
  }

  /** Tests those that wait, in slices, and puts in what passes. */
  private async takeIn(pace: Pace, goOn: () => boolean): Promise<void> {
    const runs: KeptExchange[][] = [];
    let run: KeptExchange[] = [];
    // Newcomers during the work are left for the next round: it ends.
    let left = this.untestedCount;
    const waiting = this.waiting.values();
    while (left > 0 && goOn()) {
      left -= 1;
      if (pace.isOver) await pace.turn();
      const exchange = this.next(waiting);
      if (exchange === null) continue;
      if (this.again.delete(exchange)) this.settled = this.settled.filter((other) => other !== exchange);
      if (exchange.evicted) continue;
      const answer = this.source.test(this.filter, exchange, exchange.row(), pace);
      if (!(typeof answer === 'boolean' ? answer : await answer)) continue;
      run.push(exchange);
      if (run.length === RUN) {
        runs.push(this.sorted(run));
        run = [];
      }
    }
    if (run.length > 0) runs.push(this.sorted(run));
    await this.merge(runs, pace);
  }

  private get untestedCount(): number {
    return this.backlog.length - this.tested + this.waiting.size;
  }

  /** Takes one out of what is untested; null for one that is open, or that waits a second time. */
  private next(waiting: Iterator<KeptExchange, undefined>): KeptExchange | null {
    const exchange = this.backlog[this.tested];
    if (exchange !== undefined) {
      this.tested += 1;
      return exchange.live !== null || this.waiting.has(exchange) ? null : exchange;
    }
    const { value } = waiting.next();
    if (value === undefined) return null;
    this.waiting.delete(value);
    return value;
  }

  private search(): void {
    if (this.searching || this.untestedCount === 0) return;
    this.searching = true;
    const pace = this.source.pace();
    const goOn = () => !this.dropped && performance.now() - this.wantedAt < WANTED_FOR;
    const work = async () => {
      while (this.untestedCount > 0 && goOn()) {
        const shown = this.settled.length;
        await this.takeIn(pace, batch(goOn));
        if (this.settled.length !== shown) this.source.changed();
        await pace.turn();
      }
    };
    work()
      .catch(() => undefined)
      .finally(() => {
        this.searching = false;
        this.source.changed();
      });
  }

  private sorted(run: KeptExchange[]): KeptExchange[] {
    return run.sort((a, b) => this.compare(a.row(), b.row()));
  }

  /** Puts sorted runs into the list: pairs of neighbours first, so that each is moved a few times only. */
  private async merge(runs: KeptExchange[][], pace: Pace): Promise<void> {
    let level = runs;
    while (level.length > 1) {
      const above: KeptExchange[][] = [];
      for (let i = 0; i < level.length; i += 2) {
        above.push(i + 1 < level.length ? await this.mergeTwo(level[i]!, level[i + 1]!, pace) : level[i]!);
      }
      level = above;
    }
    if (level[0] !== undefined) this.insert(level[0].filter((exchange) => !exchange.evicted));
  }

  /** At once, as the list must be whole whenever somebody else looks at it: finds the places by halves, and moves what is between. */
  private insert(newcomers: KeptExchange[]): void {
    const { settled } = this;
    if (settled.length === 0) {
      this.settled = newcomers;
      return;
    }
    if (newcomers.length <= FEW) {
      for (const exchange of newcomers) {
        const row = exchange.row();
        const last = settled.at(-1);
        if (last === undefined || this.compare(last.row(), row) < 0) settled.push(exchange);
        else settled.splice(this.lowerBound(row), 0, exchange);
      }
      return;
    }
    const merged: KeptExchange[] = [];
    let from = 0;
    for (const exchange of newcomers) {
      const to = this.lowerBound(exchange.row());
      while (from < to) merged.push(settled[from++]!);
      merged.push(exchange);
    }
    while (from < settled.length) merged.push(settled[from++]!);
    this.settled = merged;
  }

  private async mergeTwo(a: KeptExchange[], b: KeptExchange[], pace: Pace): Promise<KeptExchange[]> {
    if (this.compare(a.at(-1)!.row(), b[0]!.row()) < 0) {
      for (const exchange of b) a.push(exchange);
      return a;
    }
    const merged: KeptExchange[] = [];
    let i = 0;
    let j = 0;
    while (i < a.length || j < b.length) {
      if (merged.length % RUN === 0 && pace.isOver) await pace.turn();
      const first = j === b.length || (i < a.length && this.compare(a[i]!.row(), b[j]!.row()) <= 0);
      merged.push(first ? a[i++]! : b[j++]!);
    }
    return merged;
  }

  private sweep(): void {
    if (this.sweptAt === this.source.removed) return;
    this.sweptAt = this.source.removed;
    let kept = 0;
    for (const exchange of this.settled) if (!exchange.evicted) this.settled[kept++] = exchange;
    this.settled.length = kept;
  }

  private lowerBound(row: ExchangeRow): number {
    let low = 0;
    let high = this.settled.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(this.settled[middle]!.row(), row) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A list by position, in its own order. */
export interface RowList {
  readonly length: number;
  at(position: number): ExchangeRow;
  /** -1 when it is not in the list. */
  positionOf(n: number): number;
}

/** Cuts the window out, counted from the end where the query wants it reversed. */
export function pageOf(list: RowList, query: RowQuery): Omit<RowPage, 'searching'> {
  const turned = (position: number) => (query.reverse ? list.length - 1 - position : position);
  const found = query.around === undefined ? -1 : list.positionOf(query.around);
  const position = found < 0 ? -1 : turned(found);
  const wanted = position >= 0 ? position + query.from : query.from < 0 ? list.length + query.from : query.from;
  const from = Math.min(Math.max(0, wanted), list.length);
  const to = Math.min(list.length, from + Math.max(0, query.count));
  const rows: ExchangeRow[] = [];
  for (let i = from; i < to; i += 1) rows.push(list.at(turned(i)));
  return { rows, from, shown: list.length, position };
}

/** Lets a search show what it has found now and then. */
function batch(goOn: () => boolean): () => boolean {
  let left = RUN;
  return () => {
    left -= 1;
    return left >= 0 && goOn();
  };
}

function lowerBoundOf(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
