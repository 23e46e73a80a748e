import type { ExchangeRow, Outcome } from '../model/exchange.js';
import type { RowOrder } from '../model/inspection.js';
import { formatBytes, formatDuration } from '../model/quantity.js';
import { MICROSECONDS_PER_MILLISECOND } from '../model/time.js';
import { waitingShort } from '../model/waiting.js';
import { fit, type Line, type Span, type Style } from './paint.js';
import { statusStyle } from './panes/streams.js';

/** The columns of the request list: which there is room for, and what stands in them. */

interface Column {
  readonly title: string;
  /** 0: takes what the others leave. */
  readonly width: number;
  readonly align: 'left' | 'right';
  /** The order that it shows, for the arrow beside its title. */
  readonly order: RowOrder | null;
  readonly text: (row: ExchangeRow, width: number) => string;
  readonly style: (row: ExchangeRow) => Style;
}

/** The URL is what a request is known by: no column may make it narrower than this. */
const URL_MIN = 24;
/** From here on the URL shows the host as well. */
const URL_WITH_HOST = 50;

const n: Column = column('n', 6, 'right', 'n', (row) => String(row.n), 'dim');
const time: Column = column('time', 12, 'left', 'time', (row) => clock(row.at), 'dim');
const place: Column = column('conn/id', 8, 'right', null, (row) => `${row.connection}/${row.requestId}`, 'dim');
const method: Column = column('method', 7, 'left', 'method', (row) => row.method ?? '-', 'plain');
const url: Column = { ...column('url', 0, 'left', 'url', () => '', 'plain'), text: urlText };
const status: Column = {
  ...column('status', 10, 'left', 'status', statusText, 'plain'),
  style: (row) => (row.outcome === null ? 'note' : row.outcome === 'completed' ? statusStyle(row.status) : 'error'),
};
const sizeIn: Column = column('in', 7, 'right', 'size.in', (row) => formatBytes(row.sizeIn), 'plain');
const sizeOut: Column = column('out', 7, 'right', 'size.out', (row) => formatBytes(row.sizeOut), 'plain');
const ttfb: Column = column('ttfb', 7, 'right', 'ttfb', (row) => formatDuration(row.ttfb), 'plain');
const total: Column = column(
  'total',
  7,
  'right',
  'duration',
  (row) => formatDuration(row.total ?? soFar(row)),
  'plain',
);
const finding: Column = {
  ...column('finding', 18, 'left', 'finding', findingText, 'plain'),
  style: (row) => row.severity ?? 'plain',
};
const longFinding: Column = { ...finding, width: 30 };

/** An open request has no total yet; how long it has been open is what one looks for when a site hangs. Milliseconds. */
function soFar(row: ExchangeRow): number | null {
  return row.outcome === null ? Math.max(0, Date.now() - row.at / MICROSECONDS_PER_MILLISECOND) : null;
}

/** In the order in which they stand. */
const ALL: readonly Column[] = [n, time, place, method, url, status, sizeIn, sizeOut, ttfb, total, finding];
/** In the order in which they are given room. */
const WANTED: readonly Column[] = [n, url, status, total, method, finding, sizeOut, ttfb, time, sizeIn, place];

export interface ListColumns {
  head(order: RowOrder, reverse: boolean): Line;
  row(row: ExchangeRow): Line;
}

export function listColumns(width: number): ListColumns {
  let room = width - 1 - URL_MIN;
  const taken = new Set<Column>([url]);
  for (const wanted of WANTED) {
    if (wanted === url || wanted.width + 1 > room) continue;
    taken.add(wanted);
    room -= wanted.width + 1;
  }
  const grown = taken.has(place) && room >= longFinding.width - finding.width ? longFinding : finding;
  const shown = ALL.filter((one) => taken.has(one)).map((one) => (one === finding ? grown : one));
  const fixed = shown.reduce((sum, one) => sum + (one === url ? 0 : one.width + 1), 0);
  const widthOf = (one: Column): number => (one === url ? Math.max(1, width - 1 - fixed) : one.width);
  return {
    head: (order, reverse) => [
      [' ', 'dim'],
      ...shown.map(
        (one, at): Span => [
          cell(
            one,
            one.title + (one.order === order ? (reverse ? '↓' : '↑') : ''),
            widthOf(one),
            at === shown.length - 1,
          ),
          one.order === order ? 'bold' : 'dim',
        ],
      ),
    ],
    row: (row) => [
      [mark(row), row.severity ?? 'plain'],
      ...shown.map(
        (one, at): Span => [
          cell(one, one.text(row, widthOf(one)), widthOf(one), at === shown.length - 1),
          one.style(row),
        ],
      ),
    ],
  };
}

function cell(one: Column, text: string, width: number, last: boolean): string {
  return fit(text, width, one.align) + (last ? '' : ' ');
}

/** Seen without colours as well. */
function mark(row: ExchangeRow): string {
  return row.severity === 'error' ? '!' : row.severity === 'warning' ? '~' : ' ';
}

const OUTCOMES: Readonly<Record<Exclude<Outcome, 'completed'>, string>> = {
  rejected: 'rejected',
  aborted: 'aborted',
  'backend-closed': 'be-closed',
  'backend-reset': 'be-reset',
  'web-server-closed': 'ws-closed',
  'web-server-reset': 'ws-reset',
  'not-connected': 'no-connect',
  unfinished: 'unfinished',
  undecodable: 'undecoded',
};

function statusText(row: ExchangeRow): string {
  if (row.outcome === null) return `${row.status ?? ''}…`;
  if (row.outcome !== 'completed') return OUTCOMES[row.outcome];
  return row.status === null ? (row.role === 'responder' ? 'no head' : row.role) : String(row.status);
}

function urlText(row: ExchangeRow, width: number): string {
  if (row.url === null) return row.script ?? '-';
  const bare = row.url.replace(/^[a-z]+:\/\//i, '');
  if (width >= URL_WITH_HOST) return bare;
  const path = bare.indexOf('/');
  return path < 0 ? bare : bare.slice(path);
}

/** What was found; of an open request also what it waits for, in so far as there is room. */
function findingText(row: ExchangeRow, width: number): string {
  const { findings, problems, waiting } = row;
  const [first, ...more] = findings;
  const wait = waiting === null || waiting.milliseconds < WAIT_SHOWN ? '' : waitingShort(waiting);
  if (first !== undefined) {
    const found = more.length === 0 ? first : `${first} +${more.length}`;
    return wait !== '' && found.length + wait.length + 2 <= width ? `${found}: ${wait}` : found;
  }
  if (wait !== '') return wait;
  return problems > 0 ? `${problems} problem${problems === 1 ? '' : 's'}` : '';
}

/** Milliseconds: below that every request waits for something, and the column would only flicker. */
const WAIT_SHOWN = 1_000;

/** The wall clock here, to the millisecond. */
function clock(at: number): string {
  const date = new Date(at / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

function column(
  title: string,
  width: number,
  align: Column['align'],
  order: RowOrder | null,
  text: Column['text'],
  style: Style,
): Column {
  return { title, width, align, order, text, style: () => style };
}
