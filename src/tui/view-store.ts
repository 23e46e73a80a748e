import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Exchange } from '../model/exchange.js';
import type { Overview, RowOrder, RowPage } from '../model/inspection.js';
import type { BodyMode, PaneContent, PaneId } from './panes/pane.js';

/**
 * What is looked at, as against what there is: the session keeps the facts, this keeps the view of them. Small and flat; commands
 * change it, the puller fills in what it fetched, and one frame at a time is drawn from it.
 */

/** Where the list stands. An exchange is told by its number, since its place changes while others come and go. */
export type Anchor =
  /** At the newest. */
  | { readonly kind: 'follow' }
  /** The exchange, `offset` rows below the first row shown. */
  | { readonly kind: 'exchange'; readonly n: number; readonly offset: number }
  /** A place in the list whose exchange is not known yet. */
  | { readonly kind: 'position'; readonly position: number; readonly offset: number };

export interface FilterEdit {
  readonly text: string;
  /** In code points. */
  readonly cursor: number;
}

export interface ViewState {
  readonly columns: number;
  readonly rows: number;
  readonly overview: Overview | null;
  /** The visible window of the list. */
  readonly page: RowPage | null;
  readonly anchor: Anchor;
  /** The number of the selected exchange, and its place in the list. */
  readonly selected: number | null;
  readonly position: number;
  readonly filter: string;
  readonly filterEdit: FilterEdit | null;
  readonly order: RowOrder;
  readonly reverse: boolean;
  readonly focus: 'list' | 'detail';
  readonly detailOpen: boolean;
  readonly maximised: boolean;
  readonly tab: PaneId;
  /** First line shown of each tab. */
  readonly tops: Readonly<Record<PaneId, number>>;
  readonly modes: Readonly<Record<PaneId, BodyMode>>;
  /** The selected record. */
  readonly cursor: number;
  readonly hexTop: number;
  /** The selected exchange as it was last fetched; null before that, and `gone` when it is no longer there. */
  readonly exchange: Exchange | null;
  readonly gone: boolean;
  readonly content: PaneContent | null;
  readonly help: boolean;
  readonly helpTop: number;
  readonly confirmQuit: boolean;
  /** A word on the last key, until the next. */
  readonly message: string | null;
  /** Digits typed before a movement. */
  readonly count: string;
  /** Why the last pull failed. */
  readonly failure: string | null;
}

export type ViewStore = StoreApi<ViewState>;

const TOPS: Readonly<Record<PaneId, number>> = {
  timeline: 0,
  params: 0,
  stdin: 0,
  response: 0,
  stderr: 0,
  records: 0,
  diagnosis: 0,
};
const MODES: Readonly<Record<PaneId, BodyMode>> = {
  timeline: 'pretty',
  params: 'pretty',
  stdin: 'pretty',
  response: 'pretty',
  stderr: 'pretty',
  records: 'pretty',
  diagnosis: 'pretty',
};

export function createViewStore(
  start: Pick<ViewState, 'columns' | 'rows' | 'filter'> & { follow: boolean },
): ViewStore {
  return createStore<ViewState>(() => ({
    columns: start.columns,
    rows: start.rows,
    overview: null,
    page: null,
    anchor: start.follow ? { kind: 'follow' } : { kind: 'position', position: 0, offset: 0 },
    selected: null,
    position: -1,
    filter: start.filter,
    filterEdit: null,
    order: 'n',
    reverse: false,
    focus: 'list',
    detailOpen: false,
    maximised: false,
    tab: 'timeline',
    tops: TOPS,
    modes: MODES,
    cursor: 0,
    hexTop: 0,
    exchange: null,
    gone: false,
    content: null,
    help: false,
    helpTop: 0,
    confirmQuit: false,
    message: null,
    count: '',
    failure: null,
  }));
}

/** What changes along with the selection: nothing of the last exchange may stay on the screen under the next one's number. */
export function selecting(state: ViewState, n: number | null): Partial<ViewState> {
  if (n === state.selected) return {};
  return { selected: n, exchange: null, gone: false, content: null, tops: TOPS, cursor: 0, hexTop: 0 };
}
