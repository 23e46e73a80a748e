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
  const found = new Found();
  for (const { name, value } of params) {
    // An environment has dozens of names that are of no use here: their lengths rule most of them out at once.
    switch (name.length) {
      case 5:
        if (name === 'HTTPS') found.HTTPS = value;
        break;
      case 9:
        if (name === 'HTTP_HOST') found.HTTP_HOST = value;
        else if (name === 'PATH_INFO') found.PATH_INFO = value;
        break;
      case 11:
        if (name === 'REQUEST_URI') found.REQUEST_URI = value;
        else if (name === 'SCRIPT_NAME') found.SCRIPT_NAME = value;
        else if (name === 'SERVER_NAME') found.SERVER_NAME = value;
        else if (name === 'SERVER_PORT') found.SERVER_PORT = value;
        else if (name === 'SERVER_ADDR') found.SERVER_ADDR = value;
        break;
      case 12:
        if (name === 'QUERY_STRING') found.QUERY_STRING = value;
        else if (name === 'DOCUMENT_URI') found.DOCUMENT_URI = value;
        break;
      case 14:
        if (name === 'REQUEST_METHOD') found.REQUEST_METHOD = value;
        else if (name === 'REQUEST_SCHEME') found.REQUEST_SCHEME = value;
        break;
      case 15:
        if (name === 'SCRIPT_FILENAME') found.SCRIPT_FILENAME = value;
        break;
    }
  }
  return {
    method: found.REQUEST_METHOD || null,
    url: url(found),
    script: found.SCRIPT_FILENAME || found.SCRIPT_NAME || null,
  };
}

/** The params that tell; undefined when they were not sent, which for HTTPS is not the same as being empty. */
class Found {
  REQUEST_METHOD: string | undefined = undefined;
  SCRIPT_FILENAME: string | undefined = undefined;
  SCRIPT_NAME: string | undefined = undefined;
  PATH_INFO: string | undefined = undefined;
  QUERY_STRING: string | undefined = undefined;
  REQUEST_URI: string | undefined = undefined;
  DOCUMENT_URI: string | undefined = undefined;
  HTTPS: string | undefined = undefined;
  REQUEST_SCHEME: string | undefined = undefined;
  SERVER_PORT: string | undefined = undefined;
  HTTP_HOST: string | undefined = undefined;
  SERVER_NAME: string | undefined = undefined;
  SERVER_ADDR: string | undefined = undefined;
}

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
