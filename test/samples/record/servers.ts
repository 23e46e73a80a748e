import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Daemon } from '../../support/real/daemon.js';
import { commandOf } from '../../support/real/requirements.js';
import { DOCUMENT_ROOT, FASTCGI_PORT, HTTP_PORT, RUN, type Studio } from './studio.js';

/** The servers of the stories, configured as their Debian packages and manuals do. */

const PHP_SETTINGS: Readonly<Record<string, string>> = {
  display_errors: '0',
  log_errors: '1',
  html_errors: '0',
  error_reporting: '32767',
  output_buffering: '0',
  'date.timezone': 'UTC',
};

export interface FpmOptions {
  readonly listen?: string;
  /** Further lines of the pool. */
  readonly pool?: string;
}

export function startPhpFpm(studio: Studio, options: FpmOptions = {}): Promise<Daemon> {
  const log = studio.path('fpm.log');
  const file = studio.write(
    'fpm.conf',
    `[global]
error_log = ${log}
daemonize = no
[www]
user = www-data
group = www-data
listen = ${options.listen ?? `127.0.0.1:${FASTCGI_PORT}`}
pm = static
pm.max_children = 6
clear_env = yes
${options.pool ?? ''}
${Object.entries(PHP_SETTINGS)
  .map(([key, value]) => `php_admin_value[${key}] = "${value}"`)
  .join('\n')}
`,
  );
  return studio.start('php-fpm', commandOf('php-fpm'), ['-n', '-F', '-y', file], [FASTCGI_PORT], {
    ready: () => studio.read(log).includes('ready to handle connections'),
  });
}

export function startPhpCgi(studio: Studio): Promise<Daemon> {
  const settings = Object.entries(PHP_SETTINGS).flatMap(([key, value]) => ['-d', `${key}=${value}`]);
  const args = ['-n', ...settings, '-b', `127.0.0.1:${FASTCGI_PORT}`];
  return studio.start('php-cgi', commandOf('php-cgi'), args, [FASTCGI_PORT], {
    env: { PHP_FCGI_CHILDREN: '4', PHP_FCGI_MAX_REQUESTS: '0' },
  });
}

/** `locations` go into the server block; Debian's fastcgi.conf is what they include. */
export function startNginx(studio: Studio, locations: string, http = ''): Promise<Daemon> {
  const prefix = studio.path('nginx');
  mkdirSync(prefix);
  const file = studio.write(
    'nginx.conf',
    `user www-data;
daemon off;
worker_processes 1;
pid ${prefix}/pid;
error_log ${prefix}/error.log info;
events { worker_connections 512; }
http {
  access_log off;
  client_max_body_size 8m;
  client_body_temp_path ${RUN}/nginx-body;
  fastcgi_temp_path ${RUN}/nginx-fastcgi;
  proxy_temp_path ${RUN}/nginx-proxy;
  uwsgi_temp_path ${RUN}/nginx-uwsgi;
  scgi_temp_path ${RUN}/nginx-scgi;
${http}
  server {
    listen 127.0.0.1:${HTTP_PORT};
    server_name example.test;
    root ${DOCUMENT_ROOT};
${locations}
  }
}
`,
  );
  return studio.start(
    'nginx',
    commandOf('nginx'),
    ['-e', `${prefix}/error.log`, '-p', prefix, '-c', file],
    [HTTP_PORT],
    {
      log: () => studio.read(`${prefix}/error.log`),
    },
  );
}

/** The location that everybody has, with further lines. */
export function phpLocation(more = '', pass = `127.0.0.1:${FASTCGI_PORT}`): string {
  return `    location ~ \\.php$ { include /etc/nginx/fastcgi.conf; fastcgi_pass ${pass}; ${more} }`;
}

