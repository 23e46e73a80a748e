import type { Exchange } from '../../../model/exchange.js';
import type { Alternative } from '../../../model/finding.js';
import { paramValue } from '../../../model/param-value.js';
import { visibleText } from '../../../model/visible-text.js';
import { seenWhole } from '../../blind-spots.js';
import { crossesNetwork } from '../../public-address.js';
import { productsOf, remediesFor } from '../../remedies.js';
import type { Remedies, Sighting } from '../../rule.js';

/**
 * Why PHP does not find or take a script: what SCRIPT_FILENAME, DOCUMENT_ROOT and SCRIPT_NAME say together, likeliest first. A file that
 * is not there, and one that is not there for PHP, look the same on the wire, but most mistakes of configuration have a shape.
 */
export interface Suspect extends Alternative {
  /** What to do about just this one. */
  readonly remedies: Remedies;
}

/** How much of a path is quoted. */
const PATH_SHOWN = 300;

export function shownPath(path: string): string {
  return visibleText(path, PATH_SHOWN);
}

/** The likeliest cause in the detail, with what to do about it; the others as alternatives. @param detail what stands before it */
export function suspicion(
  exchange: Exchange,
  detail: string,
): Pick<Sighting, 'detail' | 'advice'> & {
  readonly alternatives: readonly Alternative[];
} {
  const [likeliest, ...others] = scriptSuspects(exchange);
  return {
    detail: `${detail} ${likeliest!.cause}`,
    advice: remediesFor(likeliest!.remedies, productsOf(exchange)),
    alternatives: others.map(({ cause, tell }) => ({ cause, tell })),
  };
}

/**
 * There is no path, so that no file can be absent or unreadable: this is the cause, and no other.
 *
 * @param script the param's value, which is null (or empty) when it was not sent
 */
export function withoutPath(
  exchange: Exchange,
  script: string | null,
): Pick<Sighting, 'detail' | 'advice' | 'certainty' | 'alternatives'> {
  const what = script === '' ? 'The param SCRIPT_FILENAME is empty' : 'There is no param SCRIPT_FILENAME';
  return {
    detail: `${what}: the web server does not tell PHP which file to run.`,
    advice: remediesFor(NO_PATH.remedies, productsOf(exchange)),
    certainty: 'proven',
    alternatives: [],
  };
}

/** What fits, likeliest first; never empty. */
function scriptSuspects(exchange: Exchange): readonly Suspect[] {
  const script = withoutProxyPrefix(paramValue(exchange.params, 'SCRIPT_FILENAME') ?? '');
  const root = paramValue(exchange.params, 'DOCUMENT_ROOT') ?? '';
  const name = paramValue(exchange.params, 'SCRIPT_NAME') ?? '';
  // What is not there may have been missed.
  const shaped = seenWhole(exchange, 'client') ? shapeSuspects(script, root, name) : [];
  const elsewhere = crossesNetwork(exchange.client, exchange.server);
  const rest = elsewhere ? [OTHER_MACHINE, ABSENT, UNREADABLE] : [ABSENT, OTHER_MACHINE, UNREADABLE];
  return [...shaped, ...rest];
}

/** As Apache's mod_proxy_fcgi sends it, `proxy:fcgi://127.0.0.1:9000/srv/www/a.php`: PHP takes what stands before the path away. */
export function withoutProxyPrefix(script: string): string {
  return script.replace(/^proxy:(?:fcgi|balancer):\/\/[^/]*/, '');
}

