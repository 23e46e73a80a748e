import type { Pair } from '../protocol/fastcgi/name-value.js';

/** What a scenario says of a request; the rest is the same for all of them. */
export interface RequestLine {
  readonly method?: string;
  /** With the query: `/index.php?page=2`. */
  readonly uri: string;
  readonly contentType?: string;
  readonly contentLength?: number;
  readonly cookie?: string;
  /** Further params at the end, as `fastcgi_param` lines after the include are. */
  readonly more?: readonly Pair[];
}

export const DOCUMENT_ROOT = '/srv/www/shop';
export const SERVER_SOFTWARE = 'fcgi-inspect-demo/1.0';

/** The params in the order of nginx's `fastcgi_params` file, then the request's header fields as HTTP_*. */
export function requestParams(line: RequestLine): readonly Pair[] {
  const [path = '', query = ''] = line.uri.split('?', 2);
  const length = line.contentLength === undefined ? '' : String(line.contentLength);
  return [
    ['QUERY_STRING', query],
    ['REQUEST_METHOD', line.method ?? 'GET'],
    ['CONTENT_TYPE', line.contentType ?? ''],
    ['CONTENT_LENGTH', length],
    ['SCRIPT_NAME', path],
    ['REQUEST_URI', line.uri],
    ['DOCUMENT_URI', path],
    ['DOCUMENT_ROOT', DOCUMENT_ROOT],
    ['SERVER_PROTOCOL', 'HTTP/1.1'],
    ['REQUEST_SCHEME', 'http'],
    ['GATEWAY_INTERFACE', 'CGI/1.1'],
    ['SERVER_SOFTWARE', SERVER_SOFTWARE],
    // The addresses that RFC 5737 keeps free for examples.
    ['REMOTE_ADDR', '192.0.2.17'],
    ['REMOTE_PORT', '51344'],
    ['SERVER_ADDR', '198.51.100.5'],
    ['SERVER_PORT', '80'],
    ['SERVER_NAME', 'shop.example'],
    ['REDIRECT_STATUS', '200'],
    ['SCRIPT_FILENAME', `${DOCUMENT_ROOT}${path}`],
    ['HTTP_HOST', 'shop.example'],
    ['HTTP_USER_AGENT', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'],
    ['HTTP_ACCEPT', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
    ['HTTP_ACCEPT_LANGUAGE', 'en,de;q=0.7'],
    ['HTTP_ACCEPT_ENCODING', 'gzip, deflate'],
    ['HTTP_COOKIE', line.cookie ?? 'session=5f2b7c0e9a; theme=dark'],
    ...(line.more ?? []),
  ];
}