export function startLighttpd(studio: Studio, configuration: string): Promise<Daemon> {
  const file = studio.write(
    'lighttpd.conf',
    `server.modules = ( "mod_fastcgi" )
server.document-root = "${DOCUMENT_ROOT}"
server.bind = "127.0.0.1"
server.port = ${HTTP_PORT}
server.upload-dirs = ( "${RUN}" )
mimetype.assign = ( ".html" => "text/html" )
${configuration}
`,
  );
  return studio.start('lighttpd', commandOf('lighttpd'), ['-D', '-f', file], [HTTP_PORT]);
}

const APACHE_MODULES = '/usr/lib/apache2/modules';

/** @param modules beyond the core ones, without `mod_` and `.so` */
export function startApache(studio: Studio, modules: readonly string[], configuration: string): Promise<Daemon> {
  const log = studio.path('apache.log');
  const file = studio.write(
    'apache.conf',
    `${['mpm_event', 'authz_core', 'mime', 'dir', ...modules]
      .map((name) => `LoadModule ${name}_module ${APACHE_MODULES}/mod_${name}.so`)
      .join('\n')}
ServerRoot /etc/apache2
ServerName example.test
Listen 127.0.0.1:${HTTP_PORT}
PidFile ${studio.path('apache.pid')}
Mutex file:${RUN}
User www-data
Group www-data
ErrorLog ${log}
TypesConfig /etc/mime.types
DocumentRoot ${DOCUMENT_ROOT}
<Directory ${DOCUMENT_ROOT}>
  Options ExecCGI
  Require all granted
</Directory>
${configuration}
`,
  );
  return studio.start('Apache', 'apache2', ['-DFOREGROUND', '-f', file], [HTTP_PORT], { log: () => studio.read(log) });
}

/** What mod_fcgid spawns in place of the application: accepts on fd 0 and passes all on to a TCP port, on which one can listen. */
export function writeRelay(): string {
  const relay = `${RUN}/relay.mjs`;
  copyFileSync(fileURLToPath(new URL('relay.mjs', import.meta.url)), relay);
  const wrapper = `${RUN}/php-wrapper`;
  writeFileSync(wrapper, `#!/bin/sh\nexec ${process.execPath} ${relay} ${FASTCGI_PORT}\n`);
  chmodSync(wrapper, 0o755);
  return wrapper;
}

export function startCaddy(studio: Studio, configuration: string): Promise<Daemon> {
  const file = studio.write(
    'Caddyfile',
    `{
  admin off
  auto_https off
}
http://example.test:${HTTP_PORT} {
  bind 127.0.0.1
  root * ${DOCUMENT_ROOT}
${configuration}
}
`,
  );
  return studio.start('Caddy', 'caddy', ['run', '--adapter', 'caddyfile', '--config', file], [HTTP_PORT], {
    env: { HOME: studio.path('caddy') },
  });
}

export interface HaproxyOptions {
  /** Lines of the fcgi-app section. */
  readonly app: string;
  /** Of the backend section. */
  readonly backend?: string;
  readonly serverTimeout?: string;
}

export function startHaproxy(studio: Studio, options: HaproxyOptions): Promise<Daemon> {
  const file = studio.write(
    'haproxy.cfg',
    `global
  nbthread 1
defaults
  mode http
  timeout connect 2s
  timeout client 10s
  timeout server ${options.serverTimeout ?? '10s'}
frontend web
  bind 127.0.0.1:${HTTP_PORT}
  default_backend php
backend php
  use-fcgi-app php
${options.backend ?? ''}
  server php 127.0.0.1:${FASTCGI_PORT} proto fcgi
fcgi-app php
  docroot ${DOCUMENT_ROOT}
  index index.php
  path-info ^(/.+\\.php)(/.*)?$
${options.app}
`,
  );
  return studio.start('HAProxy', 'haproxy', ['-db', '-f', file], [HTTP_PORT]);
}

/** A FCGI.pm program: `authorizer.pl` or `params.pl`. */
export function startPerl(studio: Studio, script: string, port: number): Promise<Daemon> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return studio.start(script, 'perl', [path, String(port)], [port]);
}
