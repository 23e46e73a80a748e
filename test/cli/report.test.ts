import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FastcgiClient } from '../support/fastcgi-client.js';
import { SCRIPTS, startFaultBackend } from '../support/fault-backend.js';
import { PROGRAM, Program } from '../support/program.js';
import { Workspace } from '../support/real/workspace.js';

/** Reports and rules, as the program gives them. */

const SAMPLES = fileURLToPath(new URL('../../samples/', import.meta.url));

function run(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { PATH: process.env.PATH, TZ: 'UTC' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    cwd: SAMPLES,
    encoding: 'utf8',
    env,
  });
  return { status, stdout, stderr };
}

const report = (...args: readonly string[]) => run(...args, '--format', 'report');

describe('--format report', () => {
  it('names what was found, with a request of which the bytes were passed over', () => {
    const { status, stdout } = report('backend-killed.pcap', 'haproxy-keep-conn.pcap');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\d+ requests, 1 failed, /);
    expect(stdout).toMatch(/^\d+\. ERROR: /m);
    expect(stdout).toContain('GET http://example.test/killed.php');
    expect(stdout).toContain('What to change');
  });

  it('meets --fail-on, or does not', () => {
    expect(report('backend-killed.pcap', '--fail-on', 'error').status).toBe(3);
    expect(report('backend-killed.pcap', '--fail-on', 'never').status).toBe(0);
    const well = report('haproxy-keep-conn.pcap', '--fail-on', 'warning');
    expect(well.status).toBe(0);
    expect(well.stdout).toContain('Nothing wrong was found in ');
  });

  it('counts what the filter lets through', () => {
    const { stdout } = report('backend-killed.pcap', 'haproxy-keep-conn.pcap', '-Y', 'outcome == completed');
    expect(stdout).toContain('Nothing wrong was found in ');
    expect(stdout).toContain('1 request did not match the filter');
  });

  it('goes beside what is written to files', () => {
    const { stdout } = report('backend-killed.pcap', '--ndjson', '/dev/null');
    expect(stdout).toContain('1 request, 1 failed, ');
    expect(report('backend-killed.pcap', '--ndjson', '-')).toMatchObject({ status: 2 });
  });

  it('of a proxy is written when it is stopped, not before', { timeout: 30_000 }, async () => {
    const workspace = new Workspace();
    onTestFinished(() => workspace.close());
    const backend = await startFaultBackend(SCRIPTS.resetsWithoutAnswer());
    onTestFinished(() => backend.stop());
    const listen = await workspace.address('tcp', 'proxy');
    const program = await Program.proxy(workspace, [[listen, backend.address]], ['--format', 'report']);
    onTestFinished(() => void program.child.kill('SIGKILL'));
    const client = await FastcgiClient.connect(listen);
    await expect(client.request({ script: '/index.php' })).rejects.toThrow('(reset)');
    client.close();
    expect(program.stdout).toBe('');
    expect(program.stderr).toContain('the report is written at the end (Ctrl-C)');
    program.child.kill('SIGINT');
    expect(await program.ended).toBe(130);
    expect(program.stdout).toMatch(/^1 request, 1 failed, /);
    expect(program.stdout).toContain('1. ERROR: ');
    expect(program.stdout).not.toContain('See one record by record');
  });
});

describe('rules', () => {
  it('are listed, and told one by one', () => {
    expect(run('rules')).toMatchObject({ status: 0, stderr: '' });
    expect(run('rules').stdout).toMatch(/^ {2}php-fatal +error +cause +PHP /m);
    expect(run('rules', 'php-fatal').stdout).toMatch(/^PHP stopped.*\nphp-fatal, error\n/);
    expect(run('rules', 'php-fatal', '--color', 'always').stdout).toContain('\x1b[1m');
    expect(run('rules', '--help').stdout).toContain('Usage: fcgi-inspect rules');
  });

  it('that do not exist are answered with those that do', () => {
    expect(run('rules', 'fatal')).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/^fcgi-inspect: there is no rule "fatal"\n {2}is it php-fatal.*\n/),
    });
    expect(run('rules', 'zzzz').stderr).toContain('fcgi-inspect rules lists them all');
    expect(run('rules', 'a', 'b').status).toBe(2);
  });
});
