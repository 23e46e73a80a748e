import type { Exchange, ExchangeRow } from '../model/exchange.js';
import type { Inspection, RowPage } from '../model/inspection.js';
import { paneView, showing } from './commands.js';
import { layout } from './layout.js';
import { paneOf } from './panes/index.js';
import type { PaneContent } from './panes/pane.js';
import { type Anchor, selecting, type ViewState, type ViewStore } from './view-store.js';

/**
 * Fetches what is looked at. One pull at a time, and no more of them than frames: whatever changes meanwhile, here or there, is taken
 * by the next. What the session may take long for (a filter that reads bodies) holds up the figures, never the keys.
 */
export class Puller {
  // A pull is under way iff `pulling`. `wanted` says that something has changed since the last one began.
  private pulling = false;
  private wanted = false;
  private stopped = false;
  private timer: NodeJS.Timeout | null = null;
  private lastBegun = Number.NEGATIVE_INFINITY;
  private readonly unsubscribe: () => void;
  /** Tells what the detail was fetched for: as long as nothing of it differs, nothing is fetched again. */
  private detail: { readonly n: number; readonly row: string } | null = null;

  /**
   * @param interval milliseconds from the beginning of one pull to the next at least
   * @param seen whether anybody could see what is fetched: a terminal that does not take frames needs none
   */
  constructor(
    private readonly inspection: Inspection,
    private readonly store: ViewStore,
    private readonly interval: number,
    private readonly seen: () => boolean,
  ) {
    this.unsubscribe = inspection.onChange(() => this.want());
  }

  /** Something changed: pull soon. */
  want(): void {
    this.wanted = true;
    this.schedule();
  }

  stop(): void {
    this.stopped = true;
    this.unsubscribe();
    if (this.timer !== null) clearTimeout(this.timer);
  }

  private schedule(): void {
    if (this.stopped || this.pulling || !this.wanted || this.timer !== null || !this.seen()) return;
    const wait = Math.max(0, this.lastBegun + this.interval - performance.now());
    this.timer = setTimeout(() => {
      this.timer = null;
      void this.pull();
    }, wait);
  }

  private async pull(): Promise<void> {
    this.pulling = true;
    this.wanted = false;
    this.lastBegun = performance.now();
    try {
      const overview = await this.inspection.overview();
      this.change({ overview });
      await this.pullRows();
      await this.pullDetail();
      if (this.store.getState().failure !== null) this.change({ failure: null });
    } catch (error) {
      this.change({ failure: error instanceof Error ? error.message : String(error) });
    } finally {
      this.pulling = false;
      this.schedule();
    }
  }

  private async pullRows(): Promise<void> {
    const state = this.store.getState();
    const height = layout(state).list?.height ?? 1;
    const { page, position } = await window(this.inspection, state, height);
    const now = this.store.getState();
    // A key may have moved the list meanwhile: then its word stands, and the next pull follows it.
    if (now.anchor !== state.anchor || now.filter !== state.filter) {
      this.wanted = true;
      return;
    }
    const row = page.rows[position - page.from];
    const n = row?.n ?? null;
    const anchor: Anchor =
      state.anchor.kind === 'follow' || n === null
        ? state.anchor
        : { kind: 'exchange', n, offset: position - page.from };
    const missed = state.anchor.kind === 'exchange' && n !== state.anchor.n ? state.anchor.n : null;
    this.change({
      page,
      position: n === null ? -1 : position,
      anchor: sameAnchor(state.anchor, anchor) ? state.anchor : anchor,
      ...selecting(now, n),
      ...(missed === null
        ? {}
        : { message: `request ${missed} is ${now.selected === missed ? 'no longer' : 'not'} in the list` }),
    });
  }

