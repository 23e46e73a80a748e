import type { EndKind } from './connection.js';
import type { Exchange } from './exchange.js';
import { formatDuration } from './quantity.js';
import { milliseconds, type Timestamp } from './time.js';

const HOW: Readonly<Record<EndKind, string>> = {
  fin: 'closed the connection (FIN)',
  reset: 'reset the connection (RST)',
  timeout: 'fell silent for too long',
  'capture-end': 'was still connected when the capture ended',
};

/**
 * Who closed first, how, and after what: the question that brings most people here, in a sentence without a full stop. `the backend
 * reset the connection (RST) first, 12.3ms after STDOUT record 4 (record 7 of 7)`; null while both sides are open.
 * @param lastRecordAt when the last record before the end was seen; null when that is not known: then the time is the request's
 */
export function connectionEndWords(exchange: Exchange, lastRecordAt: Timestamp | null): string | null {
  const end = exchange.connectionEnd;
  if (end === null) return null;
  const place = placeWords(exchange, lastRecordAt);
  switch (end.endedBy) {
    case 'web-server':
      return `the web server ${HOW[end.how]} first, ${place}`;
    case 'backend':
      return `the backend ${HOW[end.how]} first, ${place}`;
    case 'timeout':
      return `nobody closed: the connection was silent for too long, ${place}`;
    case 'capture-end':
      return `nobody closed: the capture ended while the connection was open, ${place}`;
  }
}

function placeWords({ connectionEnd: end, times, records }: Exchange, lastRecordAt: Timestamp | null): string {
  if (end === null) return '';
  const sinceBegin = `${formatDuration(milliseconds(times.begin, end.at))} after the request began`;
  if (end.afterRecord === null) return `${sinceBegin}, before any record of this request`;
  const record = `after ${end.afterRecord} (record ${end.afterRecords} of ${records.total})`;
  const delta = milliseconds(lastRecordAt, end.at);
  return delta === null ? `${sinceBegin}, ${record}` : `${formatDuration(delta)} ${record}`;
}
