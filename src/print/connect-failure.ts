import type { ConnectFailure } from '../model/connection.js';
import { visibleText } from '../model/visible-text.js';

const REASONS: Readonly<Record<ConnectFailure['reason'], string>> = {
  refused: 'it refused the connection',
  missing: 'its socket does not exist',
  denied: 'access to its socket was denied',
  unreachable: 'its host could not be reached',
  'timed-out': 'it did not answer in time',
  'backlog-full': 'its queue of waiting connections was full',
  other: 'the system refused',
};

/** Why there was no connection to the backend, in a sentence without a full stop. */
export function failureWords(failure: ConnectFailure): string {
  return `the backend could not be reached: ${REASONS[failure.reason]} (${visibleText(failure.message)})`;
}
