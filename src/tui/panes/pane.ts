import type { Exchange } from '../../model/exchange.js';
import type { Inspection } from '../../model/inspection.js';
import type { Line } from '../paint.js';

/**
 * A tab of the detail. A pane fetches what its visible part needs, and answers with its content: an immutable thing that can tell how
 * many lines there are and give those that are looked at. A new pane is a file here and a line in panes/index.ts.
 */

export type PaneId = 'timeline' | 'params' | 'stdin' | 'response' | 'stderr' | 'records' | 'diagnosis';

/** Decoded and laid out; the text as it came; bytes. */
export type BodyMode = 'pretty' | 'raw' | 'hex';

export interface Pane {
  readonly id: PaneId;
  readonly title: string;
  /** Its lines stand for records, one of which is selected; other panes only scroll. */
  readonly picksRecords: boolean;
  /** Its body can be shown in other ways. */
  readonly hasModes: boolean;
  /**
   * @param had what the last load of this pane gave for the same exchange, so that nothing needs to be fetched twice. Answering with
   *   the very same object says that nothing has changed.
   */
  load(inspection: Inspection, want: PaneWant, had: PaneContent | null): Promise<PaneContent>;
}

/** What is looked at. */
export interface PaneWant {
  readonly exchange: Exchange;
  readonly width: number;
  readonly height: number;
  /** The first line shown. */
  readonly top: number;
  /** The selected record. */
  readonly cursor: number;
  /** How far the hex dump under the records is scrolled, in lines. */
  readonly hexTop: number;
  readonly mode: BodyMode;
}

export type PaneView = Omit<PaneWant, 'exchange' | 'mode'>;

export interface PaneContent {
  /** How many lines there are to scroll through at this width, and how many of them are seen at once. */
  extent(view: PaneView): number;
  room(view: PaneView): number;
  /** What is seen, from `view.top` on: at most `view.height` lines, fixed ones among them. */
  lines(view: PaneView): readonly PaneLine[];
  /** For a pane that picks records: the line of a record, and how many records there are. */
  readonly records?: number;
  lineOf?(record: number): number;
  /** For a pane with a hex dump of its own below: how many lines it has, and how many are seen. */
  hex?(view: PaneView): { readonly extent: number; readonly room: number };
}

export interface PaneLine {
  readonly line: Line;
  readonly selected?: boolean;
}
