import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { request } from '../support/fake-source.js';
import { PROGRAM, Program, type ProgramOptions } from '../support/program.js';
import { until } from '../support/real/daemon.js';
import { sha256 } from '../support/real/http.js';
import type { NdjsonLine, NdjsonRequest, NdjsonSummary } from '../support/real/ndjson.js';
import { Workspace } from '../support/real/workspace.js';
import { WrittenCapture } from '../support/written-capture.js';
import { PtyTerminal } from '../tui/pty-terminal.js';

/** The program over capture files: what it writes, what it shows, what it says of files that are not as they should be. */

let workspace: Workspace;
const undo: (() => void)[] = [];
beforeAll(() => {
  workspace = new Workspace();
});
afterEach(() => {
  for (const step of undo.splice(0).reverse()) step();
});
afterAll(() => workspace.close());

let names = 0;
function written(bytes: Uint8Array | string, end = '.pcap'): string {
  names += 1;
  const path = workspace.path(`capture-${names}${end}`);
  writeFileSync(path, bytes);
  return path;
}

function start(args: readonly string[], options?: ProgramOptions): Program {
  const program = new Program(workspace, args, options);
  undo.push(() => program.child.kill('SIGKILL'));
  return program;
}

async function run(...args: string[]): Promise<Program & { status: number }> {
  const program = start(args);
  return Object.assign(program, { status: await program.ended });
}

const ndjson = (text: string): NdjsonLine[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as NdjsonLine);
const requestsOf = (program: Program): NdjsonRequest[] =>
  ndjson(program.stdout).filter((line) => line.type === 'request');
const summaryOf = (program: Program): NdjsonSummary => ndjson(program.stdout).find((line) => line.type === 'summary')!;
const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const FATAL =
  'PHP Fatal error:  Uncaught Error: no in /srv/www/a.php:3\nStack trace:\n#0 {main}\n  thrown in /srv/www/a.php on line 3';

