import { formatEndpoint } from '../../../model/connection.js';
import type { Exchange } from '../../../model/exchange.js';
import { paramValue } from '../../../model/param-value.js';
import { visibleText } from '../../../model/visible-text.js';
import { seenWhole } from '../../blind-spots.js';
import { isPublicAddress } from '../../public-address.js';
import { defineRule, type Sighting } from '../../rule.js';

export const exposedFastcgiPort = defineRule({
  id: 'exposed-fastcgi-port',
  severity: 'error',
  title: 'The FastCGI port is used by somebody who should not reach it',
  meaning:
    'FastCGI has no password: who reaches the port can have any file run as a script, and with PHP-FPM any code. The port must be open to the web server alone.',
  layer: 'remark',
  certainty: 'allowed',
  remedies: {
    any: [
      'Firewall: nft add rule inet filter input tcp dport 9000 ip saddr != WEB-SERVER drop',
      'Containers: publish no port for it (no ports: "9000:9000"; at most 127.0.0.1:9000:9000): containers of one network reach each other without.',
    ],
    lighttpd: ['"socket" => "/run/app.sock" in place of "host" and "port" for applications that it starts itself.'],
    'php-fpm': [
      'listen = /run/php/php-fpm.sock (or 127.0.0.1:9000), not 9000 or 0.0.0.0:9000; listen.allowed_clients = with the web server’s address.',
    ],
    php: ['php-cgi -b 127.0.0.1:9000, not -b 9000 or -b 0.0.0.0:9000.'],
    libfcgi: ['spawn-fcgi -a 127.0.0.1 -p 9000, or -s /run/app.sock.'],
  },
  alternatives: [
    {
      cause: 'The web server itself has a public address, and the way between the two is closed to others.',
      tell: 'The client address is your web server’s, and nc -vz ADDRESS PORT from elsewhere gets no connection.',
    },
  ],
  look: ['ss -ltn shows where the port listens; nc -vz ADDRESS PORT from outside shows whether it is reached.'],
  seen: ['test client → PHP-FPM'],
  check(exchange) {
    return fromOutside(exchange) ?? forForeignFile(exchange);
  },
});

function fromOutside({ client, server }: Exchange): Sighting | null {
  if (client.kind === 'unix' || server.kind === 'unix' || client.host === server.host) return null;
  if (!isPublicAddress(client.host)) return null;
  return {
    detail: `The request came from ${formatEndpoint(client)}, a public address, to ${formatEndpoint(server)}.`,
    severity: 'warning',
    evidence: [{ kind: 'record', record: 0 }],
  };
}

/** The files that tools for breaking in ask PHP for, because they are on every machine. */
const FOREIGN_FILE =
  /^(?:\/etc\/(?:passwd|hosts|shadow)|\/proc\/|\/dev\/|\/var\/log\/|.*\/(?:PEAR|pearcmd|peclcmd)\.php$|.*\/php\/Archive\/Tar\.php$)/;

function forForeignFile(exchange: Exchange): Sighting | null {
  const { script, params } = exchange;
  if (script === null || !mayBeForeign(script) || !FOREIGN_FILE.test(script)) return null;
  const root = paramValue(params, 'DOCUMENT_ROOT');
  // Below a root that was not seen, it may be the site's own.
  if (root === null && !seenWhole(exchange, 'client')) return null;
  if (root !== null && root.length > 1 && script.startsWith(root)) return null;
  return {
    detail: `SCRIPT_FILENAME is ${visibleText(script, 200)}: no website has this as a page, and tools that attack PHP-FPM ask for it.`,
    evidence: [{ kind: 'param', name: 'SCRIPT_FILENAME' }],
  };
}

/** Asked of every request: by one letter of the path, or the last of the script's name (PEAR, pearcmd, peclcmd, Tar). */
function mayBeForeign(script: string): boolean {
  switch (script.charCodeAt(script.length - PHP_SUFFIX - 1)) {
    case 0x52: // R
    case 0x64: // d
    case 0x72: // r
      return true;
  }
  switch (script.charCodeAt(1)) {
    case 0x64: // /dev
    case 0x65: // /etc
    case 0x70: // /proc
      return true;
    case 0x76: // /var/log, but not /var/www
      return script.charCodeAt(5) === 0x6c;
    default:
      return false;
  }
}

const PHP_SUFFIX = '.php'.length;
