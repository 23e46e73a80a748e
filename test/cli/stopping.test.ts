import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/model/connection.js';
import { plantDefect } from '../support/defect.js';
import { type ClientAnswer, FastcgiClient } from '../support/fastcgi-client.js';
import { type FaultBackend, startFaultBackend } from '../support/fault-backend.js';
import { validateHar } from '../support/har-schema.js';
import { Program, type ProgramOptions } from '../support/program.js';
import { Workspace } from '../support/real/workspace.js';

/** How the program ends while requests are open, and what it leaves behind. */

const HEAD = 'Content-Type: text/plain\r\n\r\n';

let workspace: Workspace;
let backend: FaultBackend;
let listen: Endpoint;
let program: Program;
let finish: () => void;
const clients: FastcgiClient[] = [];

/** The backend answers the first half at once, the second when `finish` is called. */
beforeEach(async () => {
  workspace = new Workspace();
  listen = await workspace.address('tcp', 'proxy');
  const gate = new Promise<void>((resolve) => {
    finish = resolve;
  });
  backend = await startFaultBackend(async (connection) => {
    await connection.readRequest();
    await connection.stdout(`${HEAD}first half, `);
    await Promise.race([gate, connection.ended]);
    await connection.stdout('second half');
    await connection.endRequest();
    connection.halfClose();
  });
});
afterEach(async () => {
  program.child.kill('SIGKILL');
  for (const client of clients.splice(0)) client.close();
  await backend.stop();
  await workspace.close();
});

async function start(args: readonly string[] = [], options: ProgramOptions = {}): Promise<void> {
  program = await Program.proxy(workspace, [[listen, backend.address]], args, options);
}

/** A request that is open: its first half has come. */
async function open(): Promise<{ client: FastcgiClient; answer: Promise<ClientAnswer> }> {
  const client = await FastcgiClient.connect(listen);
  clients.push(client);
  const answer = client.request({ script: '/slow.php' });
  answer.catch(() => {});
  await client.until((records) => records[0]);
  void client.ended.then(() => client.close());
  return { client, answer };
}

describe('signals', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s lets an open request finish', async (signal) => {
    const har = workspace.path('x.har');
    await start(['--har', har]);
    const { answer } = await open();
    program.signal(signal);
    await program.until('it says so', () => program.stderr.includes('1 open request may finish for 10 s'));
    expect(program.spools()).toHaveLength(1);
    finish();
    expect(String((await answer).stdout)).toBe(`${HEAD}first half, second half`);
    expect(await program.ended).toBe(128 + constants.signals[signal]);
    expect(program.lines()).toHaveLength(1);
    expect(program.lines()[0]).toMatch(/ 200 .*\/slow\.php /);
    expect(program.stderr).toContain('1 request on 1 connection in ');
    const parsed = JSON.parse(readFileSync(har, 'utf8'));
    expect(validateHar(parsed)).toBe(true);
    expect(parsed.log.entries[0].response.content.text).toBe('first half, second half');
    expect(program.spools()).toEqual([]);
  });

  it('a second one cuts what is open at once, and still writes what there was', async () => {
    const har = workspace.path('x.har');
    await start(['--har', har]);
    const { client } = await open();
    program.signal('SIGINT');
    await program.until('it says so', () => program.stderr.includes('may finish'));
    const begin = performance.now();
    program.signal('SIGTERM');
    expect(await program.ended).toBe(130);
    expect(performance.now() - begin).toBeLessThan(5_000);
    await client.closed;
    expect(client.received.length).toBeGreaterThan(0);
    expect(program.lines()[0]).toMatch(/ unfinished .*\/slow\.php /);
    expect(JSON.parse(readFileSync(har, 'utf8')).log.entries).toHaveLength(1);
    expect(program.spools()).toEqual([]);
  });

  it('a second one also ends it when its reader never reads again', async () => {
    // A pipe that is full before the first line: what is read from it, nobody knows.
    await start(['--format', 'detail']);
    program.child.stdout!.pause();
    for (let n = 0; n < 60; n++) {
      const client = await FastcgiClient.connect(listen);
      clients.push(client);
      finish();
      await client.request({ script: '/x.php', params: [['FILLER', 'x'.repeat(10_000)]] });
      client.close();
    }
    program.signal('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(program.running).toBe(true);
    const exited = once(program.child, 'exit');
    program.signal('SIGINT');
    expect((await exited)[0]).toBe(130);
    expect(program.spools()).toEqual([]);
  });

  it('says nothing of open requests when there are none', async () => {
    await start();
    program.signal('SIGINT');
    expect(await program.ended).toBe(130);
    expect(program.stderr).not.toContain('may finish');
    expect(program.stderr).toContain('no requests on no connections');
  });
});

describe('the spool', () => {
  it.each([
    ['a limit', ['--duration', '300ms'], 0],
    ['an output that cannot be written', ['--ndjson', '/dev/full', '-n', '1'], 1],
  ])('is gone after %s', async (_, args, status) => {
    await start(args);
    expect(program.spools()).toHaveLength(1);
    finish();
    if (status === 1) await (await open()).answer;
    expect(await program.ended).toBe(status);
    expect(program.spools()).toEqual([]);
  });

  it('of a program that was killed is removed by the next one; that of a living one is not', async () => {
    await start();
    await open();
    const [dead] = program.spools();
    program.signal('SIGKILL');
    expect(await program.ended).toBe(137);
    expect(program.spools()).toEqual([dead]);
    await start();
    const [alive, ...others] = program.spools();
    expect(others).toEqual([]);
    expect(alive).not.toBe(dead);
    const first = program;
    listen = await workspace.address('tcp', 'second');
    await start();
    try {
      expect(program.spools()).toContain(alive);
      expect(program.spools()).toHaveLength(2);
    } finally {
      first.signal('SIGINT');
      await first.ended;
    }
  });
});

describe('a defect of ours', () => {
  it.each(['main', 'relay'] as const)('in the %s thread ends it with 1 and says where', async (thread) => {
    const har = workspace.path('x.har');
    const defect = plantDefect(workspace, thread);
    await start(['--har', har, '-q'], { env: defect.env });
    finish();
    await (await open()).answer;
    await program.until('its line', () => program.lines().length === 1);
    defect.strike();
    expect(await program.ended).toBe(1);
    expect(program.stderr).toContain('a defect of ours');
    expect(program.stderr).toContain('defect.cjs');
    // The thread with the outputs is still there when the other one dies.
    if (thread === 'relay') expect(validateHar(JSON.parse(readFileSync(har, 'utf8')))).toBe(true);
    expect(program.spools()).toEqual([]);
  });
});
