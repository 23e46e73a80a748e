import type { Outcome } from './exchange.js';

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

/** What became of a request, in a sentence. @param outcome null while it is open */
export function outcomeWords(outcome: Outcome | null): string {
  return outcome === null ? 'The request is still open.' : OUTCOMES[outcome];
}