describe('captures, headless', () => {
  it('as lines, with a summary on standard error and nothing else there', async () => {
    const capture = new WrittenCapture()
      .roundTrip({ path: '/a.php' })
      .roundTrip({ path: '/b.php', stdout: 'Status: 404 Not Found\r\n\r\n' });
    const program = await run(written(capture.file()));
    expect(program.status).toBe(0);
    expect(program.lines()).toHaveLength(2);
    expect(program.lines()[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} +1\/1 +200 +GET +http:\/\/example\.test\/a\.php /);
    expect(program.lines()[1]).toMatch(/ 2\/1 +404 +GET +http:\/\/example\.test\/b\.php /);
    expect(program.stderr).toBe(
      '2 requests on 2 connections in 1ms: 2 completed; no findings\n'.replace(
        '1ms',
        /in (\S+):/.exec(program.stderr)![1]!,
      ),
    );
    expect(program.spools()).toEqual([]);
  });

  it('as NDJSON, HAR and detail at once, each whole, bodies read from the file', async () => {
    const capture = new WrittenCapture();
    const bodies = Array.from(
      { length: 20 },
      (_, i) => `Content-Type: text/plain\r\n\r\n${String(i).repeat(5_000 * (i + 1))}`,
    );
    for (const [i, stdout] of bodies.entries())
      capture.roundTrip({ path: `/${i}.php`, method: 'POST', stdin: text(`name=${i}`), stdout });
    const har = workspace.path('out.har');
    const lines = workspace.path('out.ndjson');
    const program = await run(
      written(capture.file()),
      '--format',
      'detail',
      '--har',
      har,
      '--ndjson',
      lines,
      '--bodies',
      'sha256',
    );
    expect(program.status).toBe(0);
    const all = ndjson(readFileSync(lines, 'utf8'));
    const requests = all.filter((line) => line.type === 'request');
    expect(requests.map(({ n, outcome, status }) => ({ n, outcome, status }))).toEqual(
      bodies.map((_, i) => ({ n: i + 1, outcome: 'completed', status: 200 })),
    );
    expect(requests.map(({ stdout }) => stdout.sha256)).toEqual(bodies.map(sha256));
    expect(requests.map(({ stdin }) => stdin.sha256)).toEqual(bodies.map((_, i) => sha256(`name=${i}`)));
    expect(all.filter((line) => line.type === 'connection')).toHaveLength(20);
    expect(all.at(-1)).toMatchObject({ type: 'summary', requests: 20, completed: 20, evicted: 0 });
    const { log } = JSON.parse(readFileSync(har, 'utf8')) as {
      log: { entries: { response: { content: { text: string } } }[] };
    };
    expect(log.entries.map(({ response }) => response.content.text)).toEqual(
      bodies.map((body) => body.split('\r\n\r\n')[1]),
    );
    expect(program.stdout.match(/END_REQUEST/g)).toHaveLength(20);
    expect(program.spools()).toEqual([]);
  });

  it('several, merged by time, one of them packed', async () => {
    const first = new WrittenCapture().roundTrip({ path: '/1.php' });
    const second = new WrittenCapture(first.time + 10).roundTrip({ path: '/2.php', host: '10.0.0.3' });
    const third = new WrittenCapture(second.time + 10).roundTrip({
      path: '/3.php',
      host: '10.0.0.4',
      stdout: `X: 1\r\n\r\n${'z'.repeat(50_000)}`,
    });
    const paths = [written(gzipSync(third.file()), '.pcap.gz'), written(second.file()), written(first.file())];
    const program = await run(...paths, '--format', 'ndjson', '--bodies', 'sha256');
    expect(program.status).toBe(0);
    expect(requestsOf(program).map(({ script }) => script)).toEqual([
      '/srv/www/1.php',
      '/srv/www/2.php',
      '/srv/www/3.php',
    ]);
    expect(requestsOf(program)[2]!.stdout.sha256).toBe(sha256(`X: 1\r\n\r\n${'z'.repeat(50_000)}`));
    expect(program.stderr).toBe('');
    expect(program.spools()).toEqual([]);
  });

  it('on a port that is named, whatever passes there', async () => {
    const capture = new WrittenCapture().roundTrip({ path: '/fcgi.php' });
    capture
      .connect({ port: 8_080 })
      .send('client', text('GET / HTTP/1.1\r\nHost: example.test\r\n\r\n'))
      .end('server')
      .end('client');
    const path = written(capture.file());
    const found = await run(path, '--format', 'ndjson');
    expect(requestsOf(found).map(({ server }) => server)).toEqual(['10.0.0.2:9000']);
    const named = await run(path, '--format', 'ndjson', '--port', '8080');
    expect(ndjson(named.stdout).filter((line) => line.type === 'connection')).toMatchObject([
      { server: '10.0.0.2:8080' },
    ]);
    expect(requestsOf(named).every(({ server }) => server === '10.0.0.2:8080')).toBe(true);
    const none = await run(path, '--port', '9999');
    expect(none.status).toBe(0);
    expect(none.stderr).toMatch(
      /^fcgi-inspect: warning: no connection on port 9999 in \d+ packets \(\d+ segments on other ports\); .*\nno requests on no connections/,
    );
  });

  it('exits with 3 where findings are asked about', async () => {
    const path = written(new WrittenCapture().roundTrip({ stderr: FATAL, stdout: 'Status: 500\r\n\r\n' }).file());
    expect((await run(path)).status).toBe(0);
    expect((await run(path, '--fail-on', 'error')).status).toBe(3);
    const fine = written(new WrittenCapture().roundTrip().file());
    expect((await run(fine, '--fail-on', 'warning')).status).toBe(0);
  });

  it.each(['lines', 'ndjson'])('gives all requests out with a --max-requests of 3, as %s', async (format) => {
    const capture = new WrittenCapture();
    for (let n = 1; n <= 300; n += 1) capture.roundTrip({ path: `/${n}.php` });
    const program = await run(written(capture.file()), '--format', format, '--max-requests', '3');
    expect(program.status).toBe(0);
    expect(program.lines().filter((line) => line.includes('.php'))).toHaveLength(300);
    expect(program.stderr).not.toContain('before they could be written');
  });
});

