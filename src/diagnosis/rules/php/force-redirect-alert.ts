import { bodyBegins } from '../../body-head.js';
import { defineRule } from '../../rule.js';

export const forceRedirectAlert = defineRule({
  id: 'force-redirect-alert',
  severity: 'error',
  title: 'php-cgi refuses to be called without REDIRECT_STATUS',
  meaning:
    'php-cgi runs here as a plain CGI program, behind fcgiwrap or the like, and believes that it was called directly by a visitor. It prints a security alert in place of the page, and no header before it, so nginx answers 502.',
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
  needs: ['body', 'headers'],
  seen: ['nginx → fcgiwrap, php-cgi'],
  check(exchange) {
    const { response } = exchange;
    if (response === null) return null;
    // Some versions print a header before it.
    const inHead = response.invalidLines.length > 0 && response.invalidLines[0]!.startsWith(ALERT);
    if (!inHead && !bodyBegins(exchange, ALERT)) return null;
    return {
      detail: 'The response is php-cgi’s security alert; REDIRECT_STATUS did not reach it.',
      evidence: [
        { kind: 'param', name: 'REDIRECT_STATUS' },
        { kind: 'bytes', stream: 'stdout', offset: inHead ? 0 : response.length, length: ALERT.length },
      ],
    };
  },
});

const ALERT = '<b>Security Alert!</b> The PHP CGI';
