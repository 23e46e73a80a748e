import type { LogMessage, LogProduct } from '../log-message.js';
import { APACHE, MOD_AUTHNZ_FCGI, MOD_PROXY_FCGI } from './apache.js';
import { MOD_FASTCGI, MOD_FCGID } from './apache-modules.js';
import { LIGHTTPD } from './lighttpd.js';
import { NGINX } from './nginx.js';
import { CADDY, FCGIWRAP, H2O, HAPROXY, IIS, LIBFCGI, OPENLITESPEED } from './others.js';
import { PHP, PHP_FPM } from './php.js';

/** All messages that are known, in the order in which they are tried: those that say most stand first. */
export const LOG_MESSAGES: readonly LogMessage[] = [
  ...NGINX,
  ...LIGHTTPD,
  ...MOD_PROXY_FCGI,
  ...APACHE,
  ...MOD_AUTHNZ_FCGI,
  ...MOD_FCGID,
  ...MOD_FASTCGI,
  ...PHP_FPM,
  ...OPENLITESPEED,
  ...H2O,
  ...CADDY,
  ...HAPROXY,
  ...LIBFCGI,
  ...IIS,
  ...PHP,
  ...FCGIWRAP,
];

/** What an application writes to STDERR, wherever that ends up. */
export const STDERR_MESSAGES: readonly LogMessage[] = [...PHP, ...FCGIWRAP];

/** Whose messages stand in a log of this kind. Apache's modules share one. */
export const MESSAGES_OF: Readonly<Record<LogProduct, readonly LogMessage[]>> = {
  nginx: NGINX,
  lighttpd: LIGHTTPD,
  apache: [...MOD_PROXY_FCGI, ...APACHE, ...MOD_AUTHNZ_FCGI, ...MOD_FCGID, ...MOD_FASTCGI],
  mod_proxy_fcgi: MOD_PROXY_FCGI,
  mod_fcgid: MOD_FCGID,
  mod_fastcgi: MOD_FASTCGI,
  mod_authnz_fcgi: MOD_AUTHNZ_FCGI,
  haproxy: HAPROXY,
  caddy: CADDY,
  h2o: H2O,
  openlitespeed: OPENLITESPEED,
  'php-fpm': [...PHP_FPM, ...PHP],
  php: PHP,
  fcgiwrap: FCGIWRAP,
  libfcgi: LIBFCGI,
  iis: IIS,
};
