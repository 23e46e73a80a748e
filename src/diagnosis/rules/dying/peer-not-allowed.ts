import { formatEndpoint } from '../../../model/connection.js';
import { formatDuration } from '../../../model/quantity.js';
import { AT_ONCE } from '../../../model/surroundings.js';
import { milliseconds } from '../../../model/time.js';
import { crossesNetwork } from '../../public-address.js';
import { defineRule } from '../../rule.js';

/** Within this many milliseconds no script has begun, so that none has died; after it, many must have ended so to tell. */
const UNREAD = 2;
const OFTEN = 2;

export const peerNotAllowed = defineRule({
  id: 'peer-not-allowed',
  severity: 'error',
  title: 'The backend ends every connection from this address at once',
  meaning:
    'The application took the connection and closed it again without looking at the request, and it has not answered anything from this address. PHP-FPM and libfcgi programs do that to hosts that are not on their list.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: ['A Unix socket has file rights in place of such a list.'],
    'php-fpm': [
      'listen.allowed_clients = 127.0.0.1,192.0.2.10 in the pool file, with the address that connections come from (fcgi-inspect’s, while it stands between); then restart.',
      'An IPv4 client on an IPv6 listener has the address ::ffff:192.0.2.10: list that form, too.',
      'catch_workers_output = yes makes its log name the address that it dropped.',
    ],
    php: ['FCGI_WEB_SERVER_ADDRS=127.0.0.1,192.0.2.10 in the environment of php-cgi.'],
    libfcgi: ['FCGI_WEB_SERVER_ADDRS=127.0.0.1,192.0.2.10 in the environment of the program, or unset it.'],
  },
  alternatives: [
    {
      cause: 'Every worker dies when it begins, such as by an extension that does not fit.',
      tell: 'PHP-FPM’s log: "exited on signal 11 (SIGSEGV)" or "exited with code" for each request; on the backend’s own machine it fails, too.',
    },
    {
      cause: 'A proxy or load balancer between the two has no backend to pass the connection to.',
      tell: 'The application’s machine sees no connection: tcpdump there. kubectl get endpoints shows none.',
    },
    { cause: 'What listens there is not a FastCGI application.', tell: 'ss -ltnp on its machine names the program.' },
  ],
  look: [
    'PHP-FPM’s log: "Connection disallowed: IP address … has been dropped."; at its start: "Wrong IP address", "There are no allowed addresses".',
    'grep -r allowed_clients /etc/php/',
  ],
  needs: ['failure'],
  absence: 'server',
  seen: ['nginx → PHP-FPM', 'nginx → libfcgi'],
  check({ outcome, streams, server, client, times, connectionEnd, precedingRequests, role, requestId }, surroundings) {
    if (outcome !== 'backend-closed' && outcome !== 'backend-reset') return null;
    if (server.kind !== 'tcp' || precedingRequests > 0) return null;
    // Id 0: no request had begun, because the end came first.
    if (role === 'unknown' && requestId > 0) return null;
    if (streams.stdout.records + streams.stderr.records > 0) return null;
    if (surroundings === null || surroundings.backend.peerAnswered) return null;
    const after = milliseconds(times.begin, connectionEnd?.at ?? null);
    if (after === null || after > AT_ONCE) return null;
    const { cutAtOnce, leftUnread, sinceCut } = surroundings.backend;
    // Who may not connect is never heard: a backend that has worked on a request dies of something else.
    if (sinceCut !== null) return null;
    if (after > UNREAD && cutAtOnce < OFTEN) return null;
    // A program that has read everything and ends itself closes so, too, and is started anew: unless one of them was certainly not read.
    // Over a network, an end that was sent before the request comes after it.
    const mayBeRead = outcome === 'backend-closed' && after > 0 && requestId > 0;
    if (mayBeRead && !(crossesNetwork(client, server) ? cutAtOnce > 0 : leftUnread)) return null;
    const how = outcome === 'backend-closed' ? 'closed' : 'reset';
    const when = after <= 0 || requestId === 0 ? 'before the request' : `${formatDuration(after)} after the request`;
    const peer = client.kind === 'tcp' ? client.host : formatEndpoint(client);
    return {
      detail: `It ${how} the connection ${when}, without a byte, and has answered nothing from ${peer} so far.`,
    };
  },
});
