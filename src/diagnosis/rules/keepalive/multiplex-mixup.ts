import type { Exchange } from '../../../model/exchange.js';
import { formatDuration } from '../../../model/quantity.js';
import { milliseconds } from '../../../model/time.js';
import { defineRule } from '../../rule.js';

/** Shorter waits have many reasons, milliseconds. */
const LONG = 500;
/** The next one of a connection is taken up this soon, and then the script runs, milliseconds. */
const SOON = 50;

export const multiplexMixup = defineRule({
  id: 'multiplex-mixup',
  severity: 'warning',
  title: 'Requests share a connection, and the backend answers them one after the other',
  meaning:
    'The web server sent several requests over one connection at the same time, and the application can only do one at a time on it: a quick request waits for a slow one, though other workers are free.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    haproxy: [
      'no option mpxs-conns in the fcgi-app section: it is the one web server that shares connections so.',
      'option get-values in the fcgi-app section asks the backend first whether it can.',
    ],
    'php-fpm': ['It cannot, and there is no setting for it: the web server must not share its connections.'],
    libfcgi: ['It cannot, and there is no setting for it: the web server must not share its connections.'],
  },
  alternatives: [{ cause: 'The script itself is slow.', tell: 'It is slow when it has a connection for itself, too.' }],
  look: ['The requests on the same connection: do their first bytes come one after the end of the other?'],
  needs: ['surroundings'],
  absence: 'server',
  seen: ['HAProxy → PHP-FPM'],
  check(exchange, surroundings) {
    if (surroundings === null || surroundings.openBeside === 0) return null;
    const { freedBeside, usualWait, openBeside } = surroundings;
    const { times } = exchange;
    const waited = milliseconds(times.begin, times.firstStdout ?? times.end) ?? 0;
    if (waited < LONG || !(times.firstStdout === null ? isSilent(exchange) : isNext(freedBeside, usualWait)))
      return null;
    const others = openBeside === 1 ? 'another request' : `${openBeside} others`;
    const end =
      times.firstStdout === null
        ? 'without an answer'
        : `until ${formatDuration(freedBeside)} after an end on its connection`;
    return {
      detail: `It was sent while ${others} on its connection had no end yet, and waited ${formatDuration(waited)}, ${end}.`,
      evidence: [{ kind: 'time', milliseconds: waited }],
    };
  },
});

function isNext(freedBeside: number | null, usualWait: number | null): boolean {
  return freedBeside !== null && freedBeside <= SOON + 2 * (usualWait ?? 0);
}

function isSilent({ outcome, streams }: Exchange): boolean {
  const givenUp = outcome === 'web-server-closed' || outcome === 'web-server-reset' || outcome === 'aborted';
  return givenUp && streams.stderr.records === 0;
}
