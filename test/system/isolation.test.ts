import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { spawn as spawnInTerminal } from '@lydell/node-pty';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/model/connection.js';
import { FastcgiClient } from '../support/fastcgi-client.js';
import { type FaultBackend, SCRIPTS, startFaultBackend } from '../support/fault-backend.js';
import { until } from '../support/real/daemon.js';
import { listening } from '../support/real/listening.js';
import { requireMount } from '../support/real/requirements.js';
import { Workspace } from '../support/real/workspace.js';

/**
 * Nothing that a reader or the disk does may reach the relay. Each case takes something away from the program - the terminal, the pipe,
 * the disk - and then every request must still be answered, in full, and memory must stay bounded.
 */
const PROGRAM = fileURLToPath(new URL('../../bin/fcgi-inspect.js', import.meta.url));
/** How long the reader stays away. */
const ABSENCE = 30_000;
const BODY = 'x'.repeat(50_000);
/** What a session of some ten thousand requests may take: heap, code and buffers; a leak of the bodies alone would be ten times this. */
const MEMORY_LIMIT = 400 * 1024 * 1024;

let workspace: Workspace;
let backend: FaultBackend;
let listen: Endpoint;
let upstream: Endpoint;
const undo: (() => unknown)[] = [];

beforeEach(async () => {
  workspace = new Workspace();
  upstream = await workspace.address('tcp', 'backend');
  listen = await workspace.address('tcp', 'proxy');
  backend = await startFaultBackend(SCRIPTS.answers(`Content-Type: text/plain\r\n\r\n${BODY}`), upstream);
});
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
  await backend.stop();
  await workspace.close();
});

const port = (endpoint: Endpoint): string => (endpoint.kind === 'tcp' ? String(endpoint.port) : endpoint.path);
const args = (...more: string[]): string[] => [
  PROGRAM,
  '--listen',
  port(listen),
  '--upstream',
  port(upstream),
  ...more,
];
const memoryOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;

interface Traffic {
  readonly requests: number;
  readonly slowest: number;
  readonly peak: number;
}

/** One request after the other on each of four connections' worth of clients, for a time; each must be answered whole. */
async function traffic(pid: number, milliseconds: number): Promise<Traffic> {
  const end = performance.now() + milliseconds;
  let requests = 0;
  let slowest = 0;
  let peak = 0;
  const client = async (): Promise<void> => {
    while (performance.now() < end) {
      const begin = performance.now();
      const connection = await FastcgiClient.connect(listen);
      const answer = await connection.request({ script: `/isolation.php` });
      if (!answer.stdout.includes(BODY))
        throw new Error(`request ${requests} was answered with ${answer.stdout.length} bytes`);
      connection.close();
      slowest = Math.max(slowest, performance.now() - begin);
      requests += 1;
      if (requests % 100 === 0) peak = Math.max(peak, memoryOf(pid));
      await delay(3);
    }
  };
  await Promise.all([client(), client(), client(), client()]);
  return { requests, slowest, peak };
}

async function ready(): Promise<void> {
  await until('the proxy listens', () => listening(listen));
}

function started(child: ChildProcess): ChildProcess {
  undo.push(() => child.kill('SIGKILL'));
  return child;
}

const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.once('exit', (code) => resolve(code)));

/** A request answered a second late would be a relay that waited for somebody; machines that run many tests at once need some room. */
const LATE = 1_000;

describe('isolation', () => {
  it('relays on while nobody reads the terminal, and still ends in order', async () => {
    const terminal = spawnInTerminal(process.execPath, args(), {
      cols: 120,
      rows: 40,
      env: { ...process.env, TERM: 'xterm-256color', CI: '' },
    });
    undo.push(() => terminal.kill('SIGKILL'));
    let seen = '';
    terminal.onData((data) => {
      seen += data;
    });
    await ready();
    await until('the screen is drawn', () => seen.includes('fcgi-inspect'));
    terminal.pause();
    const { requests, slowest, peak } = await traffic(terminal.pid, ABSENCE);
    expect(requests).toBeGreaterThan(1_000);
    expect(slowest).toBeLessThan(LATE);
    expect(peak).toBeLessThan(MEMORY_LIMIT);
    const ended = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
    process.kill(terminal.pid, 'SIGTERM');
    expect(await ended).toBe(128 + 15);
  }, 90_000);

  it('relays on while nobody reads the pipe, and says all of it once somebody does', async () => {
    const child = started(
      spawn(process.execPath, args('--format', 'detail'), { stdio: ['ignore', 'pipe', 'inherit'] }),
    );
    await ready();
    const { requests, slowest, peak } = await traffic(child.pid!, 10_000);
    expect(slowest).toBeLessThan(LATE);
    expect(peak).toBeLessThan(MEMORY_LIMIT);
    let text = '';
    child.stdout!.setEncoding('utf8').on('data', (data: string) => {
      text += data;
    });
    const exit = exitOf(child);
    child.kill('SIGINT');
    expect(await exit).toBe(128 + 2);
    expect(text.match(/BEGIN_REQUEST 8 /g)?.length).toBe(requests);
  }, 60_000);

  it('relays on when standard output is closed, and says so', async () => {
    const child = started(spawn(process.execPath, args('--format', 'lines'), { stdio: ['ignore', 'pipe', 'pipe'] }));
    let complaints = '';
    child.stderr!.setEncoding('utf8').on('data', (data: string) => {
      complaints += data;
    });
    await ready();
    child.stdout!.destroy();
    const { requests, slowest } = await traffic(child.pid!, 1_000);
    expect(requests).toBeGreaterThan(10);
    expect(slowest).toBeLessThan(LATE);
    await until('it has noticed', () => complaints.includes('relaying goes on'));
    const exit = exitOf(child);
    child.kill('SIGINT');
    expect(await exit).toBe(128 + 2);
  }, 30_000);

  requireMount()(
    'relays on with a full disk, and marks what it could not record as missing',
    async () => {
      const small = workspace.path('small-disk');
      mkdirSync(small);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small], { stdio: 'ignore' });
      undo.push(() => execFileSync('umount', ['-l', small]));
      const child = started(
        spawn(process.execPath, args('--format', 'ndjson', '--bodies', 'sha256'), {
          stdio: ['ignore', 'pipe', 'pipe'],
          env: { ...process.env, TMPDIR: small },
        }),
      );
      let text = '';
      let complaints = '';
      child.stdout!.setEncoding('utf8').on('data', (data: string) => {
        text += data;
      });
      child.stderr!.setEncoding('utf8').on('data', (data: string) => {
        complaints += data;
      });
      await ready();
      const { requests, slowest, peak } = await traffic(child.pid!, 5_000);
      expect(slowest).toBeLessThan(LATE);
      expect(peak).toBeLessThan(MEMORY_LIMIT);
      const exit = exitOf(child);
      child.kill('SIGINT');
      expect(await exit).toBe(128 + 2);
      const lines = text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      const told = lines.filter((line) => line.type === 'request');
      expect(told.length).toBe(requests);
      expect(new Set(told.map((line) => line.outcome))).toEqual(new Set(['completed']));
      expect(told.some((line) => line.stdout.missing > 0)).toBe(true);
      expect(complaints).toContain('disk');
      expect(readdirSync(small)).toEqual([]);
    },
    40_000,
  );
});
