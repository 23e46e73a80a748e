import type { ReactNode } from 'react';
import { filterError } from '../filter-check.js';
import { cells, cut, type Line, type Span } from '../paint.js';
import type { FilterEdit, ViewState } from '../view-store.js';
import { useDrawing } from './drawing-context.js';
import { Row } from './Row.js';

/** The display filter, or the line in which it is edited; at its right what is wrong, with it or with the session. */
export function FilterLine({ state }: { state: ViewState }): ReactNode {
  const { painter } = useDrawing();
  const line = state.filterEdit === null ? filterLine(state) : editLine(state.filterEdit, state.columns);
  return <Row text={painter.row(line, state.columns)} />;
}

const LABEL = ' filter: ';
/** Cells of the edited text that stay visible whatever the complaint. */
const EDIT_MIN = 24;

function filterLine({ filter, columns, overview, failure }: ViewState): Line {
  const trouble = failure ?? overview?.spool.error ?? overview?.warnings.at(-1) ?? '';
  const text = cut(filter === '' ? 'none' : filter, columns - LABEL.length - 1);
  const left: Span[] = [
    [LABEL, 'dim'],
    [text, filter === '' ? 'dim' : 'bold'],
  ];
  return withRight(left, LABEL.length + cells(text), trouble, failure === null ? 'warning' : 'error', columns);
}

function editLine({ text, cursor }: FilterEdit, columns: number): Line {
  const complaint = filterError(text);
  const verdict = complaint === null ? '[valid]' : `column ${complaint.at + 1}: ${complaint.message}`;
  const points = [...text];
  const room = Math.max(EDIT_MIN, columns - LABEL.length - Math.min(cells(verdict), columns / 2) - 3);
  // The cursor stays in sight: a long text is shown from further on.
  let from = 0;
  while (cells(points.slice(from, cursor).join('')) > room - 2) from++;
  const left: Span[] = [
    [LABEL, 'bold'],
    [points.slice(from, cursor).join(''), 'plain'],
    [points[cursor] ?? ' ', 'selected'],
  ];
  const used = left.reduce((total, [piece]) => total + cells(piece), 0);
  const after = cut(points.slice(cursor + 1).join(''), Math.max(0, LABEL.length + room - used));
  left.push([after, 'plain']);
  return withRight(left, used + cells(after), verdict, complaint === null ? 'good' : 'error', columns);
}

function withRight(left: readonly Span[], used: number, right: string, style: Span[1], columns: number): Line {
  const room = columns - used - 3;
  if (right === '' || room < 8) return left;
  const text = cut(right, room);
  return [...left, [' '.repeat(columns - used - cells(text) - 1), 'plain'], [text, style]];
}
