import { paramValue } from '../../../model/param-value.js';
import { visibleText } from '../../../model/visible-text.js';
import { MARK, paramMarks } from '../../param-marks.js';
import { defineRule } from '../../rule.js';

export const pathinfoUploadExec = defineRule({
  id: 'pathinfo-upload-exec',
  severity: 'error',
  title: 'An attempt to have an uploaded file run as a PHP script',
  meaning:
    'The URL puts a script’s name behind an image or document (/uploads/photo.jpg/x.php). The web server takes it for a script, and PHP, which looks for a file further and further up the path (cgi.fix_pathinfo), finds the photo: if it may run it, code hidden in an upload runs.',
  layer: 'remark',
  certainty: 'allowed',
  remedies: {
    nginx: [
      'try_files $fastcgi_script_name =404; in the PHP location; and location ^~ /uploads/ { } above it, which passes nothing there on to PHP.',
    ],
    lighttpd: ['$HTTP["url"] =~ "^/uploads/" { fastcgi.server = () }'],
    apache: [
      'SetHandler for PHP in <FilesMatch "\\.php$"> (which looks at the file, not at the URL), and SetHandler none in <Directory "/srv/www/uploads">.',
    ],
    caddy: ['@uploads path /uploads/*.php* and respond @uploads 404 before php_fastcgi.'],
    'php-fpm': ['security.limit_extensions = .php (do not empty it): then PHP-FPM answers 403 to this.'],
    php: ['cgi.fix_pathinfo = 0 where no application needs path info.'],
  },
  alternatives: [
    {
      cause: 'A scanner that tries this on everybody, without an upload.',
      tell: 'There is no such file, and the answer is 404 or 403.',
    },
    { cause: 'There is a folder with such a name.', tell: 'ls -ld that path.' },
  ],
  look: ['file PATH and grep -c "<?php" PATH of the upload; the access log for who uploaded it.'],
  needs: ['marks'],
  seen: ['nginx → PHP-FPM', 'lighttpd → PHP-FPM', 'Caddy → PHP-FPM', 'HAProxy → PHP-FPM'],
  check(exchange) {
    if ((paramMarks(exchange) & MARK.FILE_AS_FOLDER) === 0) return null;
    const script = paramValue(exchange.params, 'SCRIPT_FILENAME') ?? '';
    if (!/\.(?:php\d?|phtml|phar)$/i.test(script)) return null;
    const status = exchange.response?.status ?? null;
    const refused = status !== null && status >= 400;
    return {
      detail: `SCRIPT_FILENAME is ${visibleText(script, 200)}; ${
        status === null
          ? 'there is no status'
          : refused
            ? `it was refused with status ${status}`
            : `the answer is ${status}`
      }.`,
      severity: refused ? 'note' : status === null ? 'warning' : 'error',
      evidence: [{ kind: 'param', name: 'SCRIPT_FILENAME' }],
    };
  },
});
