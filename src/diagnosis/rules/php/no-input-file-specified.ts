import { paramValue } from '../../../model/param-value.js';
import { seenWhole } from '../../blind-spots.js';
import { bodyBegins } from '../../body-head.js';
import { defineRule } from '../../rule.js';
import { shownPath, suspicion } from './script-path.js';

export const noInputFileSpecified = defineRule({
  id: 'no-input-file-specified',
  severity: 'error',
  title: 'PHP was given no file that it can open',
  meaning:
    'PHP answers "No input file specified.": the path that the web server gave for the script leads to no file, or to one that PHP may not open. php-cgi says no more than that, and nothing in a log.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: ['SCRIPT_FILENAME must be sent, and be the path of the file on the machine that runs PHP.'],
    nginx: [
      'fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; and try_files $fastcgi_script_name =404;',
    ],
    lighttpd: ['server.document-root, or "docroot" in the fastcgi.server entry where PHP sees other paths.'],
    apache: [
      'mod_fcgid: FcgidWrapper for .php with Options +ExecCGI; a rewrite to index.php/$1 needs index.php?/$1 where PHP runs as CGI.',
    ],
    caddy: ['root * /srv/www, with the path as PHP sees it.'],
    haproxy: ['docroot /srv/www in the fcgi-app section.'],
    iis: [
      'The site’s physical path must be readable for the application pool’s user; cgi.force_redirect = 0 in php.ini.',
    ],
    php: ['doc_root and user_dir in php.ini must be empty; open_basedir, if set, must hold the script’s folder.'],
  },
  look: ['php -i | grep -E "doc_root|user_dir|open_basedir", with the php.ini of this PHP.'],
  needs: ['body'],
  seen: ['nginx → php-cgi', 'lighttpd → php-cgi'],
  check(exchange) {
    if (!bodyBegins(exchange, 'No input file specified.')) return null;
    const script = paramValue(exchange.params, 'SCRIPT_FILENAME');
    const path = script
      ? `SCRIPT_FILENAME is ${shownPath(script)}.`
      : `SCRIPT_FILENAME ${seenWhole(exchange, 'client') ? 'is empty or missing' : 'was not seen'}.`;
    const suspected = suspicion(exchange, path);
    return {
      ...suspected,
      alternatives: [...suspected.alternatives, RESTRICTED],
      evidence: [
        { kind: 'param', name: 'SCRIPT_FILENAME' },
        { kind: 'bytes', stream: 'stdout', offset: exchange.response?.length ?? 0, length: 24 },
      ],
    };
  },
});

const RESTRICTED = {
  cause: 'PHP is restricted to another folder: doc_root, user_dir or open_basedir.',
  tell: 'php -i shows them; a small script in another folder then works.',
};
