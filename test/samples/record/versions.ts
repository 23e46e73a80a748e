import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { commandOf } from '../../support/real/requirements.js';

/** The names of the servers in `Recording.servers`, and how each tells its version. */
const SOURCES: Readonly<Record<string, () => string>> = {
  nginx: () => told('nginx', commandOf('nginx'), ['-v'], /nginx\/([\d.]+)/),
  lighttpd: () => told('lighttpd', commandOf('lighttpd'), ['-v'], /lighttpd\/([\d.]+)/),
  apache: () => told('Apache', 'apache2', ['-v'], /Apache\/([\d.]+)/),
  caddy: () => told('Caddy', 'caddy', ['version'], /([\d.]+)/),
  haproxy: () => told('HAProxy', 'haproxy', ['-v'], /version ([\d.]+)/),
  'php-fpm': () => told('PHP-FPM', commandOf('php-fpm'), ['-v'], /PHP ([\d.]+)/),
  'php-cgi': () => told('php-cgi', commandOf('php-cgi'), ['-v'], /PHP ([\d.]+)/),
  tcpdump: () => told('tcpdump', commandOf('tcpdump'), ['--version'], /tcpdump version ([\d.]+)/),
  mod_fcgid: () => packaged('mod_fcgid', 'libapache2-mod-fcgid'),
  fcgiwrap: () => packaged('fcgiwrap', 'fcgiwrap'),
  'cgi-fcgi': () => packaged('cgi-fcgi', 'libfcgi-bin'),
  'libfcgi-perl': () => packaged('FCGI.pm', 'libfcgi-perl'),
  demo: () => {
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    return `fcgi-inspect demo ${version}`;
  },
};

/** "nginx 1.22.1": for people. */
export function versionOf(server: string): string {
  const source = SOURCES[server];
  if (!source) throw new Error(`nobody knows how to ask ${server} for its version`);
  return source();
}

function told(name: string, command: string, args: readonly string[], pattern: RegExp): string {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return `${name} ${pattern.exec(stdout + stderr)?.[1] ?? 'of unknown version'}`;
}

/** For what does not tell it itself. Debian's epoch and revision are left out. */
function packaged(name: string, pack: string): string {
  return told(name, 'dpkg-query', ['--status', pack], /^Version: (?:\d+:)?([\d.]+)/m);
}
