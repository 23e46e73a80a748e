import type { ExchangeRow } from '../model/exchange.js';
import type { RowOrder, RowPage, RowQuery } from '../model/inspection.js';
import type { ExchangeIndex } from './exchange-index.js';
import type { ExchangeReader } from './exchange-reader.js';
import { type Filter, parseFilter } from './filter.js';
import type { KeptExchange } from './kept-exchange.js';
import type { Pace } from './pace.js';
import { isInOrderOfNumbers } from './row-order.js';
import { pageOf, RowView, type ViewSource } from './row-view.js';

/** Lists that are kept up to date: what one screen shows, and some that somebody may come back to. */
const VIEWS_KEPT = 4;

export interface RowViewsOptions {
  readonly index: ExchangeIndex;
  readonly open: ReadonlyMap<number, KeptExchange>;
  readonly reader: ExchangeReader;
  readonly pace: () => Pace;
  readonly changed: () => void;
}

/** The lists that readers page through. The plain one is the index itself; each other filter and order gets a view. */
export class RowViews {
  /** The last used is the last. Keys are the order and the filter in its one spelling. */
  private readonly views = new Map<string, RowView>();
  private readonly source: ViewSource;

  constructor(private readonly options: RowViewsOptions) {
    const { index, open, pace, changed } = options;
    this.source = {
      kept: () => index.all(),
      get: (n) => index.get(n),
      open: () => [...open.values()].filter((kept) => !kept.evicted),
      get removed() {
        return index.removed;
      },
      pace,
      changed,
      test: (filter, kept, row, pace) => this.test(filter, kept, row, pace),
    };
  }

  /** @throws FcgiInspectError 'bad-filter' */
  async page(query: RowQuery): Promise<RowPage> {
    const filter = parseFilter(query.filter);
    if (filter.canonical === '' && isInOrderOfNumbers(query.order)) {
      const { index } = this.options;
      const list = {
        length: index.length,
        at: (position: number) => index.at(position)!.row(),
        positionOf: (n: number) => (index.get(n) === null ? -1 : index.position(n)),
      };
      return { ...pageOf(list, query), searching: false };
    }
    return this.view(filter, query.order).page(query);
  }

  /** An exchange has settled, or has changed once more after that. */
  offer(kept: KeptExchange, amended: boolean): void {
    for (const [key, view] of this.views) if (!view.offer(kept, amended)) this.drop(key, view);
  }

  clear(): void {
    for (const [key, view] of this.views) this.drop(key, view);
  }

  private view(filter: Filter, order: RowOrder): RowView {
    const key = `${isInOrderOfNumbers(order) ? 'n' : order} ${filter.canonical}`;
    const view = this.views.get(key) ?? new RowView(this.source, filter, order);
    this.views.delete(key);
    this.views.set(key, view);
    for (const [oldest, unused] of this.views) {
      if (this.views.size <= VIEWS_KEPT) break;
      this.drop(oldest, unused);
    }
    return view;
  }

  private drop(key: string, view: RowView): void {
    this.views.delete(key);
    view.drop();
  }

  private test(filter: Filter, kept: KeptExchange, row: ExchangeRow, pace: Pace): boolean | Promise<boolean> {
    const { reader } = this.options;
    return filter.test({
      row,
      exchange: () => (kept.evicted ? null : reader.exchangeOnce(kept, pace)),
      body: (stream) => reader.slices(kept, stream, pace),
    });
  }
}
