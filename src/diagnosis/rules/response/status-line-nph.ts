import { visibleText } from '../../../model/visible-text.js';
import { reactionWords } from '../../reactions.js';
import { defineRule } from '../../rule.js';

export const statusLineNph = defineRule({
  id: 'status-line-nph',
  severity: 'error',
  title: 'The response begins with an HTTP status line',
  meaning:
    'A FastCGI application says its status in a header, "Status: 404 Not Found". This one began like a web server of its own, with "HTTP/1.1 404 Not Found", which most web servers refuse or do not read.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: [
      'Print "Status: 404 Not Found" in place of "HTTP/1.1 404 Not Found". A CGI program whose name begins with nph- must be told to behave as an ordinary one (Perl’s CGI.pm: no -nph).',
    ],
    php: [
      'header("HTTP/1.1 404 Not Found") is fine under PHP-FPM and php-cgi: so what runs is another PHP, or a wrapper prints it.',
    ],
  },
  look: ['nginx says nothing; Apache’s error log: "malformed header from script".'],
  needs: ['headers'],
  seen: [
    'nginx → libfcgi',
    'lighttpd → libfcgi',
    'Apache mod_proxy_fcgi → libfcgi',
    'Caddy → libfcgi',
    'HAProxy → libfcgi',
  ],
  check(exchange) {
    const line = exchange.response?.invalidLines[0];
    if (line === undefined || !line.startsWith('HTTP/')) return null;
    return {
      detail: `STDOUT begins with "${visibleText(line, 80)}". ${reactionWords(exchange, REACTIONS)}`,
      evidence: [{ kind: 'bytes', stream: 'stdout', offset: 0, length: line.length }],
    };
  },
});

const REACTIONS = {
  nginx: 'passes it on as 200: the status is lost',
  lighttpd: 'takes the status from it',
  apache: 'answers 500',
  caddy: 'answers 502',
  haproxy: 'answers 502',
  h2o: 'answers 503',
};
