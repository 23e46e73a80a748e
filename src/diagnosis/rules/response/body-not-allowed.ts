import { headerFacts, isBodiless } from '../../header-facts.js';
import { webServerOf } from '../../products.js';
import { reactionWords } from '../../reactions.js';
import { defineRule } from '../../rule.js';

export const bodyNotAllowed = defineRule({
  id: 'body-not-allowed',
  severity: 'warning',
  title: 'The response has a body where none may be',
  meaning:
    'A response with the status 204 or 304, and one to a HEAD request, has no body. The application sent one; web servers cut it off, refuse the response, or let it run into the next one.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: ['Print nothing after the headers when the status is 204 or 304, or the method is HEAD.'],
    php: ['http_response_code(204); exit; and mind what other files, and white space behind ?>, print.'],
  },
  look: [
    'nginx’s error log: "upstream sent more data than specified"; Caddy’s: "request method or response status code does not allow body".',
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
    const { response, streams, method } = exchange;
    if (response === null || !response.complete || response.length === 0) return null;
    const head = method === 'HEAD';
    if (!head && !isBodiless(response.status)) return null;
    const body = streams.stdout.bytes - response.length;
    if (body <= 0 || headerFacts(response).accelRedirect !== null) return null;
    const refused = !head && webServerOf(exchange) === 'haproxy';
    return {
      detail: head
        ? `${body} bytes of body in answer to HEAD. Web servers cut it off; h2o lets it through.`
        : `${body} bytes of body with the status ${response.status}. ${reactionWords(exchange, REACTIONS)}`,
      severity: head ? 'note' : refused ? 'error' : 'warning',
      beside: head,
      evidence: [{ kind: 'bytes', stream: 'stdout', offset: response.length, length: body }],
    };
  },
});

const REACTIONS = {
  nginx: 'cuts it off, with a warning in its log',
  lighttpd: 'cuts it off',
  apache: 'cuts it off',
  caddy: 'cuts it off, with an error in its log',
  haproxy: 'answers 502',
  h2o: 'lets it through, where the client takes it for the next response',
};
