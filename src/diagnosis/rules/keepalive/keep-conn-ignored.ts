import { defineRule } from '../../rule.js';

/** Said a few times of each backend, and not of each request: only those have surroundings that tell of it. */
export const keepConnIgnored = defineRule({
  id: 'keep-conn-ignored',
  severity: 'note',
  title: 'The backend does not keep connections',
  meaning:
    'The web server asks for connections that are kept after the request, and the application closes every one of them. Nothing fails, but the time for a new connection is spent each time, and a request may meet the close.',
  layer: 'remark',
  certainty: 'allowed',
  remedies: {
    nginx: ['fastcgi_keep_conn off; for this backend: nothing is lost by it.'],
    apache: ['ProxyPass … without enablereuse=on for this backend.'],
    haproxy: ['no option keep-conn in the fcgi-app section of this backend.'],
    'php-fpm': ['pm.max_requests = 1 makes it look so: raise it.'],
    libfcgi: [
      'FCGX_Finish_r and FCGX_Accept_r keep the connection when it was asked for; FCGX_Free with close ends it.',
    ],
  },
  alternatives: [{ cause: 'Workers serve one request each.', tell: 'PHP-FPM: pm.max_requests = 1.' }],
  needs: ['surroundings'],
  seen: ['nginx → PHP-FPM'],
  check(_exchange, surroundings) {
    const end = surroundings?.idleEnd ?? null;
    if (end === null || end.requests !== 1 || !end.neverReused || end.idle >= 1_000) return null;
    return {
      detail: `It closed ${end.alikeCount + 1} connections after their first request, and no other was ever used twice.`,
    };
  },
});
