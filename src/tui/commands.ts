import type { RowOrder } from '../model/inspection.js';
import { filterError } from './filter-check.js';
import { type Command, helpSections, type KeyContext } from './keymap.js';
import { layout } from './layout.js';
import { PANES, paneOf } from './panes/index.js';
import type { BodyMode, PaneContent, PaneView } from './panes/pane.js';
import { selecting, type ViewState, type ViewStore } from './view-store.js';

/** What commands do to the view. Nothing here fetches: a command says what shall be looked at, the puller gets it. */

const ORDERS: readonly RowOrder[] = [
  'n',
  'time',
  'duration',
  'ttfb',
  'status',
  'method',
  'url',
  'size.in',
  'size.out',
  'finding',
];
const MODES: readonly BodyMode[] = ['pretty', 'raw', 'hex'];

/** What the application does beyond the view. */
export interface Effects {
  quit(): void;
  redraw(): void;
}

/** Where a key goes in this state, the most special first. */
export function contextsOf(state: ViewState): readonly KeyContext[] {
  if (state.confirmQuit) return ['quit'];
  if (state.filterEdit !== null) return ['filter'];
  if (state.help) return ['help', 'global'];
  if (state.focus === 'list') return ['list', 'global'];
  const pane = paneOf(state.tab);
  return [
    ...(pane.id === 'timeline' ? (['timeline'] as const) : []),
    ...(pane.picksRecords ? (['records'] as const) : []),
    ...(pane.hasModes ? (['body'] as const) : []),
    'detail',
    'global',
  ];
}

/** @param count the digits typed before a movement; null when there were none */
export function run(store: ViewStore, command: Command, count: number | null, effects: Effects): void {
  const state = store.getState();
  const times = count ?? 1;
  const set = (change: Partial<ViewState>): void => store.setState(change);
  switch (command) {
    case 'down':
      return set(move(state, times));
    case 'up':
      return set(move(state, -times));
    case 'page-down':
      return set(page(state, times));
    case 'page-up':
      return set(page(state, -times));
    case 'half-down':
      return set(page(state, times / 2));
    case 'half-up':
      return set(page(state, -times / 2));
    case 'top':
      return set(count === null ? toTop(state) : toNumber(state, count));
    case 'bottom':
      return set(count === null ? toBottom(state) : toNumber(state, count));
    case 'open':
      return set(open(state));
    case 'back':
      return set(back(state));
    case 'quit':
      return isWaitedFor(state.overview) ? set({ confirmQuit: true }) : effects.quit();
    case 'yes':
      return effects.quit();
    case 'no':
      return set({ confirmQuit: false });
    case 'next-pane':
      if (state.help) return;
      return set(state.focus === 'detail' ? { focus: 'list' } : open(state));
    case 'maximise':
      return set({ maximised: !state.maximised });
    case 'filter':
      return set({ filterEdit: { text: state.filter, cursor: [...state.filter].length } });
    case 'follow':
      if (state.anchor.kind !== 'follow') return set({ anchor: { kind: 'follow' } });
      return set(stay(state));
    case 'order':
      return set({ order: ORDERS[(ORDERS.indexOf(state.order) + 1) % ORDERS.length]! });
    case 'reverse':
      return set({ reverse: !state.reverse });
    case 'tab-1':
    case 'tab-2':
    case 'tab-3':
    case 'tab-4':
    case 'tab-5':
    case 'tab-6':
    case 'tab-7':
      return set(tab(state, Number(command.slice(4)) - 1));
    case 'next-tab':
      return set(tab(state, tabIndex(state) + 1));
    case 'previous-tab':
      return set(tab(state, tabIndex(state) - 1));
    case 'next-record':
      return set(moveRecord(state, times));
    case 'previous-record':
      return set(moveRecord(state, -times));
    case 'next-request':
      return set(moveRow(state, times));
    case 'previous-request':
      return set(moveRow(state, -times));
    case 'mode': {
      const mode = MODES[(MODES.indexOf(state.modes[state.tab]) + 1) % MODES.length]!;
      return set({
        modes: { ...state.modes, [state.tab]: mode },
        tops: { ...state.tops, [state.tab]: 0 },
        content: null,
      });
    }
    case 'help':
      return set({ help: true, helpTop: 0 });
    case 'redraw':
      return effects.redraw();
    case 'apply': {
      const edit = state.filterEdit;
      if (edit === null) return;
      // What is wrong with it already stands beside it.
      if (filterError(edit.text) !== null) return;
      return set({ filter: edit.text.trim(), filterEdit: null });
    }
    case 'cancel':
      return set({ filterEdit: null });
    case 'clear':
      return set({ filterEdit: { text: '', cursor: 0 } });
  }
}

