import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Endpoint, formatEndpoint } from '../../../src/model/connection.js';
import type { Daemon } from './daemon.js';
import { listening } from './listening.js';
import { commandOf } from './requirements.js';
import type { Workspace } from './workspace.js';

/** The PHP scripts of the system tests. */
export const DOCUMENT_ROOT = fileURLToPath(new URL('../../system/www', import.meta.url));

/**
 * Run with -n (no php.ini, no shared extensions), so that the machine's own settings do not reach the tests; this is what they then
 * need. Errors go to the log, and with no error_log set, the log is the FastCGI STDERR stream.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  expose_php: '0',
  display_errors: '0',
  log_errors: '1',
  html_errors: '0',
  error_reporting: '32767',
  file_uploads: '1',
  upload_max_filesize: '64M',
  post_max_size: '64M',
  memory_limit: '256M',
  output_buffering: '0',
  default_charset: 'UTF-8',
  'date.timezone': 'UTC',
};

export interface Php {
  readonly daemon: Daemon;
  readonly address: Endpoint;
  log(): string;
}

/**
 * A kept connection holds a PHP worker until it is closed, busy or not, and further connections wait for a free one. So there must be
 * more workers than requests at a time and idle connections in all pools of the web server together.
 */
const WORKERS = 20;

/**
 * PHP-FPM with one static pool.
 * @param pool further directives of the pool file
 */
export async function startPhpFpm(
  workspace: Workspace,
  address: Endpoint,
  workers = WORKERS,
  pool: Readonly<Record<string, string>> = {},
): Promise<Php> {
  const log = `${nameOf(address)}-fpm.log`;
  const listen = address.kind === 'unix' ? address.path : formatEndpoint(address);
  const configuration = workspace.write(
    `${nameOf(address)}-fpm.conf`,
    `[global]
error_log = ${workspace.path(log)}
daemonize = no
[www]
user = root
group = root
listen = ${listen}
listen.mode = 0666
pm = static
pm.max_children = ${workers}
catch_workers_output = yes
${Object.entries(pool)
  .map(([key, value]) => `${key} = ${value}`)
  .join('\n')}
${Object.entries(SETTINGS)
  .map(([key, value]) => `php_admin_value[${key}] = "${value}"`)
  .join('\n')}
`,
  );
  const daemon = await workspace.start({
    name: 'php-fpm',
    command: commandOf('php-fpm'),
    // -R: the tests run as root, in a sandbox, which PHP-FPM otherwise refuses.
    args: ['-n', '-F', '-R', '-p', workspace.directory, '-y', configuration],
    ready: () => listening(address) && workspace.read(log).includes('ready to handle connections'),
    stopSignal: 'SIGTERM',
    log: () => workspace.read(log),
  });
  return { daemon, address, log: () => workspace.read(log) };
}

/** php-cgi in its external FastCGI mode (-b), with as many children as asked; they serve `maxRequests` each, 0 for any number. */
export async function startPhpCgi(
  workspace: Workspace,
  address: Endpoint,
  workers = WORKERS,
  maxRequests = 0,
): Promise<Php> {
  const listen = address.kind === 'unix' ? address.path : formatEndpoint(address);
  const settings = Object.entries(SETTINGS).flatMap(([key, value]) => ['-d', `${key}=${value}`]);
  const daemon = await workspace.start({
    name: 'php-cgi',
    command: commandOf('php-cgi'),
    args: ['-n', ...settings, '-b', listen],
    env: { PHP_FCGI_CHILDREN: String(workers), PHP_FCGI_MAX_REQUESTS: String(maxRequests) },
    ready: () => listening(address),
    stopSignal: 'SIGTERM',
  });
  return { daemon, address, log: () => daemon.stderr };
}

function nameOf(address: Endpoint): string {
  return address.kind === 'tcp' ? `php-${address.port}` : basename(address.path, '.sock');
}
