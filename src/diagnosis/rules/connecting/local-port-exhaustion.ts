import { defineRule } from '../../rule.js';

const NO_DESCRIPTORS = [
  'Connections or files stay open: ls /proc/PID/fd | wc -l of fcgi-inspect, and ss -tnp, show how many and to whom.',
  'Each request takes two descriptors here: raise the limit for fcgi-inspect and for the web server (ulimit -n, systemd LimitNOFILE, nginx worker_rlimit_nofile).',
];
const ADVICE: Readonly<Record<string, readonly string[]>> = {
  EADDRNOTAVAIL: [
    'Every local port to this address is in use or in TIME_WAIT: ss -tan | grep -c TIME-WAIT. A Unix socket has no ports to run out of.',
    'Keep connections: nginx keepalive N in the upstream block with fastcgi_keep_conn on.',
    'Widen net.ipv4.ip_local_port_range.',
  ],
  EMFILE: NO_DESCRIPTORS,
  ENFILE: [
    'All processes together have used up the system’s file table: compare /proc/sys/fs/file-nr, raise fs.file-max.',
  ],
};
const NO_IPV6 =
  'IPv6 may be switched off on this machine (ip -6 addr shows nothing): give --upstream the IPv4 address.';

/** The connecting side ran out: of local ports (EADDRNOTAVAIL) or file descriptors. The backend has not heard of the request. */
export const localPortExhaustion = defineRule({
  id: 'local-port-exhaustion',
  severity: 'error',
  title: 'No local port or file descriptor is left for the connection',
  meaning: 'No local port or file descriptor is left for the connection',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {},
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