describe('files that are not as they should be', () => {
  it.each([
    ['one that is missing', () => workspace.path('missing.pcap'), 'does not exist'],
    ['a directory', () => workspace.directory, 'is a directory'],
    ['an empty one', () => written(''), 'is empty'],
    ['a text', () => written('this is no capture\n', '.txt'), 'is not a capture: it looks like a text'],
    ['a word', () => 'inspct', 'inspct does not exist'],
    [
      'one that is cut in its first bytes',
      () => written(new WrittenCapture().file().subarray(0, 10)),
      '10 of 24 bytes',
    ],
    ['a packed text', () => written(gzipSync('nothing'), '.gz'), 'is not a capture after unpacking'],
  ])('%s is an error in a line, with advice', async (_, path, words) => {
    const good = written(new WrittenCapture().roundTrip().file());
    const har = workspace.write('kept.har', 'an earlier recording');
    for (const args of [[path()], [good, path()]]) {
      const program = await run(...args, '--har', har);
      expect(program.status).toBe(1);
      expect(program.stdout).toBe('');
      expect(program.stderr).toMatch(/^fcgi-inspect: .*\n {2}\S.*\n$/);
      expect(program.stderr).toContain(words);
      expect(readFileSync(har, 'utf8')).toBe('an earlier recording');
      expect(program.spools()).toEqual([]);
    }
  });

  it.runIf(process.getuid?.() === 0)('one that is not ours to read', () => {
    const path = written(new WrittenCapture().roundTrip().file());
    chmodSync(path, 0o600);
    // Without the right that lets root read everything.
    const { status, stdout, stderr } = spawnSync(
      'setpriv',
      ['--reuid', '65534', '--regid', '65534', '--clear-groups', '--', process.execPath, PROGRAM, path],
      { encoding: 'utf8', cwd: '/', env: { ...process.env, TMPDIR: '/tmp' } },
    );
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^fcgi-inspect: no permission to read .*(\n|\/)/);
  });

  it.each(['spawn', 'trace'])('%s is no file, but a command that there is not yet', async (word) => {
    const program = await run(word);
    expect(program.status).toBe(2);
    expect(program.stderr).toMatch(
      new RegExp(`^fcgi-inspect: "${word}" is no command of this version\\n  .*\\./${word}`),
    );
  });

  it('one that is cut is read up to there, with a warning that says where', async () => {
    const capture = new WrittenCapture();
    for (let n = 1; n <= 5; n += 1) capture.roundTrip({ path: `/${n}.php` });
    const file = capture.file();
    const path = written(file.subarray(0, file.length - 30));
    const program = await run(path, '--format', 'ndjson');
    expect(program.status).toBe(0);
    expect(requestsOf(program)).toHaveLength(5);
    expect(program.stderr).toMatch(/^fcgi-inspect: warning: .*capture-\d+\.pcap: .*\(byte \d+\)\n$/);
    const byte = Number(/\(byte (\d+)\)/.exec(program.stderr)![1]);
    expect(byte).toBeGreaterThan(file.length - 200);
    const packed = await run(written(gzipSync(file).subarray(0, -200), '.pcap.gz'), '--format', 'ndjson');
    expect(packed.status).toBe(0);
    expect(requestsOf(packed).length).toBeGreaterThan(0);
    expect(packed.stderr).toMatch(/^fcgi-inspect: warning: .*\(byte \d+\)\n/);
  });

  it('one without FastCGI says what is in it', async () => {
    const capture = new WrittenCapture();
    capture
      .connect({ port: 80 })
      .send('client', text('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
      .send('server', text('HTTP/1.1 204 No\r\n\r\n'));
    const program = await run(written(capture.file()));
    expect(program.status).toBe(0);
    expect(program.stdout).toBe('');
    expect(program.stderr).toMatch(
      /^fcgi-inspect: warning: no FastCGI was found in 5 packets; other connections: 1 HTTP; --port 9000 /,
    );
  });
});

describe('standard input', () => {
  const piped = (...args: string[]): Program & { write(bytes: Uint8Array): void; close(): void } => {
    const program = start(['-', ...args], { stdin: 'pipe' });
    const stdin = program.child.stdin!;
    stdin.on('error', () => {});
    return Object.assign(program, {
      write: (bytes: Uint8Array) => void stdin.write(bytes),
      close: () => void stdin.end(),
    });
  };
  const shorter = (line: string): string => line.replace(/ +/g, ' ');

  it.each(['lines', 'ndjson'])('is shown while it grows, as %s', async (format) => {
    const program = piped('--format', format, '--bodies', 'sha256');
    const capture = new WrittenCapture().roundTrip({ path: '/1.php' });
    program.write(capture.file());
    await program.until('the first request', () => program.lines().some((line) => line.includes('/1.php')));
    expect(program.spools()).toHaveLength(1);
    capture.packets.length = 0;
    capture.roundTrip({ path: '/2.php' });
    const more = Buffer.concat(capture.blocks());
    program.write(more.subarray(0, -10));
    await program.until('the second request', () => program.lines().some((line) => line.includes('/2.php')));
    expect(program.running).toBe(true);
    program.write(more.subarray(-10));
    program.close();
    expect(await program.ended).toBe(0);
    if (format === 'ndjson') {
      expect(requestsOf(program).map(({ stdout }) => stdout.sha256)).toHaveLength(2);
      for (const { stdout } of requestsOf(program)) expect(stdout).not.toHaveProperty('missing');
      expect(summaryOf(program)).toMatchObject({ requests: 2, completed: 2 });
    } else expect(shorter(program.lines()[1]!)).toContain(' 2/1 200 GET http://example.test/2.php');
    expect(program.spools()).toEqual([]);
  });

  it('ends with the count, though more may come', async () => {
    const program = piped('-n', '1');
    program.write(new WrittenCapture().roundTrip().roundTrip().file());
    expect(await program.ended).toBe(0);
    expect(program.lines()).toHaveLength(1);
    expect(program.spools()).toEqual([]);
  });

  it('ends with the time, whether something came or not', async () => {
    const program = piped('--duration', '1s', '--format', 'ndjson');
    const capture = new WrittenCapture().roundTrip();
    capture.connect().send('client', request());
    program.write(capture.file());
    expect(await program.ended).toBe(0);
    expect(requestsOf(program).map(({ outcome }) => outcome)).toEqual(['completed', 'unfinished']);
    const silent = piped('--duration', '100ms');
    expect(await silent.ended).toBe(1);
    expect(silent.stderr).toBe('fcgi-inspect: no capture began within the time of --duration\n');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'ends by %s at once: while it is waited for, and before it begins',
    async (signal) => {
      const program = piped('--format', 'ndjson');
      program.write(new WrittenCapture().roundTrip().file());
      await program.until('the request', () => requestsOf(program).length === 1);
      program.signal(signal);
      const status = signal === 'SIGINT' ? 130 : 143;
      expect(await program.ended).toBe(status);
      expect(summaryOf(program)).toMatchObject({ requests: 1 });
      expect(program.spools()).toEqual([]);

      const silent = piped();
      // It reads /dev/stdin by now, or has not begun to: the signal must end it either way.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      silent.signal(signal);
      expect(await silent.ended).toBe(status);
      expect(silent.stdout + silent.stderr).toBe('');
      expect(silent.spools()).toEqual([]);
    },
  );

  it('or a FIFO to which nobody writes yet ends by a signal, too', async () => {
    const path = workspace.path('nobody');
    execFileSync('mkfifo', [path]);
    const program = start([path]);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(program.running).toBe(true);
    program.signal('SIGINT');
    expect(await program.ended).toBe(130);
  });

  it('that ends before it begins, or is none', async () => {
    const program = piped();
    program.close();
    expect(await program.ended).toBe(1);
    expect(program.stderr).toMatch(/^fcgi-inspect: standard input is empty\n {2}\S.*\n$/);
    const nothing = await run('-');
    expect(nothing.status).toBe(1);
    expect(nothing.stderr).toMatch(/^fcgi-inspect: standard input .*\n {2}\S.*\n$/);
  });

  it('may be a file, or stand among files', async () => {
    const path = written(new WrittenCapture().roundTrip({ path: '/in.php' }).file());
    const fd = openSync(path, 'r');
    undo.push(() => closeSync(fd));
    const other = written(new WrittenCapture(1_790_000_000_000_000).roundTrip({ path: '/file.php' }).file());
    const program = start([other, '-', '--format', 'ndjson', '--bodies', 'sha256'], { stdin: fd });
    expect(await program.ended).toBe(0);
    expect(requestsOf(program).map(({ script }) => script)).toEqual(['/srv/www/in.php', '/srv/www/file.php']);
    expect(program.stderr).toBe('');
  });
});

function fifoOf(name: string): { readonly path: string; readonly fd: number } {
  const path = workspace.path(name);
  execFileSync('mkfifo', [path]);
  // For reading and writing: does not wait for the other side.
  const fd = openSync(path, 'r+');
  undo.push(() => closeSync(fd));
  return { path, fd };
}

/** A capture of `copies` times 4 000 requests (about 5 MB each), each on a connection of its own; written quickly. */
function largeCapture(copies: number): string {
  const part = new WrittenCapture();
  for (let n = 0; n < 4_000; n += 1) part.roundTrip({ stdout: `Content-Type: text/plain\r\n\r\n${'x'.repeat(400)}` });
  const blocks = part.blocks().map((block) => Buffer.from(block));
  const bytes = Buffer.concat(blocks);
  const starts: number[] = [];
  for (let at = 0, i = 0; i < blocks.length; at += blocks[i]!.length, i += 1) starts.push(at);
  const seconds = starts.map((at) => bytes.readUInt32LE(at));
  const path = workspace.path('large.pcap');
  const fd = openSync(path, 'w');
  writeSync(fd, new WrittenCapture().file());
  for (let copy = 0; copy < copies; copy += 1) {
    for (const [i, at] of starts.entries()) {
      bytes.writeUInt32LE(seconds[i]! + copy, at);
      // The second byte of both IPv4 addresses.
      bytes[at + 16 + 14 + 13] = copy;
      bytes[at + 16 + 14 + 17] = copy;
    }
    writeSync(fd, bytes);
  }
  closeSync(fd);
  return path;
}

describe('a large capture', { timeout: 60_000 }, () => {
  const COPIES = 40;
  const REQUESTS = COPIES * 4_000;
  let large: string;
  beforeAll(() => {
    large = largeCapture(COPIES);
  });

  it('is read whole, in little memory', async () => {
    const program = start([large, '--format', 'lines', '--filter', 'status != 200'], {
      env: { NODE_OPTIONS: '--max-old-space-size=100' },
    });
    expect(await program.ended).toBe(0);
    expect(program.stderr).toMatch(
      new RegExp(
        `^${REQUESTS} requests on ${REQUESTS} connections in .*: ${REQUESTS} completed; no findings; ${REQUESTS} not shown`,
      ),
    );
  });

  it('is left at once by a signal: what was read is written, and the rest is not read', async () => {
    const program = start([large, '--format', 'ndjson']);
    await program.until('something is written', () => program.stdout.length > 0);
    program.signal('SIGINT');
    expect(await program.ended).toBe(130);
    const { requests } = summaryOf(program);
    expect(requests).toBeLessThan(REQUESTS);
    expect(requestsOf(program)).toHaveLength(requests);
  });

  it('is left when there have been enough', async () => {
    const program = await run(large, '--format', 'ndjson', '-n', '5');
    expect(program.status).toBe(0);
    expect(requestsOf(program)).toHaveLength(5);
    expect(summaryOf(program).requests).toBeLessThan(10_000);
  });

  it('is left when nobody reads any more', () => {
    const script = `{ "$0" "$1" "$2" --format lines 2>"$3"; echo $? >"$4"; } | head -1`;
    const files = [workspace.path('head.err'), workspace.path('head.status')] as const;
    const line = execFileSync('sh', ['-c', script, process.execPath, PROGRAM, large, ...files], { encoding: 'utf8' });
    expect(line.split('\n')).toHaveLength(2);
    expect(readFileSync(files[1], 'utf8')).toBe('1\n');
    const said = readFileSync(files[0], 'utf8');
    expect(Number(/^(\d+) requests? on /m.exec(said)![1])).toBeLessThan(REQUESTS);
    expect(said).toContain('not everything was written: EPIPE');
  });

  it('says how far it is on a terminal, on a line that goes when it is done', async () => {
    const out = workspace.path('progress.out');
    const wrapper = workspace.write(
      'stderr-only.mjs',
      `import { openSync } from 'node:fs';
import { spawn } from 'node:child_process';
const [out, ...args] = process.argv.slice(2);
spawn(process.execPath, args, { stdio: ['ignore', openSync(out, 'w'), 'inherit'] }).on('exit', (code) => process.exit(code ?? 1));
`,
    );
    const args = [out, PROGRAM, large, '--format', 'ndjson'];
    const terminal = new PtyTerminal(wrapper, args, { columns: 100, rows: 20 });
    undo.push(() => terminal.kill());
    expect(await terminal.exited).toBe(0);
    expect(terminal.raw).toMatch(/reading \d+% of 1\d\dMB, \d+ requests?/);
    expect(terminal.text().trim()).toBe('');
    expect(ndjson(readFileSync(out, 'utf8')).at(-1)).toMatchObject({ type: 'summary', requests: REQUESTS });
    const quiet = new PtyTerminal(wrapper, [...args, '-q', '-n', '60000'], { columns: 100, rows: 20 });
    undo.push(() => quiet.kill());
    expect(await quiet.exited).toBe(0);
    expect(quiet.raw).not.toContain('reading');
  });

  it('warns above that line, not in the middle of it', async () => {
    const fifo = fifoOf('progress-fifo');
    const wrapper = workspace.write(
      'fifo-to-file.mjs',
      `import { openSync } from 'node:fs';
import { spawn } from 'node:child_process';
const [fifo, out, ...args] = process.argv.slice(2);
const stdio = [openSync(fifo, 'r'), openSync(out, 'w'), 'inherit'];
spawn(process.execPath, args, { stdio }).on('exit', (code) => process.exit(code ?? 1));
`,
    );
    const args = [fifo.path, workspace.path('progress.out'), PROGRAM, '-', '--format', 'ndjson'];
    const terminal = new PtyTerminal(wrapper, args, { columns: 100, rows: 20 });
    undo.push(() => terminal.kill());
    const capture = new WrittenCapture().roundTrip();
    writeSync(fifo.fd, capture.file());
    await terminal.until(/^\d.*B read, 1 request$/m);
    // Damaged bytes, and packets after them by which to find the way again.
    capture.packets.length = 0;
    for (let n = 0; n < 20; n += 1) capture.roundTrip();
    writeSync(fifo.fd, Buffer.concat([Buffer.alloc(400, 0x7f), ...capture.blocks()]));
    await terminal.until(/^fcgi-inspect: warning: standard input: /m);
    await terminal.until(/^\d.*B read, 21 requests$/m);
    terminal.signal('SIGINT');
    await terminal.exited;
  });

  it('fills the screen while it is read, and is left at once by Q', async () => {
    const terminal = new PtyTerminal(PROGRAM, [large], { columns: 120, rows: 30 });
    undo.push(() => terminal.kill());
    await terminal.until(/^ fcgi-inspect .*reading \d+% of 1\d\dMB {2}\d+ requests/);
    expect(terminal.text()).not.toContain('all read');
    terminal.type('Q');
    expect(await terminal.exited).toBe(0);
    expect(terminal.alternate).toBe(false);
    expect(Number(/^(\d+) requests on/m.exec(terminal.text())![1])).toBeLessThan(REQUESTS);
  });
});

describe('captures on the screen', { timeout: 60_000 }, () => {
  let terminal: PtyTerminal;
  const show = (program: string, args: readonly string[]): PtyTerminal => {
    const temporary = workspace.path('tmp');
    mkdirSync(temporary, { recursive: true });
    terminal = new PtyTerminal(program, args, { columns: 120, rows: 36 }, { TMPDIR: temporary });
    undo.push(() => terminal.kill());
    return terminal;
  };
  const spools = (): string[] => readdirSync(workspace.path('tmp'));

  it('begin at the top, when all is read say so, and show bodies from the file', async () => {
    const capture = new WrittenCapture();
    for (let n = 1; n <= 100; n += 1)
      capture.roundTrip({ path: `/${n}.php`, stdout: `Content-Type: text/plain\r\n\r\nbody of ${n}` });
    show(PROGRAM, [written(capture.file())]);
    await terminal.until('all read  100 requests');
    await terminal.until('[1/100]');
    expect(terminal.text()).not.toMatch(/LIVE|following|req\/s/);
    await terminal.see('G', '[100/100]');
    await terminal.see('\r4', 'body of 100');
    expect(spools()).toEqual([]);
    terminal.type('Q');
    expect(await terminal.exited).toBe(0);
    expect(terminal.text().trim()).toMatch(/^100 requests on 100 connections in .*: 100 completed; no findings$/);
  });

  it('without a request say why', async () => {
    const capture = new WrittenCapture();
    capture
      .connect({ port: 80 })
      .send('client', text('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
      .send('server', text('HTTP/1.1 204 No\r\n\r\n'));
    show(PROGRAM, [written(capture.file())]);
    await terminal.until('There was no FastCGI request.');
    expect(terminal.text()).toContain('no FastCGI was found in 5 packets; other connections: 1 HTTP');
  });

  it('that become shorter while they are looked at have gaps, and say so', async () => {
    const capture = new WrittenCapture();
    for (let n = 1; n <= 3; n += 1)
      capture.roundTrip({ path: `/${n}.php`, stdout: `Content-Type: text/plain\r\n\r\n${'z'.repeat(100_000)}` });
    const path = written(capture.file());
    show(PROGRAM, [path]);
    await terminal.until('all read  3 requests');
    truncateSync(path, 150_000);
    await terminal.see('jj\r4', 'the capture file has become shorter');
    await terminal.see('qgg\r4', 'zzzzzzzz');
    terminal.type('Q');
    expect(await terminal.exited).toBe(0);
  });

  it('that cannot be opened leave the terminal as it was', async () => {
    show(PROGRAM, [workspace.path('missing.pcap')]);
    expect(await terminal.exited).toBe(1);
    await terminal.until('missing.pcap does not exist');
    expect(terminal.raw).not.toContain('\x1b[?1049h');
  });

  it('come through standard input: shown while they grow, keys from the terminal, Q before the end', async () => {
    const { path: fifo, fd } = fifoOf('fifo');
    const wrapper = workspace.write(
      'from-fifo.mjs',
      `import { openSync } from 'node:fs';
import { spawn } from 'node:child_process';
const [fifo, ...args] = process.argv.slice(2);
spawn(process.execPath, args, { stdio: [openSync(fifo, 'r'), 'inherit', 'inherit'] }).on('exit', (code) => process.exit(code ?? 1));
`,
    );
    show(wrapper, [fifo, PROGRAM, '-', '--format', 'tui']);
    const capture = new WrittenCapture();
    writeSync(fd, capture.file());
    await terminal.until(/LIVE +0 requests/);
    await terminal.until('No FastCGI request yet');
    capture.roundTrip({ path: '/1.php', stdout: 'Content-Type: text/plain\r\n\r\nfirst body' });
    writeSync(fd, Buffer.concat(capture.blocks()));
    await terminal.until(/LIVE +1 request /);
    expect(spools()).toHaveLength(1);
    await terminal.see('\r4', 'first body');
    await terminal.see('q', '[1/1]');
    capture.packets.length = 0;
    capture
      .roundTrip({ path: '/2.php' })
      .connect()
      .send('client', request({ path: '/open.php' }));
    writeSync(fd, Buffer.concat(capture.blocks()));
    await terminal.until('/open.php');
    // Nothing passes through us: there is nothing to be asked about open requests.
    terminal.type('Q');
    expect(await terminal.exited).toBe(0);
    await until('the spool is gone', () => spools().length === 0);
  });
});
