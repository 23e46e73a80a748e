import { webServerOf } from '../../products.js';
import { reactionWords } from '../../reactions.js';
import { defineRule } from '../../rule.js';

export const versionMismatch = defineRule({
  id: 'version-mismatch',
  severity: 'error',
  title: 'A record says another version than 1',
  meaning:
    'Each record begins with the version of the protocol, and there is only version 1. A record with another one is sound otherwise, so the program that makes it is at fault; some take it, others end the connection.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: ['Update the FastCGI library of the one that sends it: the first byte of each record must be 1.'],
    'php-fpm': ['Closes the connection at version 0 and takes any other; libfcgi and Go close it at any but 1.'],
  },
  look: [
    'nginx’s error log: "upstream sent unsupported FastCGI protocol version"; Apache’s: AH01068 "Got bogus version"; Caddy’s: "fcgi: invalid header version".',
  ],
  needs: ['problems'],
  seen: ['test client → libfcgi', 'test client → PHP-FPM'],
  check(exchange) {
    if (exchange.records.problems === 0) return null;
    const problem = exchange.problems.find(({ code }) => code === 'bad-version');
    if (problem === undefined) return null;
    const server = webServerOf(exchange);
    const fromBackend = problem.side === 'server';
    const taken = fromBackend
      ? server === 'lighttpd' || server === 'haproxy' || server === 'h2o'
      : exchange.outcome === 'completed';
    const reaction = fromBackend ? ` ${reactionWords(exchange, REACTIONS)}` : '';
    return {
      detail: `${fromBackend ? 'The backend' : 'The web server'} sent it at byte ${problem.offset}: ${problem.message}.${reaction}`,
      severity: taken ? 'warning' : 'error',
      beside: taken,
    };
  },
});

const REACTIONS = {
  nginx: 'answers 502',
  lighttpd: 'does not look at it',
  apache: 'answers 503 (mod_proxy_fcgi), or does not look at it (mod_fcgid)',
  caddy: 'answers 502',
  haproxy: 'does not look at it',
  h2o: 'does not look at it',
};
