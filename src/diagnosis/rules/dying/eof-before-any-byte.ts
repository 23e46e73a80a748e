import { milliseconds } from '../../../model/time.js';
import { defineRule } from '../../rule.js';

export const eofBeforeAnyByte = defineRule({
  id: 'eof-before-any-byte',
  severity: 'error',
  title: 'The backend closed the connection without an answer',
  meaning: 'The backend closed the connection without an answer',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {},
  seen: [],
  check({ outcome, streams, times, connectionEnd, precedingRequests }) {
    if (outcome !== 'backend-closed' || streams.stdout.bytes + streams.stdout.missing > 0) return null;
    const after = milliseconds(times.begin, connectionEnd?.at ?? null);
    const kept = precedingRequests > 0 ? ` It had served ${precedingRequests} requests on this connection before.` : '';
    return {
      detail: `The close came ${after ?? '?'} ms after the request began, in order (FIN), with no byte of STDOUT.${kept}`,
      advice: [
        ...(precedingRequests > 0
          ? [
              'The backend closed a kept connection just as the web server used it again: let the web server’s keepalive_timeout be the shorter one.',
            ]
          : []),
        'The application called exit or died after it had read the request: read its own log (its STDERR goes to the service manager).',
        'A backend that serves a limited number of requests (PHP_FCGI_MAX_REQUESTS) needs something that starts it again.',
      ],
    };
  },
});
