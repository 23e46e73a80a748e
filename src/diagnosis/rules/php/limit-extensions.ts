import { visibleText } from '../../../model/visible-text.js';
import { productsOf, remediesFor } from '../../remedies.js';
import { defineRule, type Remedies } from '../../rule.js';
import { stderrText } from '../../stderr-text.js';

export const limitExtensions = defineRule({
  id: 'limit-extensions',
  severity: 'error',
  title: 'PHP-FPM refuses to run a file with this extension',
  meaning:
    'PHP-FPM runs only files whose names end as security.limit_extensions allows (.php and .phar, unless configured), so that uploaded files cannot be run. It was given another one and answers 403 and "Access denied.".',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: ['Do not empty security.limit_extensions: it keeps uploaded files from being run as programs.'],
    nginx: ['Pass only scripts on: location ~ [^/]\\.php(/|$) { … }.'],
    lighttpd: ['Keep the entry of fastcgi.server to ".php".'],
    apache: ['SetHandler inside <FilesMatch "\\.php$"> only.'],
    caddy: ['php_fastcgi passes only .php on by itself; with reverse_proxy and transport fastcgi, match *.php.'],
    haproxy: [
      'use_backend for PHP only where path_end .php (or its path info) holds; index index.php in the fcgi-app.',
    ],
  },
  look: ['The pool’s file: grep -rn limit_extensions /etc/php/*/fpm/pool.d'],
  needs: ['stderr'],
  seen: [
    'nginx → PHP-FPM',
    'lighttpd → PHP-FPM',
    'Apache mod_proxy_fcgi → PHP-FPM',
    'Caddy → PHP-FPM',
    'HAProxy → PHP-FPM',
  ],
  check(exchange) {
    if (exchange.streams.stderr.bytes === 0) return null;
    const found = DENIED.exec(stderrText(exchange));
    if (!found) return null;
    const script = found[1]!;
    return {
      detail: `PHP-FPM was to run ${script === '' ? 'a file without a name' : visibleText(script, 300)}.`,
      advice: remediesFor(remediesOf(script), productsOf(exchange)),
      evidence: [
        { kind: 'param', name: 'SCRIPT_FILENAME' },
        { kind: 'stderr', text: visibleText(found[0], 400) },
      ],
    };
  },
});

const DENIED = /Access to the script '(.{0,4096}?)' has been denied \(see security\.limit_extensions\)/s;

function remediesOf(script: string): Remedies {
  if (script === '')
    return {
      any: ['SCRIPT_FILENAME is empty: set it.'],
      nginx: [
        'include fastcgi.conf; in this very location, or fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;',
      ],
      haproxy: ['docroot /srv/www in the fcgi-app section.'],
    };
  if (/\.php\/./i.test(script))
    return {
      any: ['The path goes on behind the script: let the web server split it, or set cgi.fix_pathinfo = 1 in php.ini.'],
      nginx: ['fastcgi_split_path_info ^(.+?\\.php)(/.*)$; and fastcgi_param PATH_INFO $fastcgi_path_info;'],
    };
  const last = script.slice(script.lastIndexOf('/') + 1);
  if (!last.includes('.'))
    return {
      any: ['This is probably a folder: let the web server put the index file behind it.'],
      nginx: ['index index.php;'],
      lighttpd: ['index-file.names = ( "index.php" )'],
      apache: ['DirectoryIndex index.php'],
      haproxy: ['index index.php in the fcgi-app section.'],
    };
  if (/\.(?:phtml|php\d|inc|module)$/i.test(last)) {
    const extension = last.slice(last.lastIndexOf('.'));
    return { any: [`If files of this kind are to be run: security.limit_extensions = .php ${extension} in the pool.`] };
  }
  return {
    any: [
      'This is no PHP file: let the web server deliver it itself. If somebody asked for it with /x.php behind it, it was an attempt to have an uploaded file run.',
    ],
  };
}
