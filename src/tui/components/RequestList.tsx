import type { ReactNode } from 'react';
import { emptyLines } from '../empty.js';
import type { Area } from '../layout.js';
import { listColumns } from '../list-columns.js';
import type { ViewState } from '../view-store.js';
import { useDrawing } from './drawing-context.js';
import { Rows } from './Rows.js';

export interface RequestListProps {
  readonly state: ViewState;
  readonly area: Area;
}

/** The window of the list that was fetched, under its column titles. */
export function RequestList({ state, area }: RequestListProps): ReactNode {
  const { painter } = useDrawing();
  const { page, selected, order, reverse, focus } = state;
  const columns = listColumns(area.width);
  const rows = [painter.row(columns.head(order, reverse), area.width)];
  for (const row of page?.rows.slice(0, area.height) ?? [])
    rows.push(
      painter.row(
        columns.row(row),
        area.width,
        row.n === selected ? (focus === 'list' ? 'selected' : 'selected-away') : undefined,
      ),
    );
  if (page?.shown === 0) for (const line of emptyLines(state)) rows.push(painter.row(line, area.width));
  return <Rows rows={rows} width={area.width} height={area.height + 1} />;
}
