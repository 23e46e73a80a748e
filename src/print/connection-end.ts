import type { ConnectFailure } from '../model/connection.js';
import type { ConnectionEnd, Exchange } from '../model/exchange.js';
import { milliseconds, type Timestamp } from '../model/time.js';
import { visibleText } from '../model/visible-text.js';

/**
 * How the connection ended as far as this request met it, in a sentence without a full stop: `the backend reset the connection 12.3 ms
 * after STDOUT record 4`.
 * @param lastRecordAt when the last record before the end was seen; null when that is not known
 */
export function connectionEndWords(exchange: Exchange, lastRecordAt: Timestamp | null): string {
  if (exchange.failure !== null) return failureWords(exchange.failure);
  const end = exchange.connectionEnd;
  if (end === null) return 'the connection was still open when the request was over';
  return `${deedWords(end)} ${placeWords(end, lastRecordAt)}`;
}

function deedWords(end: ConnectionEnd): string {
  if (end.how === 'capture-end' || end.endedBy === 'capture-end') return 'the capture ended with the connection open';
  if (end.how === 'timeout' || end.endedBy === 'timeout') return 'nothing more was seen on the connection';
  const who = end.endedBy === 'backend' ? 'the backend' : 'the web server';
  return `${who} ${end.how === 'reset' ? 'reset' : 'closed'} the connection`;
}

function placeWords(end: ConnectionEnd, lastRecordAt: Timestamp | null): string {
  if (end.afterRecord === null) return 'before any record of this request';
  const delta = milliseconds(lastRecordAt, end.at);
  return delta === null ? `after ${end.afterRecord}` : `${delta.toFixed(1)} ms after ${end.afterRecord}`;
}

const REASONS: Readonly<Record<ConnectFailure['reason'], string>> = {
  refused: 'it refused the connection',
  missing: 'its socket does not exist',
  denied: 'access to its socket was denied',
  unreachable: 'its host could not be reached',
  'timed-out': 'it did not answer in time',
  'backlog-full': 'its queue of waiting connections was full',
  other: 'the system refused',
};

function failureWords(failure: ConnectFailure): string {
  return `the backend could not be reached: ${REASONS[failure.reason]} (${visibleText(failure.message)})`;
}
