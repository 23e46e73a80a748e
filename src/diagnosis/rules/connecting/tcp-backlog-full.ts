import { formatDuration } from '../../../model/quantity.js';
import { defineRule } from '../../rule.js';

/** A SYN is sent again after 1 s, and then after twice as long each time (RFC 6298); the answer to one that got through, likewise. */
const RESENT_AFTER = [1_000, 2_000, 3_000, 4_000, 7_000, 15_000];
/** What a timer of the kernel and a way through a network add, milliseconds. */
const LATE = 120;

/**
 * A capture tells when the connection was asked for, and the first request follows at once when it stands. Behind the proxy the web
 * server's connection stands at once whatever the backend does, so that nothing is said there.
 */
export const tcpBacklogFull = defineRule({
  id: 'tcp-backlog-full',
  severity: 'warning',
  title: 'The connection took whole seconds: the backend’s listen queue was full',
  meaning:
    'When a listening program does not take up its connections fast enough, the system drops new ones silently, and the other side tries again after 1, 3 and 7 seconds. Everything after that is quick.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'Let the queue be longer: the backend’s own setting and net.core.somaxconn (sysctl -w net.core.somaxconn=4096) together, as the smaller one counts; then restart the backend.',
      'Find what the workers are busy with: the requests that were open at that time, the slowest first.',
    ],
    nginx: ['keepalive 16; in the upstream block with fastcgi_keep_conn on; makes fewer connections.'],
    lighttpd: ['"connect-timeout" in fastcgi.server (8 s) is what it will wait.'],
    apache: ['ProxyPass … enablereuse=on makes fewer connections.'],
    caddy: ['dial_timeout (3 s) in php_fastcgi is what it will wait.'],
    haproxy: ['maxconn on the server line, at the number of workers, lets HAProxy queue by itself.'],
    'php-fpm': ['listen.backlog = 4096 in the pool file, and pm.max_children as high as memory allows; restart.'],
    libfcgi: ['spawn-fcgi -b 1024 sets the length; FCGX_OpenSocket takes it as its second argument.'],
  },
  alternatives: [
    {
      cause: 'Packets are lost on the way.',
      tell: 'Data is sent again, too, not only the beginnings of connections: nstat -az TcpRetransSegs against TcpExtListenDrops.',
    },
    {
      cause: 'The web server made the connection before it had a request for it.',
      tell: 'The capture shows the handshake done at once (SYN, SYN/ACK, ACK), and silence after it.',
    },
  ],
  look: [
    'On the backend’s machine: nstat -az TcpExtListenOverflows TcpExtListenDrops',
    'ss -ltn: Recv-Q at or above Send-Q.',
  ],
  needs: ['surroundings'],
  seen: ['a test client → a slow listener, in a capture'],
  check({ server, role }, surroundings) {
    const opening = surroundings?.opening ?? 0;
    if (opening < RESENT_AFTER[0]! || server.kind !== 'tcp' || role === 'unknown') return null;
    if (!RESENT_AFTER.some((after) => opening >= after && opening < after + LATE)) return null;
    return {
      detail: `The request began ${formatDuration(opening)} after its connection was asked for.`,
      evidence: [{ kind: 'time', milliseconds: opening }],
    };
  },
});