/** The view of the pane that is open, as its content wants to be asked. */
export function paneView(state: ViewState): PaneView {
  const area = layout(state).detail ?? { width: 0, height: 0 };
  return { ...area, top: state.tops[state.tab], cursor: state.cursor, hexTop: state.hexTop };
}

/** The number of lines of the help screen. */
export function helpLength(): number {
  return helpSections().reduce((total, section) => total + section.entries.length + 2, 0);
}

/** How many of them the screen holds. */
export function helpRoom({ rows }: ViewState): number {
  return Math.max(1, rows - 2);
}

/** The line of the help that is first when its last one is shown. */
function helpEnd(state: ViewState): number {
  return Math.max(0, helpLength() - helpRoom(state));
}

function move(state: ViewState, by: number): Partial<ViewState> {
  if (state.help) return { helpTop: clamp(state.helpTop + by, 0, helpEnd(state)) };
  if (state.focus === 'list') return moveRow(state, by);
  return paneOf(state.tab).picksRecords ? moveRecord(state, by) : scroll(state, by);
}

function page(state: ViewState, pages: number): Partial<ViewState> {
  const { list } = layout(state);
  const step = (height: number): number => Math.sign(pages) * Math.max(1, Math.floor(height * Math.abs(pages)) - 1);
  if (state.help) return { helpTop: clamp(state.helpTop + step(helpRoom(state)), 0, helpEnd(state)) };
  if (state.focus === 'list') return moveRow(state, step(list?.height ?? 1), true);
  const hex = state.content?.hex?.(paneView(state));
  if (hex !== undefined) return { hexTop: clamp(state.hexTop + step(hex.room), 0, Math.max(0, hex.extent - hex.room)) };
  const by = step(state.content?.room(paneView(state)) ?? 1);
  return paneOf(state.tab).picksRecords ? moveRecord(state, by) : scroll(state, by);
}

function toTop(state: ViewState): Partial<ViewState> {
  if (state.help) return { helpTop: 0 };
  if (state.focus === 'list') return { anchor: { kind: 'position', position: 0, offset: 0 } };
  if (paneOf(state.tab).picksRecords)
    return { ...moveRecord(state, Number.NEGATIVE_INFINITY), tops: { ...state.tops, [state.tab]: 0 } };
  return scroll(state, Number.NEGATIVE_INFINITY);
}

function toBottom(state: ViewState): Partial<ViewState> {
  if (state.help) return { helpTop: helpEnd(state) };
  if (state.focus === 'list') return { anchor: { kind: 'follow' } };
  return paneOf(state.tab).picksRecords
    ? moveRecord(state, Number.POSITIVE_INFINITY)
    : scroll(state, Number.POSITIVE_INFINITY);
}

function toNumber(state: ViewState, n: number): Partial<ViewState> {
  if (state.help || state.focus !== 'list') return {};
  const height = layout(state).list?.height ?? 1;
  return { anchor: { kind: 'exchange', n, offset: Math.floor(height / 2) } };
}

