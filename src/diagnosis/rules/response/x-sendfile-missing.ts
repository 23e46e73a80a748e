import { visibleText } from '../../../model/visible-text.js';
import { bodyLength, headerFacts } from '../../header-facts.js';
import { PRODUCT_NAMES, webServerOf } from '../../products.js';
import { defineRule } from '../../rule.js';

export const xSendfileMissing = defineRule({
  id: 'x-sendfile-missing',
  severity: 'error',
  title: 'X-Sendfile for a web server that does not know it',
  meaning:
    'With X-Sendfile the application asks lighttpd, or Apache with mod_xsendfile, to send a file in its place. Other web servers do not: the client gets an empty page, and the file’s path as a header.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: ['Let the application send the header of the web server at hand, or the file itself.'],
    nginx: [
      'X-Accel-Redirect: /files/NAME in the application, and location /files/ { internal; alias /srv/files/; } in nginx.',
    ],
    lighttpd: [
      '"x-sendfile" => "enable", "x-sendfile-docroot" => ( "/srv/files" ) in fastcgi.server; without it the header is passed on.',
    ],
    apache: ['mod_xsendfile, XSendFile On and XSendFilePath /srv/files; without it the header is passed on.'],
    caddy: [
      'In php_fastcgi or reverse_proxy: @send header X-Sendfile *, and handle_response @send { root * /; rewrite * {rp.header.X-Sendfile}; method * GET; file_server }.',
    ],
    haproxy: ['HAProxy serves no files: let the application send the file, or put a web server between.'],
    litespeed: ['X-LiteSpeed-Location with a URI of the same site.'],
    h2o: ['It serves no file for this header: let the application send the file.'],
  },
  alternatives: [
    {
      cause: 'The web server has been taught to follow it (Caddy’s handle_response).',
      tell: 'The client gets the file: curl -sI URL shows its length and no X-Sendfile.',
    },
  ],
  look: [
    'curl -sI URL: 200 with Content-Length 0 and the header.',
    'lighttpd’s error log: "X-Sendfile: file not under configured x-sendfile-docroot(s)" (403) or "not a regular file" (404).',
  ],
  needs: ['headers'],
  absence: 'server',
  seen: ['nginx → libfcgi', 'Caddy → libfcgi', 'HAProxy → libfcgi', 'nginx → PHP-FPM'],
  check(exchange) {
    const { response } = exchange;
    if (response === null) return null;
    const { sendfile } = headerFacts(response);
    if (sendfile === null || bodyLength(exchange) !== 0) return null;
    const server = webServerOf(exchange);
    // Whether these two have found the file is not seen here, and mostly it is what was wanted.
    if (server === 'lighttpd' || server === 'apache') return null;
    const who = server === null ? 'unless it is lighttpd, the web server' : PRODUCT_NAMES[server];
    return {
      detail: `${sendfile.name}: ${visibleText(sendfile.value, 120)}, and no body; ${who} answers with an empty page.`,
      severity: server === null ? 'note' : server === 'caddy' ? 'warning' : 'error',
      beside: server === null,
      evidence: [{ kind: 'header', name: sendfile.name }],
    };
  },
});
