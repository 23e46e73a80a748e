import type { Param } from '../model/exchange.js';

/**
 * What a CGI environment (RFC 3875 section 4) says of the HTTP request behind it: one pass over the params, then a URL put together
 * from what is there. Nothing is resolved or normalised: `/a/../b` stays as it is, because that is what the application was given.
 * Where a name appears twice the last one counts, as in PHP.
 */

export interface RequestLine {
  readonly method: string | null;
  /** Absolute, of visible ASCII only; null when no param tells a path. */
  readonly url: string | null;
  /** SCRIPT_FILENAME, else SCRIPT_NAME. */
  readonly script: string | null;
}

/** Named when no param names a host: a URL must have one, and FastCGI's own clients are local. */
const NAMELESS_HOST = 'localhost';

/** Method, URL and script of a request, from its params in any order. */
export function readRequestLine(params: readonly Param[]): RequestLine {
  const found: Partial<Record<Known, string>> = {};
  for (const param of params) {
    // The first letter rules most names out at once: HTTP_* aside, an environment has dozens that are of no use here.
    switch (param.name.charCodeAt(0)) {
      case 68: // D
      case 72: // H
      case 80: // P
      case 81: // Q
      case 82: // R
      case 83: // S
        if (KNOWN.has(param.name)) found[param.name as Known] = param.value;
    }
  }
  return {
    method: found.REQUEST_METHOD || null,
    url: url(found),
    script: found.SCRIPT_FILENAME || found.SCRIPT_NAME || null,
  };
}

type Known =
  | 'REQUEST_METHOD'
  | 'SCRIPT_FILENAME'
  | 'SCRIPT_NAME'
  | 'PATH_INFO'
  | 'QUERY_STRING'
  | 'REQUEST_URI'
  | 'DOCUMENT_URI'
  | 'HTTPS'
  | 'REQUEST_SCHEME'
  | 'SERVER_PORT'
  | 'HTTP_HOST'
  | 'SERVER_NAME'
  | 'SERVER_ADDR';

const KNOWN: ReadonlySet<string> = new Set<Known>([
  'REQUEST_METHOD',
  'SCRIPT_FILENAME',
  'SCRIPT_NAME',
  'PATH_INFO',
  'QUERY_STRING',
  'REQUEST_URI',
  'DOCUMENT_URI',
  'HTTPS',
  'REQUEST_SCHEME',
  'SERVER_PORT',
  'HTTP_HOST',
  'SERVER_NAME',
  'SERVER_ADDR',
]);

type Found = Partial<Record<Known, string>>;

const ABSOLUTE = /^[a-z][a-z0-9+.-]*:\/\//i;
const SCHEME = /^[a-z][a-z0-9+.-]*$/i;

function url(found: Found): string | null {
  const target = found.REQUEST_URI;
  // A request sent to a proxy, or with HTTP/1.1's absolute form, brings its own scheme and host.
  if (target && ABSOLUTE.test(target)) return visible(target);
  const path = target ? visible(target) : assembledPath(found);
  if (path === null) return null;
  const scheme = schemeOf(found);
  return `${scheme}://${hostOf(found, scheme)}${path.startsWith('/') ? '' : '/'}${path}`;
}

/** SCRIPT_NAME and PATH_INFO come decoded, so what would end a path has to be encoded again; QUERY_STRING comes as it was sent. */
function assembledPath(found: Found): string | null {
  const path = (found.SCRIPT_NAME ?? '') + (found.PATH_INFO ?? '') || found.DOCUMENT_URI;
  if (!path) return null;
  const query = found.QUERY_STRING;
  return visible(path.replace(/[%?#]/g, percent)) + (query ? `?${visible(query)}` : '');
}

function schemeOf(found: Found): string {
  const https = found.HTTPS?.toLowerCase();
  if (https && https !== 'off') return 'https';
  const scheme = found.REQUEST_SCHEME;
  if (scheme && SCHEME.test(scheme)) return scheme.toLowerCase();
  // `HTTPS=off` says that port 443 speaks plain HTTP.
  return https === undefined && found.SERVER_PORT === '443' ? 'https' : 'http';
}

function hostOf(found: Found, scheme: string): string {
  if (found.HTTP_HOST) return hostText(found.HTTP_HOST);
  // nginx passes the catch-all name `_` of its server block on.
  const name = found.SERVER_NAME && found.SERVER_NAME !== '_' ? found.SERVER_NAME : found.SERVER_ADDR;
  if (!name) return NAMELESS_HOST;
  const port = found.SERVER_PORT;
  const host = name.includes(':') && !name.startsWith('[') ? `[${name}]` : name;
  const usual = !port || port === (scheme === 'https' ? '443' : '80');
  return hostText(usual ? host : `${host}:${port}`);
}

/** A Host header that holds what would end the authority must not move the path: it is encoded. */
function hostText(host: string): string {
  return visible(DELIMITER.test(host) ? host.replace(/[/?#\\@]/g, percent) : host);
}

/** Everything that is not visible ASCII as %XX of its UTF-8, so that a URL can be shown, logged and parsed. */
function visible(text: string): string {
  return INVISIBLE.test(text) ? text.replace(/[^\x21-\x7e]+/gu, encode) : text;
}

const DELIMITER = /[/?#\\@]/;
const INVISIBLE = /[^\x21-\x7e]/;

function encode(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'));
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
