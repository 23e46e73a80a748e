import { connectionEndWords } from '../../model/connection-end.js';
import { logWords } from '../../model/evidence-words.js';
import type { Exchange, RecordEntry } from '../../model/exchange.js';
import { type Inspection, RECORDS_PER_PAGE } from '../../model/inspection.js';
import type { LogLine } from '../../model/log-line.js';
import { formatBytes, formatDuration } from '../../model/quantity.js';
import { milliseconds, type Timestamp } from '../../model/time.js';
import { waitingWords } from '../../model/waiting.js';
import { fit, type Line, type Span, wrapWords } from '../paint.js';
import type { Pane, PaneContent, PaneLine, PaneView, PaneWant } from './pane.js';

/** Every record on a time axis: when, from whom, what, how much. The end of the connection stands at its place among them. */

export const timeline: Pane = {
  id: 'timeline',
  title: 'Timeline',
  picksRecords: true,
  hasModes: false,
  async load(inspection, want, had) {
    const page = await visibleRecords(inspection, want, want.height, had instanceof Timeline ? had.page : null);
    if (had instanceof Timeline && had.page === page && had.exchange === want.exchange) return had;
    const isSame = had instanceof Timeline && had.exchange === want.exchange;
    return new Timeline(want.exchange, page, isSame ? had.logs : await inspection.logs(want.exchange.n));
  },
};

/** A window of the records that is there, with the one before it: its time begins the first delta. */
export interface RecordWindow {
  readonly records: readonly RecordEntry[];
  readonly from: number;
  readonly total: number;
  /** The exchange as it was: records come and change as long as it does. */
  readonly exchange: Exchange;
}

/** More than is seen, so that a step does not fetch each time. */
const MARGIN = 50;

export async function visibleRecords(
  inspection: Inspection,
  want: PaneWant,
  rows: number,
  had: RecordWindow | null,
): Promise<RecordWindow> {
  // The line of a record is its index, or one more below the end of the connection.
  const first = Math.max(0, want.top - 2);
  const last = Math.min(want.top + rows, want.exchange.records.total);
  if (
    had?.exchange === want.exchange &&
    had.from <= first &&
    had.from + had.records.length >= Math.min(last, had.total)
  )
    return had;
  const from = Math.max(0, first - MARGIN);
  const count = Math.min(RECORDS_PER_PAGE, rows + 2 * MARGIN + 2);
  const page = await inspection.records(want.exchange.n, from, count);
  return { ...page, exchange: want.exchange };
}

class Timeline implements PaneContent {
  private readonly end: Timestamp;
  /** Index of the line that tells the end of the connection; -1 without one. */
  private readonly endLine: number;
  readonly records: number;

  constructor(
    readonly exchange: Exchange,
    readonly page: RecordWindow,
    /** Below the records: most logs tell the second only. */
    readonly logs: readonly LogLine[],
  ) {
    const { times, connectionEnd } = exchange;
    this.records = page.total;
    this.end = Math.max(times.begin, times.end ?? 0, times.lastStdout ?? 0, page.records.at(-1)?.at ?? 0);
    this.endLine = connectionEnd === null ? -1 : Math.min(connectionEnd.afterRecords, page.total);
  }

  extent(view: PaneView): number {
    return this.records + (this.endLine < 0 ? 0 : 1) + this.tail(view.width).length;
  }

  room(view: PaneView): number {
    return Math.max(1, view.height - 1);
  }

  lineOf(record: number): number {
    return this.endLine >= 0 && record >= this.endLine ? record + 1 : record;
  }

  lines(view: PaneView): PaneLine[] {
    const shown: PaneLine[] = [{ line: this.head(view.width) }];
    const tail = this.tail(view.width);
    const body = this.records + (this.endLine < 0 ? 0 : 1);
    for (let at = view.top; at < view.top + this.room(view) && at < body + tail.length; at++) {
      if (at >= body) shown.push({ line: tail[at - body]! });
      else if (at === this.endLine) shown.push({ line: this.endOfConnection() });
      else {
        const index = this.endLine >= 0 && at > this.endLine ? at - 1 : at;
        shown.push({ line: this.record(index, view.width), selected: index === view.cursor });
      }
    }
    return shown;
  }

