import type { Problem } from '../../../model/exchange.js';
import { isLostByGap } from '../../blind-spots.js';
import { reactionWords } from '../../reactions.js';
import { defineRule } from '../../rule.js';

export const backendSpeaksHttp = defineRule({
  id: 'backend-speaks-http',
  severity: 'error',
  title: 'The backend does not speak FastCGI',
  meaning:
    'What answers on this address is no FastCGI application: mostly an HTTP server, such as PHP’s built-in one, Node, or a container image with Apache in it. The web server cannot read its answer.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: [
      'Name the address on which the FastCGI application listens; for PHP-FPM that is "listen =" in its pool file.',
    ],
    nginx: ['proxy_pass http://HOST:PORT; in place of fastcgi_pass, if the HTTP server is what you want.'],
    lighttpd: ['proxy.server (mod_proxy) in place of fastcgi.server, if the HTTP server is what you want.'],
    apache: ['ProxyPass "/" "http://HOST:PORT/" in place of fcgi://, if the HTTP server is what you want.'],
    caddy: [
      'reverse_proxy HOST:PORT without transport fastcgi, in place of php_fastcgi, if the HTTP server is what you want.',
    ],
    haproxy: [
      'Remove proto fcgi from the server line and use-fcgi-app from the backend, if the HTTP server is what you want.',
    ],
    php: ['php -S and the image php:apache speak HTTP; PHP-FPM (image php:fpm) and php-cgi -b speak FastCGI.'],
  },
  look: [
    'ss -ltnp | grep :PORT on the backend’s host: who listens there.',
    'nginx’s error log: "upstream sent unsupported FastCGI protocol version: 72" (72 is the H of HTTP); Apache’s: AH01068 "Got bogus version 72"; Caddy’s: "fcgi: invalid header version"; lighttpd’s: "unexpected end-of-file".',
  ],
  needs: ['problems'],
  seen: ['nginx → nginx as an HTTP server'],
  check(exchange) {
    const { records, problems } = exchange;
    if (records.problems === 0) return null;
    const problem = problems.find((one) => isForeign(one, records.gaps));
    if (problem === undefined) return null;
    return {
      detail: `${sentence(problem.message)}. ${reactionWords(exchange, REACTIONS)}`,
      advice: adviceFor(problem.message),
    };
  },
});

/** Named, or from the very first byte on nothing that could be a record. */
function isForeign(problem: Problem, gaps: number): boolean {
  const { code, side, offset } = problem;
  if (side !== 'server' || isLostByGap(problem)) return false;
  return code === 'foreign-protocol' || (code === 'lost-framing' && offset === 0 && gaps === 0);
}

function adviceFor(message: string): readonly string[] {
  if (message.includes('a TLS record'))
    return ['The backend wants TLS, which FastCGI does not have: use its plain port, or a tunnel (stunnel).'];
  if (message.includes('a CGI response')) {
    return [
      'The program runs as CGI and not as FastCGI: start it by fcgiwrap or spawn-fcgi, or build it with a FastCGI library.',
    ];
  }
  if (/a PHP message|HTML or XML|JSON|plain text/.test(message)) {
    return [
      'Something prints into the connection before the FastCGI library does: a message of the program or of its wrapper.',
    ];
  }
  return [];
}

function sentence(message: string): string {
  return message.charAt(0).toUpperCase() + message.slice(1);
}

const REACTIONS = {
  nginx: 'answers 502',
  lighttpd: 'answers 500',
  apache: 'answers 503',
  caddy: 'answers 502',
  haproxy: 'answers 502',
  h2o: 'answers 503',
};
