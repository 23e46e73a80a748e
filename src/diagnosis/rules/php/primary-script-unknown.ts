import type { Evidence } from '../../../model/finding.js';
import { paramValue } from '../../../model/param-value.js';
import { defineRule } from '../../rule.js';
import { stderrText } from '../../stderr-text.js';
import { shownPath, suspicion, withoutPath } from './script-path.js';

export const primaryScriptUnknown = defineRule({
  id: 'primary-script-unknown',
  severity: 'error',
  title: 'PHP-FPM does not find the script',
  meaning:
    'The web server tells PHP-FPM by its path which file to run. For PHP-FPM there is no file at that path, so it answers 404 and "File not found.".',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'SCRIPT_FILENAME must be sent, and be the path of the file on the machine that runs PHP: compare them letter by letter.',
    ],
    nginx: [
      'root /srv/www; in the server block, and fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;',
    ],
    lighttpd: [
      'server.document-root = "/srv/www"; where PHP runs elsewhere, "docroot" => "/its/own/path" in the fastcgi.server entry.',
    ],
    apache: [
      'DocumentRoot "/srv/www" with SetHandler "proxy:fcgi://127.0.0.1:9000" in <FilesMatch "\\.php$">; where PHP runs elsewhere, ProxyFCGISetEnvIf "true" SCRIPT_FILENAME "/its/path%{reqenv:SCRIPT_NAME}".',
    ],
    caddy: ['root * /srv/www; where PHP runs elsewhere, php_fastcgi php:9000 { root /its/own/path }.'],
    haproxy: ['docroot /srv/www in the fcgi-app section, with PHP’s own path.'],
    litespeed: ['The virtual host’s document root and the external application must see the same files.'],
    'php-fpm': ['With chroot = in the pool, the path is taken from there: leave the chroot’s own folder out of it.'],
  },
  look: [
    'The web server’s error log has the text "Primary script unknown" beside the request.',
    'PHP-FPM’s access.log = … with %{SCRIPT_FILENAME}e in access.format shows every path it was given.',
  ],
  needs: ['stderr'],
  seen: [
    'nginx → PHP-FPM',
    'lighttpd → PHP-FPM',
    'Apache mod_proxy_fcgi → PHP-FPM',
    'Caddy → PHP-FPM',
    'HAProxy → PHP-FPM',
  ],
  check(exchange) {
    if (exchange.streams.stderr.bytes === 0 || !stderrText(exchange).includes('Primary script unknown')) return null;
    const script = paramValue(exchange.params, 'SCRIPT_FILENAME');
    const evidence: readonly Evidence[] = [
      { kind: 'param', name: 'SCRIPT_FILENAME' },
      { kind: 'stderr', text: 'Primary script unknown' },
    ];
    const isWhole = exchange.paramsComplete && exchange.streams.params.missing === 0;
    if (!script && isWhole) return { ...withoutPath(exchange, script), evidence };
    const path = script ? `SCRIPT_FILENAME is ${shownPath(script)}` : 'SCRIPT_FILENAME was not seen';
    return { ...suspicion(exchange, `${path}: no such file for PHP.`), evidence };
  },
});
