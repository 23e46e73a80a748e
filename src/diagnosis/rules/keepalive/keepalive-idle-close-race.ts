import { formatDuration } from '../../../model/quantity.js';
import type { Surroundings } from '../../../model/surroundings.js';
import { milliseconds } from '../../../model/time.js';
import { defineRule } from '../../rule.js';

/** The close was on its way when the request was: later than this it is an answer to the request, milliseconds. */
const CROSSING = 20;

export const keepaliveIdleCloseRace = defineRule({
  id: 'keepalive-idle-close-race',
  severity: 'error',
  title: 'The backend closed a kept connection just as it was used again',
  meaning:
    'The web server keeps connections to the application open to save time. The application closed one of them while the next request was already on its way: nobody has worked on that request.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: ['The web server must let go of idle connections earlier than the application does, or keep none.'],
    nginx: [
      'keepalive_timeout 10s; in the upstream block: shorter than the backend’s limit on idle connections.',
      'keepalive_requests 400; in the upstream block: below pm.max_requests.',
      'fastcgi_next_upstream error timeout non_idempotent; also repeats POST requests; without the last word only those that read are repeated.',
    ],
    apache: [
      'ProxyPass … enablereuse=on ttl=10 lets go of idle connections after 10 s; disablereuse=on keeps none. It does not repeat a request.',
    ],
    haproxy: ['pool-purge-delay 5s on the server line, or no option keep-conn in the fcgi-app section.'],
    h2o: ['fastcgi.timeout.keepalive: shorter than the backend’s limit, or 0.'],
    litespeed: ['Persistent Connection: No, or a Connection Keepalive Timeout shorter than the backend’s limit.'],
    'php-fpm': [
      'pm.max_requests = 0 in the pool file, or a larger number: each time that a worker reaches it, its kept connection ends.',
      'request_terminate_timeout also ends workers that only keep an idle connection: let it be longer than the web server’s limit.',
    ],
  },
  alternatives: [
    {
      cause: 'The worker crashed at the very beginning of the request.',
      tell: 'PHP-FPM’s log names a signal at that moment; the same URL fails on new connections, too.',
    },
    { cause: 'The backend was reloaded.', tell: 'PHP-FPM’s log: "Reloading in progress".' },
  ],
  look: [
    'nginx’s error log: "upstream prematurely closed connection", "recv() failed (104", "writev() failed (32: Broken pipe)".',
    'The other connections to this backend: after how many requests, and how long idle, do they end?',
  ],
  needs: ['failure'],
  absence: 'server',
  seen: ['nginx → PHP-FPM'],
  check(exchange, surroundings) {
    const { outcome, streams, precedingRequests, times, connectionEnd } = exchange;
    if (outcome !== 'backend-closed' && outcome !== 'backend-reset') return null;
    if (precedingRequests === 0 || connectionEnd === null) return null;
    if (streams.stdout.records + streams.stderr.records > 0) return null;
    const after = milliseconds(times.begin, connectionEnd.at) ?? 0;
    if (after > CROSSING) return null;
    const idle = surroundings?.idleBefore ?? null;
    // Right after the request before it, and to a request that it has taken: that is a worker who dies of it.
    if (after > 1 && idle !== null && idle < after) return null;
    const when = after <= 0 ? `${formatDuration(-after)} before` : `${formatDuration(after)} after`;
    return {
      certainty: after < 0 ? 'proven' : 'allowed',
      detail: `It closed ${when} request ${precedingRequests + 1} of this connection began${idle === null ? '' : `, which had been idle for ${formatDuration(idle)}`}.${habit(precedingRequests, surroundings)}`,
      evidence: idle === null ? [] : [{ kind: 'time', milliseconds: idle }],
    };
  },
});

function habit(requests: number, surroundings: Surroundings | null): string {
  const { closedAtCount = 0, closedAtAge = 0 } = surroundings?.backend ?? {};
  if (closedAtCount > 0 && requests > 1)
    return ` It closes its connections after ${requests} requests: a limit on their number.`;
  return closedAtAge > 0 ? ' It closed others after about as long an idle time: a limit on that.' : '';
}
