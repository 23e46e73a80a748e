import { defineRule } from '../../rule.js';

export const unixBacklogFull = defineRule({
  id: 'unix-backlog-full',
  severity: 'error',
  title: 'The backend’s listen queue is full',
  meaning:
    'Connections that the application has not taken up yet wait in a queue, and that queue is full: all its workers are busy, or it has stopped accepting. On a Unix socket the next one is refused at once.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: [
      'Find what the workers are busy with: the requests that were open at that time, the slowest first.',
      'Let the queue be longer: the backend’s own setting and net.core.somaxconn (sysctl -w net.core.somaxconn=4096) together, as the smaller one counts; then restart the backend.',
      'Over TCP an overload gives delays where a Unix socket gives errors.',
    ],
    nginx: [
      'fastcgi_next_upstream error with a second server in the upstream block lets another pool take the request.',
    ],
    lighttpd: [
      'It logs "write failed: … Transport endpoint is not connected" for this: raise the backend’s queue, or use host and port in place of socket.',
    ],
    apache: ['It waits in connect() without a limit here: use fcgi:// with an address in place of unix:.'],
    haproxy: [
      'maxconn on the server line, at the number of workers: HAProxy then queues by itself, and timeout queue limits it.',
    ],
    caddy: ['It tries once only: lb_try_duration 5s in reverse_proxy makes it try again.'],
    'php-fpm': [
      'Raise pm.max_children, as far as there is memory for it, or make the slow requests quick: request_slowlog_timeout = 5s and slowlog tell where they are.',
      'listen.backlog = 4096 in the pool file, and restart: 511 is the usual value.',
      'During reloads: process_control_timeout = 10s.',
    ],
    libfcgi: [
      'spawn-fcgi -b 1024 sets the length; FCGX_OpenSocket takes it as its second argument. Start more processes: -F 8.',
    ],
  },
  look: [
    'ss -xl shows the queue of the socket: Recv-Q is how many wait, Send-Q how many may.',
    'PHP-FPM’s log: "server reached pm.max_children setting".',
    'The web server’s error log: "Resource temporarily unavailable".',
  ],
  needs: ['failure'],
  seen: ['nginx → PHP-FPM'],
  check({ failure, server }, surroundings) {
    if (failure?.reason !== 'backlog-full' || server.kind !== 'unix') return null;
    const open = surroundings === null ? '' : ` ${surroundings.openBefore} other requests were open.`;
    return { detail: `${failure.message} (${failure.errno}): more connections wait than the queue holds.${open}` };
  },
});
