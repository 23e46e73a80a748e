import { webServerOf } from '../../products.js';
import { defineRule } from '../../rule.js';

/** h2o's own limit, and HAProxy's tune.http.maxhdr (101) without the line it counts for the status. */
const MOST_HEADERS = 100;

export const tooManyHeaders = defineRule({
  id: 'too-many-headers',
  severity: 'error',
  title: 'The response has more header lines than the web server takes',
  meaning:
    'HAProxy and h2o count the header lines of a response and refuse one with more than about a hundred, whatever their size. The other web servers do not count.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: ['Send fewer headers: mostly one of them is repeated in a loop (Set-Cookie, Link, a debug header).'],
    haproxy: ['tune.http.maxhdr 256 in the global section.'],
    h2o: ['Its limit of 100 is fixed: the application must send fewer.'],
  },
  alternatives: [
    {
      cause: 'The limit has been raised already, and nothing is wrong.',
      tell: 'tune.http.maxhdr stands in haproxy.cfg, and the client gets its page.',
    },
  ],
  look: [
    'HAProxy’s log: 502 with the termination state PH--; echo "show errors" | socat stdio /run/haproxy/admin.sock shows where it stopped.',
  ],
  needs: ['headers'],
  seen: ['HAProxy → libfcgi'],
  check(exchange) {
    const { response } = exchange;
    if (response === null || response.headers.length <= MOST_HEADERS) return null;
    const server = webServerOf(exchange);
    if (server !== null && server !== 'haproxy' && server !== 'h2o') return null;
    const count = response.headers.length;
    const reaction = server === 'haproxy' ? ' It answers 502.' : server === 'h2o' ? ' It answers 503.' : '';
    return {
      detail: `${count} header lines; HAProxy takes ${MOST_HEADERS + 1} with the status (tune.http.maxhdr), h2o ${MOST_HEADERS}.${reaction}`,
      severity: server === null ? 'note' : 'error',
      beside: server === null,
      evidence: [{ kind: 'bytes', stream: 'stdout', offset: 0, length: response.length }],
    };
  },
});
