import { formatDuration } from '../model/quantity.js';
import { MICROSECONDS_PER_MILLISECOND, milliseconds, type Timestamp } from '../model/time.js';
import { clockTime } from './lines.js';

/** Times as they stand in logs: local, with the date where it is not obvious. */

/** `2026-09-10`, local; a time that no calendar has is left open. */
function day(at: Timestamp): string {
  const date = new Date(at / MICROSECONDS_PER_MILLISECOND);
  if (Number.isNaN(date.getTime())) return '----------';
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The time of day, with the date when it is another one than that of `reference`. */
export function dateTime(at: Timestamp, reference: Timestamp): string {
  return day(at) === day(reference) ? clockTime(at) : `${day(at)} ${clockTime(at)}`;
}

/** `2026-09-10 11:48:13 to 11:48:16 UTC+02:00 (2.51s)`; within a second `2026-09-10 11:48:13 UTC (52.5ms)`. */
export function span(first: Timestamp, last: Timestamp): string {
  const seconds = (at: Timestamp) => clockTime(at).slice(0, -'.000'.length);
  const begin = `${day(first)} ${seconds(first)}`;
  const end = day(last) === day(first) ? seconds(last) : `${day(last)} ${seconds(last)}`;
  const until = begin.endsWith(end) ? '' : ` to ${end}`;
  return `${begin}${until} ${zone(first)} (${formatDuration(milliseconds(first, last))})`;
}

/** Of the local clock at that time: `UTC+02:00`. */
function zone(at: Timestamp): string {
  const east = -new Date(at / MICROSECONDS_PER_MILLISECOND).getTimezoneOffset();
  if (Number.isNaN(east) || east === 0) return 'UTC';
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `UTC${east < 0 ? '-' : '+'}${two(Math.abs(east) / 60)}:${two(Math.abs(east) % 60)}`;
}
