import type { EndKind } from '../../model/connection.js';
import type { Exchange, Outcome } from '../../model/exchange.js';
import { formatDuration } from '../../model/quantity.js';
import { milliseconds } from '../../model/time.js';

/** Who closed first, how, and after what: the question that brings most people here, answered in words. */

const HOW: Readonly<Record<EndKind, string>> = {
  fin: 'closed the connection (FIN)',
  reset: 'reset the connection (RST)',
  timeout: 'fell silent for too long',
  'capture-end': 'was still connected when the capture ended',
};

/** One sentence without a full stop; null while both sides are open. */
export function connectionEndWords(exchange: Exchange): string | null {
  const end = exchange.connectionEnd;
  if (end === null) return null;
  const when = `${formatDuration(milliseconds(exchange.times.begin, end.at))} after the request began`;
  const after =
    end.afterRecord === null
      ? 'before any record of this request'
      : `after ${end.afterRecord} (record ${end.afterRecords} of ${exchange.records.total})`;
  switch (end.endedBy) {
    case 'web-server':
      return `the web server ${HOW[end.how]} first, ${when}, ${after}`;
    case 'backend':
      return `the backend ${HOW[end.how]} first, ${when}, ${after}`;
    case 'timeout':
      return `nobody closed: the connection was silent for too long, ${after}`;
    case 'capture-end':
      return `nobody closed: the capture ended while the connection was open, ${after}`;
  }
}

const OUTCOMES: Readonly<Record<Outcome, string>> = {
  completed: 'The request was completed: the backend sent END_REQUEST with REQUEST_COMPLETE.',
  rejected: 'The backend refused the request in its END_REQUEST.',
  aborted: 'The web server sent ABORT_REQUEST: it no longer wanted the answer.',
  'backend-closed': 'The backend closed the connection before it sent END_REQUEST.',
  'backend-reset': 'The backend reset the connection before it sent END_REQUEST.',
  'web-server-closed': 'The web server closed the connection first and did not take the whole answer.',
  'web-server-reset': 'The web server reset the connection first and did not take the whole answer.',
  'not-connected': 'The backend could not be reached: the request never got there.',
  unfinished: 'We stopped looking while the request was still open.',
  undecodable: 'The bytes could not be read as FastCGI to the end of the request.',
};

/** What became of the request, in a sentence. */
export function outcomeWords(exchange: Exchange): string {
  return exchange.outcome === null ? 'The request is still open.' : OUTCOMES[exchange.outcome];
}
