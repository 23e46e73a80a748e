import type { Exchange } from '../model/exchange.js';
import { paramValue } from '../model/param-value.js';

/**
 * Who is at the two ends of a request, as far as it says so itself. Web servers name themselves in SERVER_SOFTWARE (RFC 3875 section
 * 4.1.17), PHP in X-Powered-By and in what it writes to STDERR. What is not said is not guessed: advice for all is better than for the
 * wrong one.
 */

export type WebServer = 'nginx' | 'lighttpd' | 'apache' | 'caddy' | 'haproxy' | 'litespeed' | 'h2o' | 'iis';
export type Backend = 'php-fpm' | 'php' | 'libfcgi';
export type Product = WebServer | Backend;

/** As people write them. `apache` is mod_proxy_fcgi and mod_fcgid: advice says for which. */
export const PRODUCT_NAMES: Readonly<Record<Product, string>> = {
  nginx: 'nginx',
  lighttpd: 'lighttpd',
  apache: 'Apache',
  caddy: 'Caddy',
  haproxy: 'HAProxy',
  litespeed: 'LiteSpeed',
  h2o: 'h2o',
  iis: 'IIS',
  'php-fpm': 'PHP-FPM',
  php: 'PHP',
  libfcgi: 'libfcgi',
};

export const WEB_SERVERS: readonly WebServer[] = [
  'nginx',
  'lighttpd',
  'apache',
  'caddy',
  'haproxy',
  'litespeed',
  'h2o',
  'iis',
];

const SOFTWARE: readonly (readonly [prefix: string, server: WebServer])[] = [
  ['nginx', 'nginx'],
  ['openresty', 'nginx'],
  ['lighttpd', 'lighttpd'],
  ['apache', 'apache'],
  ['caddy', 'caddy'],
  ['haproxy', 'haproxy'],
  ['litespeed', 'litespeed'],
  ['openlitespeed', 'litespeed'],
  ['h2o', 'h2o'],
  ['microsoft-iis', 'iis'],
];

export function webServerOf(exchange: Exchange): WebServer | null {
  const software = paramValue(exchange.params, 'SERVER_SOFTWARE')?.toLowerCase();
  if (!software) return null;
  return SOFTWARE.find(([prefix]) => software.startsWith(prefix))?.[1] ?? null;
}

/** The products of which it is known that they are at the backend's end; PHP-FPM is PHP, too. */
export function backendsOf(exchange: Exchange): readonly Backend[] {
  const powered = exchange.response?.headers.find(({ name }) => name.toLowerCase() === 'x-powered-by')?.value;
  if (powered?.startsWith('PHP/')) return ['php-fpm', 'php'];
  return [];
}
