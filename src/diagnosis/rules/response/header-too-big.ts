import type { Exchange, ResponseHead } from '../../../model/exchange.js';
import { formatBytes } from '../../../model/quantity.js';
import { visibleText } from '../../../model/visible-text.js';
import { webServerOf } from '../../products.js';
import { defineRule, type Sighting } from '../../rule.js';

/** nginx: fastcgi_buffer_size is a memory page (4k) unless set, and the header of the first record lies in it, too. */
const NGINX_BUFFER = 4096;
const RECORD_HEADER = 8;
/** Apache reads the block by lines of 8 KiB (MAX_STRING_LEN); no directive changes that. */
const APACHE_LINE = 8190;
/** HAProxy: tune.bufsize 16384 less tune.maxrewrite 1024. */
const HAPROXY_BUFFER = 15_360;
/** lighttpd: a limit that no directive changes. */
const LIGHTTPD_HEAD = 65_535;

export const headerTooBig = defineRule({
  id: 'header-too-big',
  severity: 'error',
  title: 'The response’s headers are larger than the web server’s buffer for them',
  meaning:
    'Web servers read the headers of a response into a buffer of a fixed size. A response whose headers do not fit is thrown away, and the browser gets 502 or 500. Large cookies, debug headers and cache tags are the usual reason.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'Make the headers smaller: cookies belong in a session, debug headers (FirePHP, ChromeLogger, Clockwork) off in production.',
    ],
    nginx: [
      'fastcgi_buffer_size must be above the size of the headers (it is 4k unless set), and fastcgi_buffers and fastcgi_busy_buffers_size must grow with it, or nginx refuses the configuration. For headers of up to 12 KiB, in the location with fastcgi_pass: fastcgi_buffer_size 16k; fastcgi_buffers 8 16k; fastcgi_busy_buffers_size 32k; then nginx -t && nginx -s reload.',
    ],
    lighttpd: ['Takes up to 64 KiB of headers, and no directive raises that: make them smaller.'],
    apache: ['Takes lines of up to 8 KiB, and no directive raises that: split or shorten the longest header.'],
    haproxy: ['tune.bufsize 32768 in the global section.'],
    litespeed: ['Raise Max Dynamic Response Header Size (server configuration, Tuning).'],
  },
  alternatives: [
    {
      cause: 'The buffer has been raised already, and nothing is wrong.',
      tell: 'nginx -T | grep fastcgi_buffer_size shows a value above the measured size, and the client gets its page.',
    },
    {
      cause: 'nginx counts STDERR that comes before the headers in the same buffer.',
      tell: 'The same page passes once the warnings on STDERR are gone.',
    },
  ],
  look: [
    'nginx’s error log: "upstream sent too big header while reading response header from upstream".',
    'lighttpd’s error log: "response headers too large for"; Apache’s: "Premature end of script headers".',
  ],
  needs: ['headers'],
  absence: 'server',
  seen: [
    'nginx → libfcgi',
    'lighttpd → libfcgi',
    'Apache mod_proxy_fcgi → libfcgi',
    'HAProxy → libfcgi',
    'nginx → PHP-FPM',
  ],
  check(exchange) {
    const { response } = exchange;
    if (response === null || response.length + RECORD_HEADER <= NGINX_BUFFER) return null;
    if (response.invalidLines.length > 0) return null;
    const refused = isRefused(exchange);
    if (!response.complete && !refused) return null;
    return sightingFor(exchange, response, refused);
  },
});

/** A web server that closes with bytes unread resets the connection, also when the backend had said everything by then. */
function isRefused({ outcome, connectionEnd }: Exchange): boolean {
  if (outcome === 'web-server-closed' || outcome === 'web-server-reset') return true;
  return outcome === 'completed' && connectionEnd?.endedBy === 'web-server' && connectionEnd.how === 'reset';
}

function sightingFor(exchange: Exchange, response: ResponseHead, refused: boolean): Sighting | null {
  const { length } = response;
  const largest = largestHeader(response);
  const severity = refused ? 'error' : 'warning';
  switch (webServerOf(exchange)) {
    case 'nginx':
      return sighting(response, largest, refused, nginxLimit(refused), {
        severity,
        advice: [nginxAdvice(length)],
      });
    case 'apache':
      if (largest.length <= APACHE_LINE) return null;
      return sighting(response, largest, refused, 'Apache takes no line above 8 KiB and answers 500', {
        certainty: 'proven',
      });
    case 'lighttpd':
      if (length <= LIGHTTPD_HEAD) return null;
      return sighting(response, largest, refused, 'lighttpd takes no more than 64 KiB and answers 502', {
        certainty: 'proven',
      });
    case 'haproxy':
      if (length <= HAPROXY_BUFFER) return null;
      return sighting(
        response,
        largest,
        refused,
        'HAProxy’s buffer takes 15 KiB unless tune.bufsize is set; 2.6 crashes on more',
        {
          severity,
        },
      );
    case 'caddy':
    case 'h2o':
      return null;
    default:
      return sighting(response, largest, refused, 'nginx takes 4k unless told otherwise, Apache 8 KiB a line', {
        severity: refused ? 'error' : 'note',
        advice: [nginxAdvice(length)],
      });
  }
}

function sighting(
  response: ResponseHead,
  largest: LargestHeader,
  refused: boolean,
  limit: string,
  more: Partial<Sighting>,
): Sighting {
  const size = `${response.complete ? '' : 'more than '}${response.length} bytes in ${response.headers.length} lines`;
  const end = refused ? ' The web server ended the connection before the response was over.' : '';
  return {
    detail: `The headers take ${size}, ${visibleText(largest.name, 60)} alone ${formatBytes(largest.length)}; ${limit}.${end}`,
    evidence: [
      { kind: 'header', name: largest.name },
      { kind: 'bytes', stream: 'stdout', offset: 0, length: response.length },
    ],
    ...more,
    beside: more.certainty !== 'proven' && !refused,
  };
}

interface LargestHeader {
  readonly name: string;
  readonly length: number;
}

/** Name, colon, blank and value of the longest line. */
function largestHeader({ headers }: ResponseHead): LargestHeader {
  let largest: LargestHeader = { name: '', length: 0 };
  for (const { name, value } of headers) {
    const length = name.length + 2 + value.length;
    if (length > largest.length) largest = { name, length };
  }
  return largest;
}

function nginxLimit(refused: boolean): string {
  const limit = 'nginx’s fastcgi_buffer_size is 4k unless set';
  return refused ? limit : `${limit}, and visitors get 502 in place of this response where it was not raised`;
}

/** With some room: the next response has a cookie more. The busy ones default to twice a buffer, and must be fewer than all but one. */
function nginxAdvice(length: number): string {
  let kibibytes = 8;
  while (kibibytes * 1024 < length * 1.25 + RECORD_HEADER) kibibytes *= 2;
  return `For this response, in nginx’s location with fastcgi_pass: fastcgi_buffer_size ${kibibytes}k; fastcgi_buffers 8 ${kibibytes}k; fastcgi_busy_buffers_size ${2 * kibibytes}k; then nginx -t && nginx -s reload.`;
}
