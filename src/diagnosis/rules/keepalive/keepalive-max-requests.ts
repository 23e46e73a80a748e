import { defineRule } from '../../rule.js';

export const keepaliveMaxRequests = defineRule({
  id: 'keepalive-max-requests',
  severity: 'note',
  title: 'The backend ends its kept connections after a certain number of requests',
  meaning:
    'The application answered and then closed the connection, though it was asked to keep it, and always after the same number of requests: its worker is replaced then. That is harmless, unless the next request is already on its way.',
  layer: 'remark',
  certainty: 'allowed',
  remedies: {
    nginx: ['keepalive_requests in the upstream block, below that number, avoids that a request meets the close.'],
    apache: ['ProxyPass … disablereuse=on, as it does not repeat a request that met the close.'],
    haproxy: ['retry-on conn-failure empty-response in the backend repeats a request that met the close.'],
    'php-fpm': [
      'pm.max_requests in the pool file is that number: raise it, or set 0 when the application does not leak memory.',
    ],
  },
  alternatives: [
    {
      cause: 'The library behind the application closes by itself after so many requests.',
      tell: 'It is not PHP-FPM, or pm.max_requests is 0.',
    },
  ],
  look: ['grep -r max_requests /etc/php/'],
  needs: ['surroundings'],
  seen: ['nginx → PHP-FPM'],
  check(_exchange, surroundings) {
    const end = surroundings?.idleEnd ?? null;
    if (end === null || end.requests < 2 || end.alikeCount === 0 || end.idle >= 1_000) return null;
    return {
      detail: `It closed the connection right after request ${end.requests} on it, as it did with ${end.alikeCount} of the last others.`,
    };
  },
});
