import { spawnSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writeListing } from '../listing.js';
import { RECORDINGS } from './stories.js';
import { Studio } from './studio.js';
import { versionOf } from './versions.js';

/**
 * Records samples/ anew: `npx tsx test/samples/record/record.ts [NAME…]`, as root, all of them unless named. The derived ones are made by
 * `npx tsx test/samples/derive/derive.ts` afterwards.
 *
 * It runs itself again in namespaces of its own (network, mounts, host name, processes): the usual ports are free there, /srv/www is a
 * tmpfs, nothing of the machine's traffic or environment gets into a capture, and when it ends, every server has ended.
 */

const IN_STUDIO = 'FCGI_INSPECT_STUDIO';
const TARGET = fileURLToPath(new URL('../../../samples/', import.meta.url));
const SERVER_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

const names = process.argv.slice(2);
if (process.env[IN_STUDIO]) await record();
else enterStudio();

function enterStudio(): never {
  const namespaces = ['--mount', '--net', '--uts', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const environment = ['env', '-i', `PATH=${SERVER_PATH}`, 'HOME=/root', 'LANG=C.UTF-8', `${IN_STUDIO}=1`];
  const again = [process.execPath, '--import', 'tsx', fileURLToPath(import.meta.url), ...names];
  const { status, error } = spawnSync('unshare', [...namespaces, ...environment, ...again], { stdio: 'inherit' });
  if (error) throw error;
  process.exit(status ?? 1);
}

async function record(): Promise<void> {
  run('ip', 'link', 'set', 'lo', 'up');
  run('hostname', 'localhost');
  run('mount', '-t', 'tmpfs', 'tmpfs', '/srv');
  mkdirSync(TARGET, { recursive: true });
  Studio.furnish();
  const recorded = new Map<string, string>();
  for (const recording of RECORDINGS) {
    if (names.length > 0 && !names.some((name) => recording.file.startsWith(name))) continue;
    const path = TARGET + recording.file;
    const studio = new Studio(path);
    try {
      await recording.record(studio);
    } finally {
      await studio.close();
    }
    recorded.set(recording.file, recording.servers.map(versionOf).join(', '));
    process.stdout.write(`${recording.file} ${statSync(path).size} bytes\n`);
  }
  writeListing(recorded);
}

function run(command: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw error ?? new Error(`${command} ${args.join(' ')}: ${stderr}`);
}
