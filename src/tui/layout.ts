import type { ViewState } from './view-store.js';

/** Where everything stands, from the size and the state alone: the puller fetches exactly the rows that the screen then shows. */

export const MIN_COLUMNS = 60;
export const MIN_ROWS = 16;
/** From here on the detail stands beside the list: half of it still shows every column that matters. */
const BESIDE_COLUMNS = 170;
/** Title and filter above; status and help below. */
const FRAME_ROWS = 4;
/** The column titles of the list; the tabs of the detail and the line that says which request it is. */
const LIST_HEAD = 1;
const DETAIL_HEAD = 2;

export interface Layout {
  readonly tooSmall: boolean;
  /** Rows between the filter line and the status line. */
  readonly body: number;
  readonly beside: boolean;
  /** Null when not shown. `height` counts without the head rows. */
  readonly list: Area | null;
  readonly detail: Area | null;
}

export interface Area {
  readonly width: number;
  readonly height: number;
}

export function layout(state: ViewState): Layout {
  const { columns, rows, detailOpen, maximised, focus } = state;
  const body = Math.max(1, rows - FRAME_ROWS);
  const area = (width: number, height: number): Area => ({ width, height: Math.max(1, height) });
  const base = { tooSmall: columns < MIN_COLUMNS || rows < MIN_ROWS, body, beside: false, list: null, detail: null };
  if (!detailOpen || (maximised && focus === 'list')) return { ...base, list: area(columns, body - LIST_HEAD) };
  if (maximised) return { ...base, detail: area(columns, body - DETAIL_HEAD) };
  if (columns >= BESIDE_COLUMNS) {
    const left = Math.floor(columns * 0.45);
    return {
      ...base,
      beside: true,
      list: area(left, body - LIST_HEAD),
      detail: area(columns - left - 1, body - DETAIL_HEAD),
    };
  }
  // The detail is what is read, the list is for finding one's way.
  const above = Math.max(3, Math.floor(body * 0.35) - LIST_HEAD);
  return {
    ...base,
    list: area(columns, above),
    detail: area(columns, body - above - LIST_HEAD - DETAIL_HEAD),
  };
}
