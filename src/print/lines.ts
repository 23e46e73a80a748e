import type { ExchangeRow } from '../model/exchange.js';
import type { OutputOptions, RowOutput } from '../model/output.js';
import { redactUrl } from '../model/redaction.js';
import { MICROSECONDS_PER_MILLISECOND, type Timestamp } from '../model/time.js';
import { visibleText } from '../model/visible-text.js';
import { outcomeColour, type Paint, paint, severityColour, statusColour } from './style.js';

export interface PrintOptions extends OutputOptions {
  readonly color: boolean;
  /** Columns of the terminal; null, or left out, for a pipe or file, where nothing is cut. */
  readonly width?: number | null;
  /** A line with the columns' names comes first; by default there is none. */
  readonly header?: boolean;
}

/**
 * One line a request, ten fields without blanks in them, so that `awk '$10 != "-"'` or `$9 > 200` work: time of day (local),
 * connection/request id, status (the outcome, when it is not `completed`), method, URL, bytes in and out, milliseconds to the first
 * STDOUT and in all, and the worst finding's id. What is not known is `-`.
 */
export function lines(options: PrintOptions): RowOutput {
  let headed = options.header !== true;
  return {
    async rows(rows) {
      let text = headed ? '' : `${headerLine(options)}\n`;
      headed = true;
      for (const row of rows) text += `${requestLine(row, options)}\n`;
      await options.write(text);
    },
    async end() {},
  };
}

/** Widths at which ordinary traffic is aligned in 100 columns; a field that needs more takes it from the URL. */
const WIDTHS = { time: 12, id: 6, status: 3, method: 4, in: 7, out: 8, ttfb: 7, total: 8, finding: 12 } as const;
const BLANKS = 9;
/** What all but the URL and the finding take when nothing needs more than its width, the blanks between the figures among it. */
const ALIGNED =
  WIDTHS.time + WIDTHS.id + WIDTHS.status + WIDTHS.method + WIDTHS.in + WIDTHS.out + WIDTHS.ttfb + WIDTHS.total + 3;
const FIXED = Object.values(WIDTHS).reduce((sum, width) => sum + width, BLANKS);
/** On a pipe the URL is never cut; padded to this, most lines stay aligned. */
const URL_PADDED = 48;
const URL_LEAST = 12;
/** Methods and ids are a few letters; a hostile one does not get the whole line. */
const FIELD_LONGEST = 64;

export function requestLine(row: ExchangeRow, options: Pick<PrintOptions, 'color' | 'width' | 'redact'>): string {
  const colours = paint(options.color);
  const { status, outcome, url } = row;
  const plain = outcome === 'completed' && status !== null;
  return layOut(
    {
      time: clockTime(row.at),
      id: `${row.connection}/${row.requestId}`,
      status: plain ? String(status) : (outcome ?? 'open'),
      method: field(row.method, FIELD_LONGEST),
      url: field(url !== null && options.redact ? redactUrl(url) : url, Number.POSITIVE_INFINITY),
      in: String(row.sizeIn),
      out: String(row.sizeOut),
      ttfb: figure(row.ttfb),
      total: figure(row.total),
      finding: row.findings[0] ?? '-',
    },
    options.width ?? null,
    options.color
      ? (column, cell) => {
          if (column === 'time') return colours('dim', cell);
          if (column === 'status') return colours(plain ? statusColour(status) : outcomeColour(outcome), cell);
          return colours(severityColour(row.severity), cell);
        }
      : plainly,
  );
}

function headerLine(options: PrintOptions): string {
  const bold: Paint = paint(options.color);
  const names = { time: 'time', id: 'con/id', status: 'st', method: 'meth', url: 'url', in: 'in', out: 'out' };
  return bold(
    'bold',
    layOut({ ...names, ttfb: 'ttfb/ms', total: 'total/ms', finding: 'finding' }, options.width ?? null),
  );
}

type Cells = Readonly<Record<keyof typeof WIDTHS | 'url', string>>;
type Colouring = (column: keyof Cells, cell: string) => string;

/** Written out column by column: this runs for each request of busy traffic. */
function layOut(text: Cells, width: number | null, coloured: Colouring = plainly): string {
  const finding = width === null ? text.finding : cutEnd(text.finding, WIDTHS.finding);
  const time = text.time.padEnd(WIDTHS.time);
  const id = text.id.padEnd(WIDTHS.id);
  const status = text.status.padEnd(WIDTHS.status);
  const method = text.method.padEnd(WIDTHS.method);
  const figures = `${text.in.padStart(WIDTHS.in)} ${text.out.padStart(WIDTHS.out)} ${text.ttfb.padStart(WIDTHS.ttfb)} ${text.total.padStart(WIDTHS.total)}`;
  const taken = time.length + id.length + status.length + method.length + figures.length - ALIGNED;
  const room = Math.max(URL_LEAST, (width === null ? URL_PADDED : width - FIXED) - taken);
  const url = (width === null ? text.url : cutMiddle(text.url, room)).padEnd(room);
  return `${coloured('time', time)} ${id} ${coloured('status', status)} ${method} ${url} ${figures} ${coloured('finding', finding)}`;
}

const plainly: Colouring = (_column, cell) => cell;

/** One field for awk: visible, without blanks, never empty. */
function field(text: string | null, longest: number): string {
  return visibleText(text ?? '', longest).replaceAll(' ', BLANK) || '-';
}

/** Its picture, in the row of visible-text's. */
const BLANK = '\u2420';

/** Milliseconds with one decimal, so that the column compares as numbers. */
function figure(ms: number | null): string {
  return ms === null ? '-' : ms.toFixed(1);
}

/** Local time of day with milliseconds. A time that no calendar has is left open. */
export function clockTime(at: Timestamp): string {
  const whole = Math.floor(at / MICROSECONDS_PER_MILLISECOND);
  const second = Math.floor(whole / MILLISECONDS_PER_SECOND);
  // Asking the calendar takes longer than the rest of a line, and neighbours are of the same second.
  if (second !== latest.second) {
    latest.text = secondText(second);
    latest.second = second;
  }
  if (latest.text === null) return '--:--:--.---';
  return `${latest.text}.${String(whole - second * MILLISECONDS_PER_SECOND).padStart(3, '0')}`;
}

const MILLISECONDS_PER_SECOND = 1_000;
const latest: { second: number; text: string | null } = { second: Number.NaN, text: null };

function secondText(second: number): string | null {
  const date = new Date(second * MILLISECONDS_PER_SECOND);
  if (Number.isNaN(date.getTime())) return null;
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function cutEnd(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** A URL tells most at both ends; the usual scheme goes first. */
function cutMiddle(url: string, length: number): string {
  if (url.length <= length) return url;
  const characters = Array.from(url.replace(/^http:\/\//, ''));
  if (characters.length <= length) return characters.join('');
  const head = Math.ceil((length - 1) / 3);
  return `${characters.slice(0, head).join('')}…${characters.slice(characters.length - (length - 1 - head)).join('')}`;
}
