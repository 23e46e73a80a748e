import { visibleText } from '../../../model/visible-text.js';
import { bodyBegins, bodyHeadText } from '../../body-head.js';
import { headerValue } from '../../header-value.js';
import { defineRule } from '../../rule.js';

export const sourceCodeServed = defineRule({
  id: 'source-code-served',
  severity: 'error',
  title: 'The source code of a script is delivered instead of being run',
  meaning:
    'The page begins with PHP code: whoever answers this request sent the file itself. Everybody can read the code, and passwords in it, with the browser’s "view source".',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: ['Change every password and key that stands in that file: it has been public.'],
    nginx: ['fastcgi_pass to PHP-FPM, not to the program that answered here (fcgiwrap, a file server).'],
    lighttpd: ['fastcgi.server = ( ".php" => ( … ) ) with the socket of PHP-FPM.'],
    apache: ['SetHandler "proxy:unix:/run/php/php-fpm.sock|fcgi://localhost/" for \\.php$.'],
    php: ['short_open_tag = On, or better write <?php in place of <? in the code.'],
  },
  alternatives: [
    {
      cause: 'Not PHP answered, but a program that delivers files.',
      tell: 'There is no X-Powered-By; see what listens at this address: ss -lxtp.',
    },
    { cause: 'The file begins with <? and PHP has short_open_tag off.', tell: 'php -i | grep short_open_tag' },
    { cause: 'The script printed code on purpose (a download, a viewer).', tell: 'The page is what was asked for.' },
  ],
  needs: ['body'],
  seen: ['test client → PHP-FPM with short_open_tag off'],
  check(exchange) {
    if (!bodyBegins(exchange, '<?') || exchange.response?.complete !== true) return null;
    if (!CODE.test(bodyHeadText(exchange)) || exchange.role !== 'responder') return null;
    // A download says so, and an example is shown as text.
    if (headerValue(exchange, 'content-disposition') !== null) return null;
    const type = headerValue(exchange, 'content-type');
    if (type !== null && !/^(?:text\/html|application\/(?:x-httpd-php|x-php))/i.test(type)) return null;
    return {
      detail: `The body begins with ${visibleText(bodyHeadText(exchange), 40)}`,
      evidence: [
        { kind: 'bytes', stream: 'stdout', offset: exchange.response.length, length: exchange.bodyHead.length },
      ],
    };
  },
});

/** `<?php`, `<?=` and the short tag; `<?xml` is something else. */
const CODE = /^<\?(?:php\s|=|[ \t\r\n])/i;
