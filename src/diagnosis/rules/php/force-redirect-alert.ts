import { bodyBegins } from '../../body-head.js';
import { defineRule } from '../../rule.js';

export const forceRedirectAlert = defineRule({
  id: 'force-redirect-alert',
  severity: 'error',
  title: 'php-cgi refuses to be called without REDIRECT_STATUS',
  meaning:
    'php-cgi runs here as a plain CGI program, behind fcgiwrap or the like, and believes that it was called directly by a visitor. It shows a security alert in place of the page.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: ['Better: run PHP as PHP-FPM (or php-cgi -b), which speaks FastCGI itself and does not ask for this.'],
    nginx: ['fastcgi_param REDIRECT_STATUS 200; in the location (fastcgi.conf and fastcgi_params have it).'],
    apache: ['Use Action and AddHandler for php-cgi, which set REDIRECT_STATUS, or SetEnv REDIRECT_STATUS 200.'],
    caddy: ['env REDIRECT_STATUS 200 in the fastcgi transport.'],
    haproxy: ['set-param REDIRECT_STATUS 200 in the fcgi-app section.'],
    php: ['cgi.force_redirect = 0 in php.ini only where php-cgi itself cannot be reached by a URL.'],
  },
  seen: [],
  check(exchange) {
    if (!bodyBegins(exchange, '<b>Security Alert!</b> The PHP CGI')) return null;
    return {
      detail: 'The body is php-cgi’s security alert; REDIRECT_STATUS did not reach it.',
      evidence: [
        { kind: 'param', name: 'REDIRECT_STATUS' },
        { kind: 'bytes', stream: 'stdout', offset: exchange.response?.length ?? 0, length: exchange.bodyHead.length },
      ],
    };
  },
});
