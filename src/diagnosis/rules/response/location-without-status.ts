import { visibleText } from '../../../model/visible-text.js';
import { headerFacts } from '../../header-facts.js';
import { webServerOf } from '../../products.js';
import { reactionWords } from '../../reactions.js';
import { defineRule } from '../../rule.js';

export const locationWithoutStatus = defineRule({
  id: 'location-without-status',
  severity: 'note',
  title: 'A Location without a Status',
  meaning:
    'The application names another address but does not say that it redirects there. Some web servers make a redirect of it, others send an ordinary page with an address nobody follows.',
  layer: 'remark',
  certainty: 'proven',
  remedies: {
    any: ['Print "Status: 302 Found" beside each Location (301, 303, 307 or 308 where that is meant).'],
    php: [
      'header("Location: …", true, 302); PHP-FPM and php-cgi add the Status by themselves: another program prints this.',
    ],
  },
  look: ['curl -sI URL: 302, or 200 with a Location.'],
  needs: ['status'],
  seen: [
    'nginx → libfcgi',
    'lighttpd → libfcgi',
    'Apache mod_proxy_fcgi → libfcgi',
    'Caddy → libfcgi',
    'HAProxy → libfcgi',
  ],
  check(exchange) {
    const { response } = exchange;
    if (response === null || !response.complete) return null;
    const { location } = headerFacts(response);
    if (location === null || response.headers.some(({ name }) => name.toLowerCase() === 'status')) return null;
    const server = webServerOf(exchange);
    const lost = server === 'apache' || server === 'caddy' || server === 'h2o';
    return {
      detail: `Location: ${visibleText(location, 120)}, and no Status. ${reactionWords(exchange, REACTIONS)}`,
      severity: lost ? 'warning' : 'note',
      evidence: [{ kind: 'header', name: 'Location' }],
    };
  },
});

const REACTIONS = {
  nginx: 'answers 302',
  lighttpd: 'answers 302',
  apache: 'answers 200 (mod_proxy_fcgi); mod_fcgid answers 302, and serves a local path itself',
  caddy: 'answers 200',
  haproxy: 'answers 302',
  h2o: 'answers 200',
};
