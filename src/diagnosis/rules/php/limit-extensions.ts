import { visibleText } from '../../../model/visible-text.js';
import { defineRule } from '../../rule.js';
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
  seen: [],
  check(exchange) {
    if (exchange.streams.stderr.bytes === 0) return null;
    const found = DENIED.exec(stderrText(exchange));
    if (!found) return null;
    const script = found[1]!;
    return {
      detail: `PHP-FPM was to run ${script === '' ? 'a file without a name' : visibleText(script, 300)}.`,
      advice: [adviceFor(script)],
      evidence: [
        { kind: 'param', name: 'SCRIPT_FILENAME' },
        { kind: 'stderr', text: visibleText(found[0], 400) },
      ],
    };
  },
});

const DENIED = /Access to the script '(.{0,4096}?)' has been denied \(see security\.limit_extensions\)/s;

function adviceFor(script: string): string {
  if (script === '')
    return 'SCRIPT_FILENAME is empty: set it (nginx: include fastcgi.conf; in this very location; HAProxy: docroot).';
  if (/\.php\/./i.test(script))
    return 'The path goes on behind the script: split it (nginx: fastcgi_split_path_info ^(.+?\\.php)(/.*)$;) or set cgi.fix_pathinfo=1.';
  const last = script.slice(script.lastIndexOf('/') + 1);
  if (!last.includes('.'))
    return 'This is probably a folder: let the web server put the index file behind it (nginx: index index.php; lighttpd: index-file.names; Apache: DirectoryIndex index.php; HAProxy: index index.php).';
  if (/\.(?:phtml|php\d|inc|module)$/i.test(last))
    return `If files of this kind are to be run: security.limit_extensions = .php ${visibleText(last.slice(last.lastIndexOf('.')), 20)} in the pool.`;
  return 'This is no PHP file: let the web server deliver it itself. If somebody asked for it with /x.php behind it, it was an attempt to have an uploaded file run.';
}
