import { formatDuration } from '../../../model/quantity.js';
import { defineRule } from '../../rule.js';

export const keepaliveKilledByTerminateTimeout = defineRule({
  id: 'keepalive-killed-by-terminate-timeout',
  severity: 'note',
  title: 'The backend ends idle connections after a certain time',
  meaning:
    'Connections that the web server keeps without using them are ended by the application, always after about as long. PHP-FPM does that only by killing the worker, as if it were a script that takes too long. A request that comes at that moment is lost.',
  layer: 'remark',
  certainty: 'allowed',
  remedies: {
    nginx: ['keepalive_timeout in the upstream block, shorter than that time.'],
    apache: ['ProxyPass … ttl=, shorter than that time, or disablereuse=on.'],
    haproxy: ['pool-purge-delay on the server line, shorter than that time.'],
    h2o: ['fastcgi.timeout.keepalive, shorter than that time.'],
    'php-fpm': [
      'request_terminate_timeout in the pool file also counts while a kept connection is idle: let it be longer than the web server keeps connections, or 0.',
    ],
  },
  alternatives: [
    {
      cause: 'The application has a limit of its own for idle connections.',
      tell: 'It is not PHP-FPM; its documentation.',
    },
    {
      cause: 'A firewall or load balancer between the two ends idle connections.',
      tell: 'The application’s machine sees the connection ended by the other side.',
    },
  ],
  look: ['PHP-FPM’s log: "script \'\' (request: " ") execution timed out (… sec), terminating", again and again.'],
  needs: ['surroundings'],
  seen: [],
  check(_exchange, surroundings) {
    const end = surroundings?.idleEnd ?? null;
    if (end === null || end.idle < 1_000 || end.alikeAge === 0) return null;
    return {
      detail: `It ended the connection after ${formatDuration(end.idle)} without a request; ${end.alikeAge} of the last others ended after about as long.`,
      evidence: [{ kind: 'time', milliseconds: end.idle }],
    };
  },
});
