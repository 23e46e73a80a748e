import { urlencodedFields } from '../content/form.js';
import type { Exchange, Header, Param } from '../model/exchange.js';
import { paramValue } from '../model/param-value.js';

/**
 * What HAR wants to know of the HTTP request and response that FastCGI carried: header names as HTTP writes them, cookies and query
 * taken apart, an absolute URL.
 */
export interface NameValue {
  readonly name: string;
  readonly value: string;
}

export interface Cookie extends NameValue {
  readonly path?: string;
  readonly domain?: string;
  /** ISO 8601. */
  readonly expires?: string;
  readonly httpOnly?: boolean;
  readonly secure?: boolean;
  readonly sameSite?: string;
}

/** A header's value whatever the case of its name, null when it is not there. */
export function headerValue(headers: readonly Header[], name: string): string | null {
  return headers.find((header) => header.name.toLowerCase() === name)?.value ?? null;
}

/**
 * HTTP_* params become header lines again, and so do CONTENT_TYPE and CONTENT_LENGTH (RFC 3875 section 4.1.18). Some web servers
 * send the same header both ways: it was one.
 */
export function requestHeaders(params: readonly Param[]): NameValue[] {
  return params.flatMap(({ name, value }) => {
    if (name === 'CONTENT_TYPE' || name === 'CONTENT_LENGTH') {
      // Web servers send both empty when the request had neither.
      return value === '' ? [] : [{ name: canonicalName(name), value }];
    }
    if (TWICE.has(name) && paramValue(params, name.slice(5)) === value) return [];
    return name.startsWith('HTTP_') && name.length > 5 ? [{ name: canonicalName(name.slice(5)), value }] : [];
  });
}

const TWICE: ReadonlySet<string> = new Set(['HTTP_CONTENT_TYPE', 'HTTP_CONTENT_LENGTH']);

/** Names that are not written as their words are. */
const SPELLINGS: Readonly<Record<string, string>> = {
  DNT: 'DNT',
  TE: 'TE',
  ETAG: 'ETag',
  SEC_WEBSOCKET_KEY: 'Sec-WebSocket-Key',
  SEC_WEBSOCKET_VERSION: 'Sec-WebSocket-Version',
  SEC_WEBSOCKET_EXTENSIONS: 'Sec-WebSocket-Extensions',
  SEC_WEBSOCKET_PROTOCOL: 'Sec-WebSocket-Protocol',
  SEC_CH_UA: 'Sec-CH-UA',
  SEC_CH_UA_MOBILE: 'Sec-CH-UA-Mobile',
  SEC_CH_UA_PLATFORM: 'Sec-CH-UA-Platform',
  X_XSRF_TOKEN: 'X-XSRF-Token',
  X_CSRF_TOKEN: 'X-CSRF-Token',
  X_REQUEST_ID: 'X-Request-ID',
  X_REAL_IP: 'X-Real-IP',
};

function canonicalName(param: string): string {
  const spelling = SPELLINGS[param];
  if (spelling !== undefined) return spelling;
  return param
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase())
    .join('-');
}

/** Of Cookie headers. What is not a pair (a redacted value) is none. */
export function requestCookies(headers: readonly NameValue[]): Cookie[] {
  return headers
    .filter((header) => header.name === 'Cookie')
    .flatMap((header) => header.value.split(';'))
    .flatMap((pair) => cookiePair(pair) ?? []);
}

/** Of Set-Cookie headers (RFC 6265 section 4.1). */
export function responseCookies(headers: readonly Header[]): Cookie[] {
  return headers
    .filter((header) => header.name.toLowerCase() === 'set-cookie')
    .flatMap((header) => {
      const [first, ...attributes] = header.value.split(';');
      const cookie = cookiePair(first!);
      return cookie === null ? [] : [{ ...cookie, ...cookieAttributes(attributes) }];
    });
}

function cookiePair(text: string): NameValue | null {
  const equals = text.indexOf('=');
  const name = text.slice(0, Math.max(equals, 0)).trim();
  // Readers refuse a cookie without a name.
  return name === '' ? null : { name, value: text.slice(equals + 1).trim() };
}

function cookieAttributes(attributes: readonly string[]): Partial<Cookie> {
  let found: Partial<Cookie> = {};
  for (const attribute of attributes) {
    const equals = attribute.indexOf('=');
    const name = (equals < 0 ? attribute : attribute.slice(0, equals)).trim().toLowerCase();
    const value = equals < 0 ? '' : attribute.slice(equals + 1).trim();
    if (name === 'path') found = { ...found, path: value };
    else if (name === 'domain') found = { ...found, domain: value };
    else if (name === 'httponly') found = { ...found, httpOnly: true };
    else if (name === 'secure') found = { ...found, secure: true };
    else if (name === 'samesite') found = { ...found, sameSite: value };
    else if (name === 'expires' && Date.parse(value) < YEAR_10000) {
      found = { ...found, expires: new Date(value).toISOString() };
    }
  }
  return found;
}

/** From here on ISO 8601 writes years in a longer form that readers do not expect. (A date that cannot be read compares as false.) */
const YEAR_10000 = Date.UTC(10_000, 0);

/** Duplicates kept, in their order. */
export function queryFields(params: readonly Param[], url: string | null): NameValue[] {
  const query = paramValue(params, 'QUERY_STRING') ?? /\?([^#]*)/.exec(url ?? '')?.[1] ?? '';
  return urlencodedFields(query).map(({ name, value }) => ({ name, value }));
}

/**
 * Always absolute. A request without a path in its params (the connection failed before them, an authorizer) is named by where it went.
 */
export function absoluteUrl(exchange: Exchange): string {
  if (exchange.url !== null) return exchange.url;
  const { server } = exchange;
  if (server.kind === 'tcp') {
    const host = server.host.includes(':') ? `[${server.host}]` : server.host;
    return `fastcgi://${host}:${server.port}/`;
  }
  return `fastcgi://unix/${encodeURI(server.path.replace(/^\/+/, ''))}`;
}
