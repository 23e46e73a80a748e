import { declaredLength, headerFacts, isBodiless } from '../../header-facts.js';
import { webServerOf } from '../../products.js';
import { reactionWords } from '../../reactions.js';
import { defineRule } from '../../rule.js';

export const contentLengthTooSmall = defineRule({
  id: 'content-length-too-small',
  severity: 'error',
  title: 'The response is longer than its Content-Length says',
  meaning:
    'The application announced a number of bytes and sent more. Most web servers cut the rest off; some break the response, or send the rest where the next response should be.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'Do not set Content-Length by hand: the web server knows what to do without it.',
      'Where it must be set, count the bytes that are sent (not characters), after everything is in it.',
    ],
    php: [
      'Leave out the closing ?> of each file: white space behind it is sent, too. display_errors = Off keeps messages out of the page.',
      'strlen($body), never mb_strlen.',
    ],
  },
  alternatives: [
    {
      cause: 'White space, a byte order mark or an error message is printed beside the counted body.',
      tell: 'The Stdout tab shows it at the beginning or the end of the body.',
    },
    {
      cause: 'The length was counted in characters, or before compression was switched off.',
      tell: 'The difference is the number of non-ASCII characters, or the figure is that of the compressed page.',
    },
  ],
  look: [
    'nginx’s error log: "upstream sent more data than specified in "Content-Length" header while reading upstream"; Caddy’s: "wrote more than the declared Content-Length".',
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
    const { response, streams, method, problems } = exchange;
    if (response === null || !response.complete || response.length === 0) return null;
    const facts = headerFacts(response);
    if (facts.contentLength === null || method === 'HEAD' || isBodiless(response.status)) return null;
    const declared = declaredLength(facts);
    const body = streams.stdout.bytes - response.length;
    if (declared === null || body <= declared) return null;
    // What came after the end does not belong to the body: that is the fault then.
    if (problems.some(({ code }) => code === 'after-end-request' || code === 'after-end-of-stream')) return null;
    return {
      detail: `Content-Length is ${declared}, and ${body} bytes of body came: ${body - declared} more. ${reactionWords(exchange, REACTIONS)}`,
      // mod_proxy_fcgi drops the figure.
      severity: webServerOf(exchange) === 'apache' ? 'warning' : 'error',
      evidence: [
        { kind: 'header', name: 'Content-Length' },
        { kind: 'bytes', stream: 'stdout', offset: response.length + declared, length: body - declared },
      ],
    };
  },
});

const REACTIONS = {
  nginx: 'cuts the rest off',
  lighttpd: 'cuts the rest off',
  apache:
    'drops the figure (mod_proxy_fcgi), or sends the rest behind the response, where the client takes it for the next one (mod_fcgid)',
  caddy: 'breaks the response off',
  haproxy: 'answers 502',
  h2o: 'cuts the rest off',
};