  private async pullDetail(): Promise<void> {
    const state = this.store.getState();
    const n = state.selected;
    if (!state.detailOpen || n === null) {
      this.detail = null;
      return;
    }
    // What a log says may change what is found, and how sure it is.
    const row = fingerprint(
      state.page?.rows.find((one) => one.n === n),
      state.overview?.logLines ?? 0,
    );
    let exchange: Exchange | null = state.exchange;
    if (exchange === null || this.detail?.n !== n || this.detail.row !== row || row === '') {
      exchange = await this.inspection.exchange(n);
      if (this.store.getState().selected !== n) return;
      this.detail = { n, row };
      if (exchange === null) {
        this.change({ gone: true, exchange: null, content: null });
        return;
      }
      this.change({ exchange, gone: false });
    }
    await this.pullContent(exchange);
  }

  private async pullContent(exchange: Exchange): Promise<void> {
    const state = this.store.getState();
    const pane = paneOf(state.tab);
    const want = { ...paneView(state), exchange, mode: state.modes[state.tab] };
    const content = await pane.load(this.inspection, want, state.content);
    const now = this.store.getState();
    if (now.selected !== exchange.n || now.tab !== state.tab || now.modes !== state.modes) {
      this.wanted = true;
      return;
    }
    const settled = settle(now, content);
    if (content !== now.content || Object.keys(settled).length > 0) this.change({ content, ...settled });
    // The place has moved: what is there may not have been fetched.
    if (Object.keys(settled).length > 0) this.wanted = true;
  }

  private change(change: Partial<ViewState>): void {
    if (!this.stopped) this.store.setState(change);
  }
}

/** What is looked at must be there: after a resize, or a key that came before the content, the place may lie beyond the end. */
function settle(state: ViewState, content: PaneContent): Partial<ViewState> {
  const cursor =
    content.records === undefined ? state.cursor : Math.min(state.cursor, Math.max(0, content.records - 1));
  return { ...(cursor === state.cursor ? {} : { cursor }), ...showing(state, content, cursor) };
}

/** The window of rows for the anchor, and the position of the selected one in the list (-1 in an empty list). */
async function window(
  inspection: Inspection,
  state: ViewState,
  height: number,
): Promise<{ page: RowPage; position: number }> {
  const { anchor, filter, order, reverse } = state;
  const query = { filter, order, reverse, count: height };
  const place = async (wanted: number, offset: number): Promise<{ page: RowPage; position: number }> => {
    let page = await inspection.rows({ ...query, from: Math.max(0, wanted - offset) });
    const position = Math.min(wanted, page.shown - 1);
    // Near the ends the list stands still and the selection goes on alone.
    const from = Math.max(0, Math.min(position - offset, page.shown - height));
    if (page.from !== from) page = await inspection.rows({ ...query, from });
    return { page, position: Math.min(position, page.shown - 1) };
  };
  switch (anchor.kind) {
    case 'follow': {
      const page = await inspection.rows({ ...query, from: reverse ? 0 : -height });
      return { page, position: reverse ? Math.min(0, page.shown - 1) : page.shown - 1 };
    }
    case 'position':
      return place(anchor.position, Math.min(anchor.offset, height - 1));
    case 'exchange': {
      const offset = Math.min(anchor.offset, height - 1);
      const page = await inspection.rows({ ...query, from: -offset, around: anchor.n });
      if (page.position < 0) return place(Math.max(0, state.position), offset);
      const from = Math.max(0, Math.min(page.position - offset, page.shown - height));
      return page.from === from ? { page, position: page.position } : place(page.position, page.position - from);
    }
  }
}

function sameAnchor(a: Anchor, b: Anchor): boolean {
  return a.kind === 'exchange' && b.kind === 'exchange' && a.n === b.n && a.offset === b.offset;
}

/** Changes whenever the exchange does, as far as a row tells; '' for one that is open or not on the screen. */
function fingerprint(row: ExchangeRow | undefined, logLines: number): string {
  if (row === undefined || row.outcome === null) return '';
  const { outcome, records, sizeIn, sizeOut, stderrBytes, problems, findings } = row;
  return [outcome, records, sizeIn, sizeOut, stderrBytes, problems, findings.join(), logLines].join('/');
}
