import { bodyLength, headerFacts, isBodiless } from '../../header-facts.js';
import { defineRule } from '../../rule.js';

export const contentTypeMissing = defineRule({
  id: 'content-type-missing',
  severity: 'note',
  title: 'The response does not say what it is',
  meaning:
    'A response with a body should say its type in a Content-Type header. Web servers pass one without it on, with a type of their own or with none, and the browser guesses: pages are shown as text, or files are offered for download.',
  layer: 'remark',
  certainty: 'proven',
  remedies: {
    any: ['Print "Content-Type: text/html; charset=UTF-8", or what it is, among the headers.'],
    php: ['default_mimetype = "text/html" in php.ini (it is empty), or header("Content-Type: …") in the script.'],
  },
  look: ['curl -sI URL | grep -i content-type: what the client is told.'],
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
    const { response, role } = exchange;
    if (response === null || role === 'authorizer' || response.invalidLines.length > 0) return null;
    const facts = headerFacts(response);
    if (facts.contentType !== null || facts.location !== null || isBodiless(response.status)) return null;
    const body = bodyLength(exchange);
    if (body === null || body === 0) return null;
    return {
      detail: `${body} bytes of body and no Content-Type. Caddy guesses a type from the content; the others send none, or their default.`,
      evidence: [{ kind: 'bytes', stream: 'stdout', offset: 0, length: response.length }],
    };
  },
});
