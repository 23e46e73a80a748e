import { defineRule } from '../../rule.js';

const NO_DESCRIPTORS = [
  'Raise the limit for fcgi-inspect, which needs two for each request: ulimit -n 65536 before its start, or LimitNOFILE=65536 in its systemd unit.',
  'Connections or files that stay open: ls /proc/PID/fd | wc -l of the process, and ss -tnp, show how many and to whom.',
];
const ADVICE: Readonly<Record<string, readonly string[]>> = {
  EADDRNOTAVAIL: [
    'Use a Unix socket, which has no ports to run out of, or kept connections.',
    'Let there be more ports: sysctl -w net.ipv4.ip_local_port_range="10000 65000". Those in TIME_WAIT are counted by ss -tan | grep -c TIME-WAIT',
  ],
  EMFILE: NO_DESCRIPTORS,
  ENFILE: [
    'All processes together have used up the system’s file table: compare /proc/sys/fs/file-nr; sysctl -w fs.file-max=1000000.',
  ],
};
const NO_IPV6 =
  'IPv6 may be switched off on this machine (ip -6 addr shows nothing): give --upstream the IPv4 address.';

/** The connecting side ran out: of local ports (EADDRNOTAVAIL) or file descriptors. The backend has not heard of the request. */
export const localPortExhaustion = defineRule({
  id: 'local-port-exhaustion',
  severity: 'error',
  title: 'No local port or file descriptor is left for the connection',
  meaning:
    'Each connection takes a port number and a file descriptor on the side that makes it, and one of the two has run out there. The application has not heard of the request.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    nginx: [
      'Keep connections: keepalive 16; in the upstream block and fastcgi_keep_conn on; (and fewer of them than PHP has workers).',
      'worker_rlimit_nofile 65536; and worker_connections 16384; when descriptors are what runs out.',
    ],
    lighttpd: [
      'server.max-fds = 65536. It makes a connection for each request: give "socket" in place of host and port.',
    ],
    apache: ['ProxyPass … enablereuse=on keeps connections; LimitNOFILE=65536 in its systemd unit.'],
    caddy: ['php_fastcgi unix//run/php/php8.2-fpm.sock: it makes a connection for each request.'],
    haproxy: [
      'option keep-conn in the fcgi-app section, http-reuse always in the backend; maxconn and ulimit-n in global.',
    ],
    'php-fpm': ['listen = /run/php/php8.2-fpm.sock in place of an address; rlimit_files = 65536.'],
  },
  look: ['ss -s', 'The web server’s error log: "Cannot assign requested address", "Too many open files".'],
  needs: ['failure'],
  seen: [],
  check({ failure, server }) {
    const advice = failure === null ? undefined : ADVICE[failure.errno];
    if (failure === null || advice === undefined) return null;
    const six = failure.errno === 'EADDRNOTAVAIL' && server.kind === 'tcp' && server.host.includes(':');
    return {
      detail: `${failure.message} (${failure.errno}): it failed on this side, before the backend heard of it.`,
      advice: six ? [NO_IPV6, ...advice] : advice,
    };
  },
});
