import type { ReactNode } from 'react';
import type { Overview } from '../../model/inspection.js';
import { formatBytes, formatDuration } from '../../model/quantity.js';
import { progressText } from '../../model/source-progress.js';
import { cells, cut, type Line, type Span } from '../paint.js';
import type { ViewState } from '../view-store.js';
import { useDrawing } from './drawing-context.js';
import { Row } from './Row.js';

/** Where the traffic comes from, whether it still does, and how much of it there is. */
export function TitleLine({ state }: { state: ViewState }): ReactNode {
  const { painter } = useDrawing();
  return <Row text={painter.row(titleLine(state), state.columns)} />;
}

function titleLine({ overview, page, columns, filter }: ViewState): Line {
  const name: Span = [' fcgi-inspect ', 'title'];
  if (overview === null) return [name];
  const { exchanges } = overview;
  const shown = page?.shown ?? 0;
  const figures: Span[] = [
    stateOf(overview),
    [
      filter === ''
        ? `  ${exchanges.total} request${exchanges.total === 1 ? '' : 's'}`
        : `  ${shown}/${exchanges.total} shown`,
      'plain',
    ],
    [exchanges.open > 0 ? `  ${exchanges.open} open` : '', 'bold'],
    [overview.evicted > 0 ? `  evicted ${overview.evicted}` : '', 'warning'],
    [overview.spool.lost > 0 ? `  ${formatBytes(overview.spool.lost)} LOST` : '', 'error'],
    [page?.searching === true ? '  searching…' : '', 'note'],
  ];
  const rates: Span = [ratesOf(overview), 'plain'];
  const width = (spans: readonly Span[]): number => spans.reduce((total, [text]) => total + cells(text), 0);
  // The sources give way first: they are the longest and change least.
  const room = columns - width([name, ...figures, rates]) - 4;
  const sources = room >= 12 ? cut(overview.sources.join(', '), room) : '';
  const left: Span[] = [name, [sources === '' ? ' ' : ` ${sources}  `, 'bold'], ...figures];
  const space = columns - width(left) - width([rates]);
  return space < 1 ? left : [...left, [' '.repeat(space), 'plain'], rates];
}

function stateOf({ live, progress }: Overview): Span {
  if (!live) return [progress === null ? 'ended' : 'all read', 'dim'];
  return progress?.size == null ? ['LIVE', 'good'] : [progressText(progress), 'note'];
}

function ratesOf({ live, progress, requestsPerSecond, p95 }: Overview): string {
  const parts: string[] = [];
  // How fast a file is read is nobody's rate.
  if (live && progress === null) parts.push(`${Math.round(requestsPerSecond)} req/s`);
  if (p95 !== null) parts.push(`p95 ${formatDuration(p95)}`);
  return parts.length === 0 ? '' : ` ${parts.join('  ')} `;
}
