import { execFileSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, it } from 'vitest';

/** What a system test may need, and the commands it may go by; the first that is there is taken. */
const COMMANDS = {
  nginx: ['nginx'],
  lighttpd: ['lighttpd'],
  apache2: ['apache2'],
  caddy: ['caddy'],
  haproxy: ['haproxy'],
  'php-fpm': ['php-fpm8.2', 'php-fpm8.3', 'php-fpm8.4', 'php-fpm'],
  'php-cgi': ['php-cgi8.2', 'php-cgi8.3', 'php-cgi8.4', 'php-cgi'],
  fcgiwrap: ['fcgiwrap'],
  tcpdump: ['tcpdump'],
  tshark: ['tshark'],
  editcap: ['editcap'],
  mergecap: ['mergecap'],
} as const;

export type Server = keyof typeof COMMANDS;

/** Debian keeps the servers in sbin, which is not on the path of an ordinary user. */
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The path of a server's command, or null. */
export function findCommand(server: Server): string | null {
  for (const name of COMMANDS[server]) {
    const found = FOLDERS.map((folder) => join(folder, name)).find(executable);
    if (found) return found;
  }
  return null;
}

/** The path of a server's command, for code that runs only behind `requireServers`. */
export function commandOf(server: Server): string {
  const command = findCommand(server);
  if (!command) throw new Error(`${server} is not installed; guard the test with requireServers('${server}')`);
  return command;
}

/**
 * A `describe` for tests that need real servers. Where one is missing, the tests are skipped and the suite's title says why; where the
 * environment variable CI is set, that is a failure instead, so that a build machine cannot lose its servers unnoticed.
 */
export function requireServers(...servers: readonly Server[]): (title: string, body: () => void) => void {
  const reason = missing(servers);
  if (reason === null) return describe;
  if (!process.env.CI) return (title, body) => describe.skip(`${title} [skipped: ${reason}]`, body);
  return (title) =>
    describe(title, () => {
      it('has its servers', () => {
        throw new Error(`CI is set, so a missing server is a failure: ${reason}`);
      });
    });
}

/**
 * An `it` for tests that mount a small file system, as `requireServers` is a `describe`: skipped with the reason in its title where that
 * cannot be done, a failure where CI is set.
 */
export function requireMount(): (title: string, body: () => Promise<void>, timeout: number) => void {
  const reason = mountProblem();
  if (reason === null) return it;
  if (!process.env.CI) return (title, body, timeout) => it.skip(`${title} [skipped: ${reason}]`, body, timeout);
  return (title) =>
    it(title, () => {
      throw new Error(`CI is set, so a test that cannot be run is a failure: ${reason}`);
    });
}

/** Found out by doing it: root in a container may be refused. */
function mountProblem(): string | null {
  if (process.platform !== 'linux') return 'a tmpfs is mounted, which only Linux has';
  if (process.getuid?.() !== 0) return 'mounting a tmpfs needs root';
  const folder = mkdtempSync(join(tmpdir(), 'mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder], { stdio: 'ignore' });
    return null;
  } catch {
    return 'mounting a tmpfs is not permitted here';
  } finally {
    rmdirSync(folder);
  }
}

function missing(servers: readonly Server[]): string | null {
  if (process.platform !== 'linux') return 'readiness is read from /proc/net, which only Linux has';
  const absent = servers.filter((server) => findCommand(server) === null);
  if (absent.length > 0) return `${absent.join(', ')} not installed`;
  if (servers.includes('tcpdump') && process.getuid?.() !== 0) return 'tcpdump needs root';
  return null;
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
