import { diagnosis } from './diagnosis.js';
import type { Pane, PaneId } from './pane.js';
import { params } from './params.js';
import { records } from './records.js';
import { response, stderr, stdin } from './streams.js';
import { timeline } from './timeline.js';

/** The tabs of the detail, in the order of their keys. */
export const PANES: readonly Pane[] = [timeline, params, stdin, response, stderr, records, diagnosis];

export function paneOf(id: PaneId): Pane {
  return PANES.find((pane) => pane.id === id)!;
}