function shapeSuspects(script: string, root: string, name: string): Suspect[] {
  if (script === '') return [NO_PATH];
  const found: Suspect[] = [];
  if (script.includes('$')) found.push(UNEXPANDED);
  if (script.startsWith('proxy:')) found.push(PROXY_PREFIX);
  if (script.startsWith('/scripts/')) found.push(SAMPLE_PATH);
  if (/^(?:\/etc\/nginx|\/usr\/local\/nginx|\/usr\/share\/nginx|\/var\/lib\/nginx)\/html\//.test(script))
    found.push(DEFAULT_ROOT);
  if (script.endsWith('/')) found.push(FOLDER);
  if (/[\0-\x1f]/.test(script)) found.push(CONTROL);
  else if (script.includes('..')) found.push(DOTS);
  if (script === name && root === '') found.push(NO_ROOT);
  else if (root !== '' && !script.startsWith(root)) found.push(otherRoot(root));
  else if (isDoubled(root, name)) found.push(DOUBLED);
  if (/\.php\/./i.test(script)) found.push(PATH_INFO);
  if (!script.startsWith('/') && !/^[a-z]:[\\/]/i.test(script) && !script.startsWith('proxy:') && !script.includes('$'))
    found.push(RELATIVE);
  else if (script.startsWith('/') && script.includes('\\')) found.push(BACKSLASH);
  return found;
}

/** With `alias`, $document_root is the alias already, and the location's own folder comes twice. */
function isDoubled(root: string, name: string): boolean {
  const last = root.replace(/\/+$/, '').split('/').pop();
  return last !== undefined && last !== '' && name.startsWith(`/${last}/`);
}

function otherRoot(root: string): Suspect {
  return {
    cause: `The script does not lie under DOCUMENT_ROOT (${shownPath(root)}): one of the two comes from another place of the configuration.`,
    tell: 'Compare both with where the files are; an include that sets SCRIPT_FILENAME after yours wins.',
    remedies: { any: ['Let both come from one setting: SCRIPT_FILENAME is DOCUMENT_ROOT followed by SCRIPT_NAME.'] },
  };
}

const NO_PATH: Suspect = {
  cause: 'The web server sends no path to the script.',
  tell: 'The params show it.',
  remedies: {
    nginx: [
      'fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; in the location with fastcgi_pass, then nginx -t && nginx -s reload.',
      'Or include fastcgi.conf, not fastcgi_params (which has no SCRIPT_FILENAME), in the very location; any fastcgi_param there discards the inherited ones.',
    ],
    haproxy: ['docroot /srv/www in the fcgi-app section.'],
    caddy: ['root * /srv/www.'],
  },
};
const UNEXPANDED: Suspect = {
  cause: 'A variable was not filled in: there is a $ in the path.',
  tell: 'The params show it; in single quotes, or under a name that does not exist, a variable stays as it is written.',
  remedies: {
    any: [
      'Write the variable as the web server knows it (nginx: $document_root$fastcgi_script_name), without single quotes.',
    ],
  },
};
const PROXY_PREFIX: Suspect = {
  cause: 'The path still has a prefix of Apache’s mod_proxy_fcgi that PHP does not take away.',
  tell: 'SCRIPT_FILENAME begins with proxy: and is not followed by fcgi:// or balancer://.',
  remedies: {
    apache: ['SetHandler "proxy:unix:/run/php/php-fpm.sock|fcgi://localhost/" in a FilesMatch, not ProxyPass.'],
  },
};
const SAMPLE_PATH: Suspect = {
  cause: 'The path is that of the sample in nginx.conf: /scripts.',
  tell: 'grep -rn /scripts /etc/nginx',
  remedies: { nginx: ['fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;'] },
};
const DEFAULT_ROOT: Suspect = {
  cause: 'The path begins with nginx’s own default folder: `root` is not set where the PHP location sees it.',
  tell: 'nginx -T shows a `root` in another location, or none.',
  remedies: { nginx: ['move root /srv/www; from a location into the server block, so that all locations have it.'] },
};
const FOLDER: Suspect = {
  cause: 'The path is a folder: no index file was put behind it.',
  tell: 'SCRIPT_FILENAME ends with a slash.',
  remedies: {
    nginx: ['index index.php; in the server block (or fastcgi_index index.php; in the PHP location).'],
    lighttpd: ['index-file.names = ( "index.php" )'],
    apache: ['DirectoryIndex index.php'],
    caddy: ['php_fastcgi { index index.php } (its default).'],
    haproxy: ['index index.php in the fcgi-app section.'],
  },
};
const CONTROL: Suspect = {
  cause: 'There is a control character in the path: somebody asked for %0a, %00 or the like.',
  tell: 'REQUEST_URI shows what was asked for; a browser does not do that.',
  remedies: { nginx: ['try_files $fastcgi_script_name =404; in the PHP location, so that this does not reach PHP.'] },
};
const DOTS: Suspect = {
  cause: 'There is `..` in the path.',
  tell: 'SCRIPT_FILENAME shows it.',
  remedies: { any: ['Write the root without `..`, as an absolute path.'] },
};
const NO_ROOT: Suspect = {
  cause: 'The path is the URL’s: no document root stands before it.',
  tell: 'SCRIPT_FILENAME and SCRIPT_NAME are the same.',
  remedies: {
    nginx: ['fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;'],
    apache: ['ProxyPassMatch "^/(.*\\.php)$" "fcgi://127.0.0.1:9000/srv/www/$1", with the folder.'],
    haproxy: ['docroot /srv/www.'],
  },
};
const DOUBLED: Suspect = {
  cause:
    'A folder comes twice, as with nginx’s `alias`: $document_root is the alias already, and the URL’s folder follows again.',
  tell: 'The last folder of DOCUMENT_ROOT is the first of SCRIPT_NAME; is there an `alias` in this location?',
  remedies: { nginx: ['with alias, fastcgi_param SCRIPT_FILENAME $request_filename;'] },
};
const PATH_INFO: Suspect = {
  cause: 'What follows the script in the URL was left in the path, and PHP does not take it off (cgi.fix_pathinfo=0).',
  tell: 'php -i | grep fix_pathinfo, with the pool’s php.ini; there is a / behind .php.',
  remedies: {
    nginx: [
      'fastcgi_split_path_info ^(.+?\\.php)(/.*)$; and fastcgi_param PATH_INFO $fastcgi_path_info; before SCRIPT_FILENAME is set.',
    ],
  },
};
const RELATIVE: Suspect = {
  cause: 'The path is not absolute.',
  tell: 'SCRIPT_FILENAME does not begin with a slash.',
  remedies: { any: ['Give the document root as an absolute path.'] },
};
const BACKSLASH: Suspect = {
  cause: 'There is a backslash in the path.',
  tell: 'SCRIPT_FILENAME shows it; it may come from a Windows web server or from the client.',
  remedies: { any: ['Use slashes in the configured path.'] },
};
const ABSENT: Suspect = {
  cause: 'There is no such file: a wrong link, something deleted, or a scanner’s guess.',
  tell: 'ls -l of the path in SCRIPT_FILENAME, on the machine where PHP runs.',
  remedies: {
    any: ['If it should be there, put it there; if not, let the web server answer for missing files, without PHP.'],
    nginx: ['try_files $fastcgi_script_name =404; in the PHP location.'],
    lighttpd: ['"check-local" => "enable" in the fastcgi.server entry (its default).'],
    apache: ['<If "-f %{REQUEST_FILENAME}"> around SetHandler "proxy:…".'],
    caddy: ['@php { path *.php; file } and php_fastcgi @php …'],
  },
};
const OTHER_MACHINE: Suspect = {
  cause: 'The file is there for the web server and not for PHP: another container, machine, chroot or mount.',
  tell: 'Run ls on the path in SCRIPT_FILENAME in PHP’s own container, with the chroot = of its pool before it.',
  remedies: {
    any: ['Mount the code at the same path on both sides, or let the web server give PHP’s own path.'],
    nginx: ['fastcgi_param SCRIPT_FILENAME /var/www/html$fastcgi_script_name; with the folder as PHP sees it.'],
  },
};
const UNREADABLE: Suspect = {
  cause: 'PHP’s user may not enter one of the folders, or SELinux, AppArmor or systemd (ProtectHome=) hides it.',
  tell: 'sudo -u www-data namei -l PATH with the pool’s user; systemctl cat php8.2-fpm | grep Protect.',
  remedies: { any: ['Give the pool’s user the x right on every folder of the path (chmod o+x, or its group).'] },
};
