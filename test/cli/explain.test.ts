import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explain as inProcess } from '../../src/cli/explain.js';
import type { Writer } from '../../src/cli/writer.js';
import { PROGRAM } from '../support/program.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'explain-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function explain(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, 'explain', ...args], {
    encoding: 'utf8',
    input,
    env: { ...process.env, TZ: 'UTC', NO_COLOR: '1' },
  });
  return { status, stdout, words: stdout.replace(/\s+/g, ' '), stderr };
}

function log(...lines: readonly string[]): string {
  const path = join(folder, 'error.log');
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}

const TOO_BIG = 'upstream sent too big header while reading response header from upstream';

describe('explain', () => {
  it('says of a line what it means, what to change, and how to see it', () => {
    const { status, stdout, words } = explain([TOO_BIG]);
    expect(status).toBe(0);
    expect(stdout.startsWith('nginx: upstream sent too big header\nOnce\n')).toBe(true);
    expect(words).toContain('does not fit into fastcgi_buffer_size');
    expect(words).toContain('(header-too-big)');
    expect(words).toContain('On the wire: more than 4096 bytes');
    expect(words).toContain('- nginx: fastcgi_buffer_size');
    expect(stdout).toContain("fcgi-inspect --listen 9001 --upstream 9000 -Y 'finding == header-too-big'\n");
  });

  it('takes a line that was not quoted', () => {
    expect(explain(TOO_BIG.split(' ')).words).toContain('(header-too-big)');
  });

  it('tells of lines with the same message once, the most frequent first, with how often and when', () => {
    const path = log(
      `2026/11/20 12:00:00 [error] 1#1: *1 ${TOO_BIG}, client: 127.0.0.1, server: a, request: "GET /a.php?token=geheim HTTP/1.1", upstream: "fastcgi://127.0.0.1:9123", host: "a"`,
      '2026/11/20 12:00:01 [notice] 1#1: reconfiguring',
      '2026/11/20 12:00:02 [error] 1#1: *2 no live upstreams while connecting to upstream, client: 127.0.0.1',
      `2026/11/20 12:01:30 [error] 1#1: *3 ${TOO_BIG}, client: 127.0.0.1`,
    );
    const { status, stdout, words } = explain([path]);
    expect(status).toBe(0);
    expect(words).toContain('2 times, from 2026-11-20 12:00:00.000 error.log:1 to 12:01:30.000');
    expect(words.indexOf('too big header')).toBeLessThan(words.indexOf('no live upstreams'));
    expect(words).toContain('/a.php?token=[redacted]');
    expect(stdout).toContain(`--upstream 127.0.0.1:9123 --log ${path} -Y`);
    expect(words).toContain('The web server has put the backend aside (backend-marked-down)');
    expect(stdout.endsWith('\n1 of 4 lines are not a message about FastCGI that is known.\n')).toBe(true);
    expect(explain([path, '--no-redact']).words).toContain('token=geheim');
  });

  it('tells what came on STDERR, not that something did', () => {
    const { stdout, words } = explain([
      '2026/11/20 12:00:00 [error] 1#1: *1 FastCGI sent in stderr: "Primary script unknown" while reading response header from upstream, client: 127.0.0.1',
    ]);
    expect(stdout.startsWith('nginx passes on from PHP: Primary script unknown\n')).toBe(true);
    expect(words).toContain('fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;');
    expect(words).not.toContain('lighttpd:');
    expect(words).not.toMatch(/path above|named above/);
  });

  it.each([
    [
      'PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted (tried to allocate 64 bytes) in /a.php on line 2',
      'memory_limit = ',
    ],
    ['PHP Fatal error:  Maximum execution time of 30 seconds exceeded in /a.php on line 2', 'max_execution_time in'],
    ['Allowed memory size of 134217728 bytes exhausted (tried to allocate 64 bytes)', 'memory_limit = '],
    ['PHP Warning:  Unknown: Input variables exceeded 1000. To increase the limit', 'max_input_vars = '],
    ['PHP Fatal error:  Uncaught Error: Class "App" not found in /a.php:3', 'composer'],
  ])('advises by the words: %s', (line, advice) => {
    for (const said of [
      line,
      `[error] 1#1: *1 FastCGI sent in stderr: "PHP message: ${line}" while reading upstream`,
    ]) {
      const { stdout, words } = explain([said]);
      expect(words).toContain(advice);
      expect(stdout.split('\n')[0]).not.toMatch(/<[a-z]/);
    }
  });

  it('does not say of an upload that the web server refused that PHP got it', () => {
    const { words } = explain(['client intended to send too large body: 10485761 bytes']);
    expect(words).toContain('never reached the backend');
    expect(words).toContain('client_max_body_size 64m;');
    expect(words).not.toContain('reached PHP');
  });

  it('reads standard input', () => {
    expect(explain(['-'], `${TOO_BIG}\n`).words).toContain('standard input:1');
    expect(explain([], TOO_BIG).status).toBe(0);
  });

  it('ends 1 when nothing is known, and says so; guesses only what is nearly the same', () => {
    expect(explain(['the printer is on fire'])).toMatchObject({
      status: 1,
      stdout: 'This is not a message about FastCGI that is known: the printer is on fire\n',
    });
    expect(explain(['upstream has sent a header that is too big']).stdout).toContain(
      'resembles nginx\'s "upstream sent too big header"',
    );
    expect(explain([log('a', 'b')])).toMatchObject({
      status: 1,
      stdout: 'None of 2 lines is a message about FastCGI that is known.\n',
    });
    expect(explain(['-'])).toMatchObject({ status: 1, stdout: 'There is no line to explain.\n' });
  });

  it('says of lines beside a capture whether they name a request that is in it', async () => {
    const besides = async (line: string) => {
      let page = '';
      const write = async (text: string) => {
        page += text;
      };
      const captures = [fileURLToPath(new URL('../../samples/read-timeout.pcap', import.meta.url))];
      await inProcess({ what: [line], captures, redact: true, color: false, width: null }, {
        write,
      } as unknown as Writer);
      return page;
    };
    const line = 'upstream timed out (110: Connection timed out) while reading response header from upstream';
    expect(await besides(line)).toMatch(
      /It does not say which request it is about\. \d+ requests? had what it speaks of/,
    );
    const named = `2001/01/01 12:00:00 [error] 1#1: *1 ${line}, client: 127.0.0.1, server: a, request: "GET /nowhere.php HTTP/1.1", host: "a"`;
    expect(await besides(named)).toMatch(/The request that it names is not in the capture\. \d+ requests? had what it/);
  });

  it('says when there is no such log', () => {
    expect(explain([join(folder, 'none.log')])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('there is no log "'),
    });
  });

  it('shows nothing that a terminal would obey', () => {
    const { stdout } = explain(['-'], `\x1b]0;title\x07 ${TOO_BIG} \x1b[31m\r\u202e\x9b2J\n`);
    expect(stdout).toContain('␛]0;title␇');
    expect(stdout).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
    expect(explain([`\x1b[31munknown\x07`]).stdout).not.toMatch(/(?!\n)\p{Cc}/u);
  });
});
