import { formatEndpoint } from '../../../model/connection.js';
import { defineRule } from '../../rule.js';
import { isNameFailure } from './backend-name-unknown.js';

export const connectTimeout = defineRule({
  id: 'connect-timeout',
  severity: 'error',
  title: 'The backend’s address does not answer',
  meaning:
    'Nobody answered the attempt to connect, not even with a refusal: the packets are dropped on the way, the machine is down, or the address belongs to nobody.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'Let the port through: in the firewall of the backend’s machine (nft list ruleset, iptables -S), in the security group or the network policy.',
      'Correct the address: a container or virtual machine that was made anew has another one.',
    ],
    nginx: [
      'It looks a name up once, at its start: nginx -s reload; or resolver 127.0.0.11; with set $app app:9000; fastcgi_pass $app; looks it up anew.',
      'fastcgi_connect_timeout 5s; lets visitors wait for 5 s in place of 60.',
    ],
    lighttpd: [
      'It looks a name up at its start: restart it. "connect-timeout" => 3 in fastcgi.server shortens the wait of 8 s.',
    ],
    apache: [
      'ProxyPass … connectiontimeout=5 shortens the wait. Names are looked up once for a reused connection: disablereuse=on.',
    ],
    caddy: ['dial_timeout 3s in php_fastcgi is its limit.'],
    haproxy: ['timeout connect 5s is its limit; a resolvers section with init-addr makes it follow changed names.'],
    'php-fpm': ['listen = 0.0.0.0:9000 (and listen.allowed_clients) makes it reachable from other machines at all.'],
  },
  alternatives: [
    {
      cause: 'The backend’s listen queue is full.',
      tell: 'Some connections do get through, others after 1, 3 or 7 s; on the backend’s machine ss -ltn shows Recv-Q above Send-Q.',
    },
    { cause: 'There is no route to the network of the backend.', tell: 'ip route get with the address.' },
  ],
  look: ['tcpdump -ni any with the backend’s port, on both machines: does the SYN arrive, and does an answer leave?'],
  needs: ['failure'],
  seen: [],
  check({ failure, server }) {
    if (failure?.reason !== 'timed-out' && failure?.reason !== 'unreachable') return null;
    if (isNameFailure(failure)) return null;
    const by = server.kind === 'tcp' ? [`Try it from this machine: nc -vz ${server.host} ${server.port}`] : [];
    return { detail: `${failure.message} (${failure.errno}): ${formatEndpoint(server)} said nothing.`, advice: by };
  },
});
