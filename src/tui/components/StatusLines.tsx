import type { ReactNode } from 'react';
import { contextsOf, helpLength, helpRoom } from '../commands.js';
import { hints } from '../keymap.js';
import { cells, type Line, type Span } from '../paint.js';
import type { ViewState } from '../view-store.js';
import { useDrawing } from './drawing-context.js';
import { Rows } from './Rows.js';

/** Where one is and what is switched on; below it the keys that do something here. */
export function StatusLines({ state }: { state: ViewState }): ReactNode {
  const { painter } = useDrawing();
  const { columns } = state;
  const rows = [painter.row(statusLine(state), columns), painter.row(hintLine(state), columns)];
  return <Rows rows={rows} width={columns} height={2} />;
}

function statusLine(state: ViewState): Line {
  const { overview, page, position, anchor, order, reverse, filter, maximised, count, message } = state;
  if (state.confirmQuit) {
    const open = overview?.exchanges.open ?? 0;
    return [
      [` ${open} request${open === 1 ? ' is' : 's are'} still open, and may finish for 10 s. Quit? (y/n)`, 'warning'],
    ];
  }
  if (state.help) {
    const last = Math.min(helpLength(), state.helpTop + helpRoom(state));
    return [[` lines ${state.helpTop + 1} to ${last} of ${helpLength()}`, 'plain']];
  }
  const spans: Span[] = [[` [${position + 1}/${page?.shown ?? 0}]`, 'plain']];
  if (anchor.kind === 'follow' && overview?.live === true) spans.push([' [following]', 'good']);
  else if (overview?.live === true && state.focus === 'list') spans.push([' [G follows the newest]', 'dim']);
  if (filter !== '') spans.push([' [filtered]', 'plain']);
  if (order !== 'n' || reverse) spans.push([` [by ${order}${reverse ? ', reversed' : ''}]`, 'plain']);
  if (maximised) spans.push([' [maximised]', 'plain']);
  if (count !== '') spans.push([` ${count}`, 'bold']);
  if (message !== null) spans.push([`  ${message}`, 'note']);
  return spans;
}

function hintLine(state: ViewState): Line {
  const spans: Span[] = [];
  let room = state.columns - 1;
  for (const { keys, text } of hints(contextsOf(state))) {
    room -= cells(keys) + cells(text) + 3;
    if (room < 0) break;
    spans.push([` ${keys}`, 'key'], [` ${text} `, 'dim']);
  }
  return spans;
}
