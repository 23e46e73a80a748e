import { paramValue } from '../../../model/param-value.js';
import { visibleText } from '../../../model/visible-text.js';
import { defineRule } from '../../rule.js';
import { isPhp } from './php-message.js';

export const pathInfoWrong = defineRule({
  id: 'path-info-wrong',
  severity: 'warning',
  title: 'The URL was not split rightly into script and path info',
  meaning:
    'A web server splits /index.php/news/3 into the script, /index.php, and what follows it, /news/3, by which many applications find the page. Here the two parts do not fit together, and the application answers 404.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    nginx: [
      'fastcgi_split_path_info ^(.+?\\.php)(/.*)$; then set $path_info $fastcgi_path_info; try_files $fastcgi_script_name =404; fastcgi_param PATH_INFO $path_info; in a location ~ [^/]\\.php(/|$).',
    ],
    lighttpd: [
      '"broken-scriptfilename" => "enable" in the fastcgi.server entry; "fix-root-scriptname" => "enable" for an entry at "/".',
    ],
    apache: [
      'SetHandler "proxy:…" in place of ProxyPassMatch; ProxyFCGIBackendType FPM for PHP-FPM, GENERIC for other programs (it leaves proxy:fcgi:// out of SCRIPT_FILENAME).',
    ],
    caddy: ['split .php in php_fastcgi (its default).'],
    haproxy: ['path-info ^(/.+\\.php)(/.*)?$ in the fcgi-app section, beside docroot.'],
    php: ['cgi.fix_pathinfo = 1 lets PHP mend most of it.'],
  },
  alternatives: [{ cause: 'There is no such page.', tell: 'Other pages with a path behind the script work.' }],
  look: [
    'A script with <?php var_dump($_SERVER["SCRIPT_NAME"], $_SERVER["PATH_INFO"]); asked for as /it.php/a/b must show /it.php and /a/b.',
  ],
  needs: ['status'],
  seen: ['nginx → PHP-FPM'],
  check(exchange) {
    if (exchange.response?.status !== 404 || exchange.outcome !== 'completed') return null;
    const { params } = exchange;
    const script = paramValue(params, 'SCRIPT_FILENAME') ?? '';
    const name = paramValue(params, 'SCRIPT_NAME') ?? '';
    const info = paramValue(params, 'PATH_INFO') ?? '';
    const evidence = ['SCRIPT_FILENAME', 'SCRIPT_NAME', 'PATH_INFO'].map(
      (param) => ({ kind: 'param', name: param }) as const,
    );
    const detail = faultOf(name, info);
    if (detail !== null) return { detail, evidence };
    // Most programs find their pages without it, and answer 404 where there is none.
    if (!script.startsWith('proxy:') || isPhp(exchange)) return null;
    return {
      detail: `SCRIPT_FILENAME is ${shown(script)}: only PHP takes proxy:fcgi:// away, other programs that look for a file of that name find none.`,
      severity: 'note',
      beside: true,
      evidence,
    };
  },
});

function faultOf(name: string, info: string): string | null {
  if (info !== '' && info === name)
    return `PATH_INFO and SCRIPT_NAME are both ${shown(info)}: PATH_INFO must only have what follows the script.`;
  if (info.length > 1 && name.endsWith(info) && /\.\w+$/.test(name.slice(0, -info.length)))
    return `SCRIPT_NAME is ${shown(name)} and still ends with PATH_INFO, ${shown(info)}: applications put the two together and see it twice.`;
  return null;
}

function shown(text: string): string {
  return visibleText(text, 150);
}
