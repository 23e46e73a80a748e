import { bodyLength, declaredLength, headerFacts, isBodiless } from '../../header-facts.js';
import { webServerOf } from '../../products.js';
import { reactionWords } from '../../reactions.js';
import { defineRule } from '../../rule.js';

export const contentLengthTooBig = defineRule({
  id: 'content-length-too-big',
  severity: 'error',
  title: 'The response is shorter than its Content-Length says',
  meaning:
    'The application announced a number of bytes and sent fewer. The browser waits for the rest until the connection ends, and shows a broken or incomplete page, although the application itself finished in order.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'Do not set Content-Length by hand: the web server knows what to do without it.',
      'Where it must be set, count the bytes that are sent (not characters), after compression and filters.',
    ],
    php: [
      'strlen($body), never mb_strlen; after ob_get_clean(); zlib.output_compression = Off where the script sets Content-Length.',
      'readfile(): compute filesize() after clearstatcache(), and end no output buffer that a filter has changed.',
    ],
  },
  alternatives: [
    {
      cause: 'The body was compressed, or changed by an output filter, after its length was computed.',
      tell: 'Content-Encoding is among the headers, or the figure is the length of the uncompressed page.',
    },
    {
      cause: 'The length was counted in characters of another charset, or of a file that has changed since.',
      tell: 'The difference is the number of non-ASCII characters, or goes away when the cache is emptied.',
    },
    { cause: 'The script stopped in the middle, with an error.', tell: 'Its message is on STDERR or in its log.' },
  ],
  look: [
    'nginx’s error log: "upstream prematurely closed FastCGI stdout" or "FastCGI request" "while reading upstream".',
    'curl -sv URL -o /dev/null: "transfer closed with N bytes remaining to read".',
  ],
  needs: ['headers'],
  absence: 'server',
  seen: [
    'nginx → libfcgi',
    'lighttpd → libfcgi',
    'Apache mod_proxy_fcgi → libfcgi',
    'Caddy → libfcgi',
    'HAProxy → libfcgi',
    'nginx → PHP-FPM',
    'lighttpd → PHP-FPM',
  ],
  check(exchange) {
    const { response, method } = exchange;
    if (response === null) return null;
    const facts = headerFacts(response);
    if (facts.contentLength === null || method === 'HEAD' || isBodiless(response.status)) return null;
    const declared = declaredLength(facts);
    const body = bodyLength(exchange);
    if (declared === null || body === null || body >= declared) return null;
    // An answer to be replaced by a file: its length may be the file's.
    if (body === 0 && (facts.accelRedirect !== null || facts.sendfile !== null)) return null;
    return {
      detail: `Content-Length is ${declared}, and ${body} bytes of body came: ${declared - body} fewer. ${reactionWords(exchange, REACTIONS)}`,
      // mod_proxy_fcgi drops the figure.
      severity: webServerOf(exchange) === 'apache' ? 'warning' : 'error',
      evidence: [
        { kind: 'header', name: 'Content-Length' },
        { kind: 'bytes', stream: 'stdout', offset: response.length + body, length: 0 },
      ],
    };
  },
});

const REACTIONS = {
  nginx: 'passes on a body that ends too early',
  lighttpd: 'passes on a body that ends too early',
  apache:
    'drops the figure, so that nobody notices (mod_proxy_fcgi), or passes on a body that ends too early (mod_fcgid)',
  caddy: 'passes on a body that ends too early',
  haproxy: 'waits for its server timeout first',
  h2o: 'passes on a body that ends too early',
};
