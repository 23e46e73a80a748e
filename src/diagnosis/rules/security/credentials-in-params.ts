import type { Exchange } from '../../../model/exchange.js';
import { visibleText } from '../../../model/visible-text.js';
import { isSecretParam, MARK, paramMarks } from '../../param-marks.js';
import { crossesNetwork } from '../../public-address.js';
import { defineRule, type Sighting } from '../../rule.js';

/**
 * Cookies and Authorization headers are in every request and are no finding. What is told of: secrets that the web server's
 * configuration adds, and passwords in URLs. The values are not quoted.
 */
export const credentialsInParams = defineRule({
  id: 'credentials-in-params',
  severity: 'note',
  title: 'Passwords or keys travel with the request',
  meaning:
    'FastCGI encrypts nothing. Secrets among the params can be read by everybody who can see the connection, and every script that prints its environment (phpinfo(), error pages) shows them.',
  layer: 'remark',
  certainty: 'proven',
  remedies: {
    any: [
      'Give the application its secrets in a file that only it can read (or the service manager’s environment), not with each request.',
      'Keep the connection on the machine (a Unix socket), or lead it through a tunnel (stunnel, WireGuard).',
    ],
    nginx: ['Remove the fastcgi_param lines with these names.'],
    lighttpd: ['Remove them from setenv.add-environment (bin-environment for programs that it starts itself).'],
    apache: ['Remove SetEnv and PassEnv with these names: all of its environment is passed on.'],
    caddy: ['Remove the env lines with these names from php_fastcgi.'],
    haproxy: ['Remove the set-param lines with these names.'],
    'php-fpm': ['env[NAME] = … in the pool’s file, readable by root alone.'],
  },
  needs: ['marks'],
  seen: [
    'nginx → PHP-FPM',
    'lighttpd → PHP-FPM',
    'Apache mod_proxy_fcgi → PHP-FPM',
    'Caddy → PHP-FPM',
    'HAProxy → PHP-FPM',
  ],
  check(exchange) {
    const marks = paramMarks(exchange);
    if ((marks & (MARK.SECRET | MARK.QUERY_SECRET)) === 0) return null;
    return (
      (marks & MARK.SECRET ? configured(exchange) : null) ?? (marks & MARK.QUERY_SECRET ? inQuery(exchange) : null)
    );
  },
});

/** At most this many names are told of. */
const NAMES_SHOWN = 5;

function configured(exchange: Exchange): Sighting | null {
  const far = crossesNetwork(exchange.client, exchange.server);
  const names = exchange.params
    .filter(({ name, value }) => value !== '' && isSecretParam(name))
    // An authorizer is asked about the password: that it gets it is its purpose.
    .filter(({ name }) => name !== 'REMOTE_PASSWD' || exchange.role !== 'authorizer' || far)
    .map(({ name }) => name);
  if (names.length === 0) return null;
  const shown = names.slice(0, NAMES_SHOWN);
  return {
    detail: `${shown.map((name) => visibleText(name, 60)).join(', ')}${names.length > shown.length ? ` and ${names.length - shown.length} more` : ''}${
      far ? ', from one machine to another' : ''
    }.`,
    severity: far ? 'warning' : 'note',
    evidence: shown.map((name) => ({ kind: 'param', name })),
  };
}

function inQuery({ params }: Exchange): Sighting | null {
  const query = params.findLast(({ name }) => name === 'QUERY_STRING')?.value ?? '';
  // passwordConfirm and password[1], but not passwordless.
  const field = /(?:^|&)([\w.[\]-]{0,40}passw(?:or)?d?(?:[A-Z0-9_.[\]-][\w.[\]-]{0,20})?)=[^&]/.exec(query)?.[1];
  if (field === undefined) return null;
  return {
    detail: `The URL has a field ${field}: URLs end up in access logs, browser histories and Referer headers.`,
    advice: ['Send the form with POST.'],
    evidence: [{ kind: 'param', name: 'QUERY_STRING' }],
  };
}