/** @param keep the selection stays in its row of the screen, the list moves under it */
function moveRow(state: ViewState, by: number, keep = false): Partial<ViewState> {
  const { page, anchor } = state;
  if (page === null || page.shown === 0) return {};
  const height = layout(state).list?.height ?? 1;
  const from = anchor.kind === 'position' ? anchor.position : Math.max(0, state.position);
  const offset = anchor.kind === 'position' ? anchor.offset : from - page.from;
  const position = clamp(from + by, 0, page.shown - 1);
  const wanted = clamp(keep ? offset : offset + position - from, 0, Math.min(height - 1, position));
  const row = page.rows[position - page.from];
  if (row === undefined || position - page.from !== wanted)
    return { anchor: { kind: 'position', position, offset: wanted } };
  return { anchor: { kind: 'exchange', n: row.n, offset: wanted }, position, ...selecting(state, row.n) };
}

function moveRecord(state: ViewState, by: number): Partial<ViewState> {
  const { content } = state;
  // What is not there yet has no end: the puller brings the selection back to it.
  const last = content?.records === undefined ? Number.MAX_SAFE_INTEGER : Math.max(0, content.records - 1);
  const cursor = clamp(state.cursor + by, 0, last);
  const hexTop = cursor === state.cursor ? state.hexTop : 0;
  if (content === null) return { cursor, hexTop };
  return { cursor, hexTop, ...showing(state, content, cursor) };
}

/** The first line that has to be shown so that the record is, and that there is something to show at all. */
export function showing(state: ViewState, content: PaneContent, cursor: number): Partial<ViewState> {
  const view = paneView(state);
  const room = content.room(view);
  const end = Math.max(0, content.extent(view) - room);
  let top = Math.min(view.top, end);
  if (content.lineOf !== undefined && content.records !== undefined) {
    const line = content.lineOf(cursor);
    top = clamp(top, line - room + 1, line);
    // The last record takes what follows it along.
    if (cursor === content.records - 1) top = Math.max(top, Math.min(line, end));
  }
  return top === view.top ? {} : { tops: { ...state.tops, [state.tab]: Math.max(0, top) } };
}

function scroll(state: ViewState, by: number): Partial<ViewState> {
  const { content } = state;
  const view = paneView(state);
  const last = content === null ? Number.MAX_SAFE_INTEGER : Math.max(0, content.extent(view) - content.room(view));
  return { tops: { ...state.tops, [state.tab]: clamp(view.top + by, 0, last) } };
}

function open(state: ViewState): Partial<ViewState> {
  if (state.selected === null) return {};
  if (state.focus === 'detail')
    return tab(
      state,
      PANES.findIndex((pane) => pane.id === 'records'),
    );
  return { detailOpen: true, focus: 'detail', ...stay(state) };
}

function back(state: ViewState): Partial<ViewState> {
  if (state.help) return { help: false };
  if (state.focus === 'detail') return { focus: 'list', maximised: false };
  if (state.detailOpen) return { detailOpen: false, maximised: false };
  return { message: 'Q quits' };
}

/** Whether quitting would wait for requests, which pass through us: those of a capture do not. */
function isWaitedFor(overview: ViewState['overview']): boolean {
  return overview?.live === true && overview.progress === null && overview.exchanges.open > 0;
}

/** Ends following: the list stays with the exchange that is selected now. */
function stay(state: ViewState): Partial<ViewState> {
  if (state.anchor.kind !== 'follow') return {};
  if (state.selected === null || state.page === null) return { anchor: { kind: 'position', position: 0, offset: 0 } };
  return { anchor: { kind: 'exchange', n: state.selected, offset: Math.max(0, state.position - state.page.from) } };
}

function tab(state: ViewState, index: number): Partial<ViewState> {
  const pane = PANES[(index + PANES.length) % PANES.length]!;
  return pane.id === state.tab ? {} : { tab: pane.id, content: null };
}

function tabIndex(state: ViewState): number {
  return PANES.findIndex((pane) => pane.id === state.tab);
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
