import { visibleText } from '../../../model/visible-text.js';
import { headerFacts } from '../../header-facts.js';
import { webServerOf } from '../../products.js';
import { reactionWords } from '../../reactions.js';
import { defineRule } from '../../rule.js';

export const transferEncodingFromApp = defineRule({
  id: 'transfer-encoding-from-app',
  severity: 'warning',
  title: 'The application cuts its body into HTTP chunks by itself',
  meaning:
    'Chunks are the web server’s business: FastCGI has records for that. Where the application makes chunks of its own, some web servers undo them, others wrap them once more, and the browser shows hexadecimal numbers in the page.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: ['Never send Transfer-Encoding from a FastCGI application: print the body as it is, and flush.'],
    php: [
      'Remove header("Transfer-Encoding: chunked"), also from a proxied answer whose headers the script passes on.',
    ],
  },
  look: ['curl --raw -s URL | head: numbers before the page, twice where it was wrapped once more.'],
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
    const { response } = exchange;
    if (response === null) return null;
    const { transferEncoding } = headerFacts(response);
    if (transferEncoding === null || transferEncoding.toLowerCase() === 'identity') return null;
    const server = webServerOf(exchange);
    const doubled = server === 'nginx' || server === 'apache' || server === 'h2o';
    return {
      detail: `Transfer-Encoding is "${visibleText(transferEncoding, 40)}". ${reactionWords(exchange, REACTIONS)}`,
      severity: doubled ? 'error' : 'warning',
      evidence: [{ kind: 'header', name: 'Transfer-Encoding' }],
    };
  },
});

const REACTIONS = {
  nginx: '1.22 wraps the chunks once more; newer ones refuse any other coding',
  lighttpd: 'undoes them',
  apache: 'wraps them once more (mod_proxy_fcgi), or undoes them (mod_fcgid)',
  caddy: 'undoes them',
  haproxy: 'undoes them',
  h2o: 'wraps them once more',
};
