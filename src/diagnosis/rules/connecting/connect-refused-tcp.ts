import { formatEndpoint } from '../../../model/connection.js';
import { defineRule } from '../../rule.js';
import { pastWords } from './past-words.js';

export const connectRefusedTcp = defineRule({
  id: 'connect-refused-tcp',
  severity: 'error',
  title: 'Nothing listens at the backend’s address',
  meaning:
    'The machine that should run the application answered, but no program accepts connections on that port: the application is not running, or it listens somewhere else.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'In a container the application must listen on 0.0.0.0 or [::], not on 127.0.0.1, and be addressed by the name of its service.',
      'Write 127.0.0.1 in place of localhost, which may stand for ::1.',
    ],
    nginx: ['fastcgi_pass must name the address that the application listens on; then nginx -t && nginx -s reload.'],
    lighttpd: ['"host" and "port" in fastcgi.server must be that address.'],
    apache: ['The address after fcgi:// in ProxyPass or SetHandler must be that one; retry=0 keeps it trying.'],
    caddy: ['The address after php_fastcgi, or after reverse_proxy with transport fastcgi, must be that one.'],
    haproxy: ['The server line of the backend must name that address, with proto fcgi.'],
    litespeed: ['The address of the external application must be that one.'],
    h2o: ['fastcgi.connect: host and port must be that address.'],
    'php-fpm': [
      'Start it: systemctl start php8.2-fpm (with the version at hand). php-fpm8.2 -t tells what is wrong with its configuration.',
      'listen = in the pool file (/etc/php/8.2/fpm/pool.d/www.conf) must be that address: Debian’s own setting is a Unix socket.',
    ],
    libfcgi: ['Start it on that port: spawn-fcgi -a 127.0.0.1 -p PORT -- /path/of/program'],
  },
  alternatives: [
    {
      cause: 'The backend is being restarted.',
      tell: 'Requests shortly before and after are answered: the refusals last for a second or two.',
    },
    {
      cause: 'A firewall refuses the connection.',
      tell: 'The port answers on the backend’s own machine; nft list ruleset (iptables -S) shows a reject rule.',
    },
    {
      cause: 'The backend has ended by itself, after a crash or a last request, and nobody starts it again.',
      tell: 'Its process is gone: systemctl status, and its own log.',
    },
  ],
  look: [
    'PHP-FPM’s log: "unable to bind listening socket for address", or "Another FPM instance seems to already listen on".',
    'The web server’s error log says the same without fcgi-inspect between: "Connection refused".',
  ],
  needs: ['failure'],
  seen: ['nginx → PHP-FPM', 'Apache → PHP-FPM', 'Caddy → PHP-FPM', 'HAProxy → PHP-FPM'],
  check({ failure, server }, surroundings) {
    if (failure?.reason !== 'refused' || server.kind !== 'tcp') return null;
    return {
      detail: `${failure.message} (${failure.errno}).${pastWords(surroundings)}`,
      advice: [
        `See who listens there, on the backend’s machine: ss -ltnp | grep :${server.port}`,
        `Without fcgi-inspect the web server needs the backend’s own address: fcgi-inspect was given ${formatEndpoint(server)}.`,
      ],
    };
  },
});
