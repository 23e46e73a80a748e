import { visibleText } from '../../../model/visible-text.js';
import { bodyLength, headerFacts } from '../../header-facts.js';
import { PRODUCT_NAMES, webServerOf } from '../../products.js';
import { defineRule } from '../../rule.js';

export const xAccelRedirectMissing = defineRule({
  id: 'x-accel-redirect-missing',
  severity: 'error',
  title: 'X-Accel-Redirect for a web server that does not know it',
  meaning:
    'With X-Accel-Redirect the application asks nginx to send a file in its place. No other web server does that by itself: the client gets an empty page, and the file’s path as a header.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: ['Let the application send the header of the web server at hand, or the file itself.'],
    lighttpd: [
      'X-Sendfile with the file’s path, and "x-sendfile" => "enable", "x-sendfile-docroot" => ( "/srv/files" ) in fastcgi.server.',
    ],
    apache: ['X-Sendfile with the file’s path, mod_xsendfile, XSendFile On and XSendFilePath /srv/files.'],
    caddy: [
      'In php_fastcgi or reverse_proxy: @accel header X-Accel-Redirect *, and handle_response @accel { root * /srv/files; rewrite * {rp.header.X-Accel-Redirect}; method * GET; file_server }.',
    ],
    haproxy: ['HAProxy serves no files: let the application send the file, or put nginx between.'],
    litespeed: ['X-LiteSpeed-Location with a URI of the same site.'],
    h2o: ['file.dir does not follow the header; reproxy: ON with the header X-Reproxy-URL does.'],
  },
  alternatives: [
    {
      cause: 'The web server has been taught to follow it (Caddy’s handle_response).',
      tell: 'The client gets the file: curl -sI URL shows its length and no X-Accel-Redirect.',
    },
  ],
  look: ['curl -sI URL: 200 with Content-Length 0 and the header X-Accel-Redirect.'],
  needs: ['headers'],
  absence: 'server',
  seen: [
    'lighttpd → libfcgi',
    'Apache mod_proxy_fcgi → libfcgi',
    'Caddy → libfcgi',
    'HAProxy → libfcgi',
    'lighttpd → PHP-FPM',
  ],
  check(exchange) {
    const { response } = exchange;
    if (response === null) return null;
    const { accelRedirect } = headerFacts(response);
    if (accelRedirect === null || bodyLength(exchange) !== 0) return null;
    const server = webServerOf(exchange);
    // What becomes of it in nginx is not seen here, and mostly it is what was wanted.
    if (server === 'nginx') return null;
    const who = server === null ? 'unless it is nginx, the web server' : PRODUCT_NAMES[server];
    return {
      detail: `X-Accel-Redirect: ${visibleText(accelRedirect, 120)}, and no body; ${who} answers with an empty page.`,
      severity: server === null ? 'note' : server === 'caddy' ? 'warning' : 'error',
      beside: server === null,
      evidence: [{ kind: 'header', name: 'X-Accel-Redirect' }],
    };
  },
});
