import type { ReactNode } from 'react';
import { formatBytes, formatDuration } from '../../model/quantity.js';
import { milliseconds } from '../../model/time.js';
import { paneView } from '../commands.js';
import type { Area } from '../layout.js';
import { cells, type Line, type Span } from '../paint.js';
import { PANES } from '../panes/index.js';
import type { Pane } from '../panes/pane.js';
import { statusStyle } from '../panes/streams.js';
import type { ViewState } from '../view-store.js';
import { useDrawing } from './drawing-context.js';
import { Rows } from './Rows.js';

export interface DetailProps {
  readonly state: ViewState;
  readonly area: Area;
}

/** The selected request: its tabs, a line that says which one it is, and the open tab's lines. */
export function Detail({ state, area }: DetailProps): ReactNode {
  const { painter } = useDrawing();
  const rows = [painter.row(tabLine(state, area.width), area.width), painter.row(summaryLine(state), area.width)];
  if (state.gone) rows.push(painter.row([['This request is no longer kept.', 'warning']], area.width));
  else
    for (const { line, selected } of state.content?.lines(paneView(state)) ?? [])
      rows.push(painter.row(line, area.width, selected === true ? selectedStyle(state) : undefined));
  return <Rows rows={rows} width={area.width} height={area.height + 2} />;
}

function selectedStyle(state: ViewState): 'selected' | 'selected-away' {
  return state.focus === 'detail' ? 'selected' : 'selected-away';
}

function tabLine(state: ViewState, width: number): Line {
  const build = (separator: string, numbers: boolean): Line => [
    ['─', 'dim'],
    ...PANES.flatMap((pane, at): Span[] => [
      [at === 0 ? '' : separator, 'dim'],
      [
        `${separator === '' ? '' : ' '}${numbers ? `${at + 1} ` : ''}${pane.title}${sign(pane, state)} `,
        pane.id === state.tab ? selectedStyle(state) : 'plain',
      ],
    ]),
  ];
  const widthOf = (line: Line): number => line.reduce((total, [text]) => total + cells(text), 0);
  const [wide, narrow, tight] = [build('│', true), build('', true), build('', false)];
  const line = widthOf(wide) <= width ? wide : widthOf(narrow) <= width ? narrow : tight;
  const place = placeWords(state);
  const room = width - widthOf(line) - cells(place);
  return [...line, ['─'.repeat(Math.max(0, room)), 'dim'], [room < 0 ? '' : place, 'dim']];
}

/** Which lines of how many are seen; nothing when all are. */
function placeWords(state: ViewState): string {
  const { content } = state;
  if (content === null || state.gone) return '';
  const view = paneView(state);
  const extent = content.extent(view);
  const room = content.room(view);
  if (extent <= room) return '';
  return ` ${view.top + 1}-${Math.min(extent, view.top + room)}/${extent} `;
}

/** A tab with something in it that one would not expect shows it. */
function sign(pane: Pane, { exchange }: ViewState): string {
  if (exchange === null) return '';
  if (pane.id === 'stdin') return exchange.streams.stdin.bytes > 0 ? '•' : '';
  if (pane.id === 'stderr') return exchange.streams.stderr.bytes > 0 ? '•' : '';
  if (pane.id === 'diagnosis') return exchange.findings.length > 0 || exchange.records.problems > 0 ? '!' : '';
  return '';
}

function summaryLine({ exchange, selected }: ViewState): Line {
  if (exchange === null) return [[` #${selected ?? ''}`, 'dim']];
  const { response, outcome, times, streams } = exchange;
  const spans: Span[] = [
    [` #${exchange.n} `, 'dim'],
    [`${exchange.method ?? exchange.role} ${exchange.url ?? exchange.script ?? ''} `, 'bold'],
  ];
  if (response !== null) spans.push([`${response.status ?? 'no status'} `, statusStyle(response.status)]);
  if (outcome === null) spans.push(['open ', 'note']);
  else if (outcome !== 'completed') spans.push([`${outcome} `, 'error']);
  if (exchange.appStatus !== null && exchange.appStatus !== 0)
    spans.push([`app status ${exchange.appStatus} `, 'warning']);
  spans.push([
    `in ${formatBytes(streams.stdin.bytes)}, out ${formatBytes(streams.stdout.bytes)}, ${formatDuration(milliseconds(times.begin, times.end))}`,
    'plain',
  ]);
  if (exchange.role !== 'responder') spans.push([`, ${exchange.role}`, 'plain']);
  spans.push([
    `, conn ${exchange.connection}/${exchange.requestId}${exchange.keepConnection === true ? ' kept' : ''}`,
    'dim',
  ]);
  return spans;
}