  private head(width: number): Line {
    const axis = axisWidth(width);
    const span = formatDuration(milliseconds(this.exchange.times.begin, this.end));
    const scale = axis >= 12 ? `0${fit(span, axis - 1, 'right')}` : '';
    return [
      [
        `${fit('#', 5, 'right')} ${fit('delta', 9, 'right')} ${fit('at', 9, 'right')}   ${fit('record', 17)}${fit('bytes', 8, 'right')}  ${scale}`,
        'dim',
      ],
    ];
  }

  private record(index: number, width: number): Line {
    const entry = this.page.records[index - this.page.from];
    if (entry === undefined) return [[`${fit(String(index), 5, 'right')}  …`, 'dim']];
    const { begin } = this.exchange.times;
    const before = index === 0 ? begin : (this.page.records[index - this.page.from - 1]?.at ?? null);
    const toServer = entry.side === 'client';
    const spans: Span[] = [
      [`${fit(String(index), 5, 'right')} `, 'dim'],
      [`${fit(`+${formatDuration(milliseconds(before, entry.at))}`, 9, 'right')} `, 'plain'],
      [`${fit(formatDuration(milliseconds(begin, entry.at)), 9, 'right')} `, 'dim'],
      [`${toServer ? '→' : '←'} ${fit(entry.type, 17)}`, toServer ? 'request' : 'answer'],
      [
        fit(
          entry.contentLength === 0 && entry.streamOffset !== null ? 'end' : formatBytes(entry.contentLength),
          8,
          'right',
        ),
        'plain',
      ],
      ['  ', 'plain'],
      ...this.bar(before ?? entry.at, entry.at, axisWidth(width), toServer),
    ];
    if (entry.missing > 0) spans.push([` ${entry.missing} bytes missing`, 'error']);
    if (entry.problems.length > 0) spans.push([` ${entry.problems.join(', ')}`, 'error']);
    if (entry.summary !== '') spans.push([` ${entry.summary}`, 'plain']);
    return spans;
  }

  /** The wait since the record before, and the record at its end. */
  private bar(from: Timestamp, to: Timestamp, width: number, toServer: boolean): Span[] {
    if (width === 0) return [];
    const { begin } = this.exchange.times;
    const scale = this.end > begin ? (width - 1) / (this.end - begin) : 0;
    const place = (at: Timestamp): number => Math.max(0, Math.min(width - 1, Math.round((at - begin) * scale)));
    const [a, b] = [Math.min(place(from), place(to)), place(to)];
    return [
      [' '.repeat(a), 'plain'],
      ['╌'.repeat(b - a), 'dim'],
      ['■', toServer ? 'request' : 'answer'],
      [' '.repeat(width - 1 - b), 'plain'],
    ];
  }

  private endOfConnection(): Line {
    return [
      [fit('', 6), 'plain'],
      [`✕ ${connectionEndWords(this.exchange, null) ?? ''}`, 'warning'],
    ];
  }

  private tail(width: number): Line[] {
    const { exchange } = this;
    const lines: Line[] = [];
    if (exchange.outcome === null) {
      const { waiting } = exchange;
      lines.push([[`      … ${waiting === null ? 'still open' : waitingWords(waiting)}`, 'dim']]);
    }
    if (exchange.failure !== null)
      lines.push([[`      ✕ not connected: ${exchange.failure.message} (${exchange.failure.errno})`, 'error']]);
    for (const problem of exchange.problems)
      for (const [index, text] of wrapWords(`${problem.code}: ${problem.message}`, Math.max(20, width - 8)).entries())
        lines.push([[`${index === 0 ? '      ! ' : '        '}${text}`, 'error']]);
    if (exchange.records.problems > exchange.problems.length)
      lines.push([[`      ! and ${exchange.records.problems - exchange.problems.length} more problems`, 'error']]);
    for (const log of this.logs)
      for (const [index, text] of wrapWords(logWords(log), Math.max(20, width - 8)).entries())
        lines.push([[`${index === 0 ? '      ≡ ' : '        '}${text}`, log.isNamed ? 'plain' : 'dim']]);
    return lines;
  }
}

const FIXED_COLUMNS = 53;
/** Room for what is said of a record: `app status 0, request complete`. */
const SUMMARY = 30;
const AXIS_MIN = 12;
const AXIS_MAX = 60;

/** What the fixed columns and a summary leave; 0 when that is too little to read a time from. */
function axisWidth(width: number): number {
  const left = width - FIXED_COLUMNS;
  return left < AXIS_MIN + 4 ? 0 : Math.max(AXIS_MIN, Math.min(AXIS_MAX, left - SUMMARY));
}
