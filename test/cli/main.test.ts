import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Endpoint, formatEndpoint } from '../../src/model/connection.js';
import { type ClientAnswer, type ClientRequest, FastcgiClient } from '../support/fastcgi-client.js';
import { type FaultBackend, SCRIPTS, type Script, startFaultBackend } from '../support/fault-backend.js';
import { validateHar } from '../support/har-schema.js';
import { Program, type ProgramOptions } from '../support/program.js';
import { listening } from '../support/real/listening.js';
import { Workspace } from '../support/real/workspace.js';

/** The program as its user starts it: a process with arguments, two streams and an exit status. */

const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../docs/ndjson.schema.json'), 'utf8'));
const validateNdjson = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);

/** JSON that was validated: what is compared, not computed with. */
type Json = ReturnType<typeof JSON.parse>;

let workspace: Workspace;
const undo: (() => unknown)[] = [];
beforeEach(() => {
  workspace = new Workspace();
});
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
  await workspace.close();
});

function start(args: readonly string[], options: ProgramOptions = {}): Program {
  const program = new Program(workspace, args, options);
  undo.push(() => program.child.kill('SIGKILL'));
  return program;
}

async function backend(script: Script | readonly Script[] = SCRIPTS.answers(), at?: Endpoint): Promise<FaultBackend> {
  const started = await startFaultBackend(script, at);
  undo.push(() => started.stop());
  return started;
}

async function proxy(
  upstream: Endpoint,
  args: readonly string[] = [],
  options: ProgramOptions = {},
): Promise<{ program: Program; listen: Endpoint }> {
  const listen = await workspace.address('tcp', 'proxy');
  const program = await Program.proxy(workspace, [[listen, upstream]], args, options);
  undo.push(() => program.child.kill('SIGKILL'));
  return { program, listen };
}

async function ask(listen: Endpoint, request: ClientRequest = { script: '/index.php' }): Promise<ClientAnswer> {
  const client = await FastcgiClient.connect(listen);
  try {
    return await client.request(request);
  } finally {
    client.close();
  }
}

function ndjsonOf(text: string): Json[] {
  expect(text.endsWith('\n')).toBe(true);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => {
      const parsed = JSON.parse(line);
      expect(validateNdjson(parsed), `${JSON.stringify(validateNdjson.errors)}\n${line}`).toBe(true);
      return parsed;
    });
}

function harOf(text: string): Json {
  const parsed = JSON.parse(text);
  expect(validateHar(parsed), JSON.stringify(validateHar.errors)).toBe(true);
  return parsed;
}

describe('demo', { concurrent: false, timeout: 30_000 }, () => {
  it('prints aligned lines for some five seconds, then a summary, with every kind of end', async () => {
    const program = start(['demo']);
    const begin = performance.now();
    expect(await program.ended).toBe(0);
    const seconds = (performance.now() - begin) / 1_000;
    expect(seconds).toBeGreaterThan(4.5);
    expect(seconds).toBeLessThan(15);
    const rows = program.lines().map((line) => line.split(/ +/));
    for (const row of rows) expect(row).toHaveLength(10);
    // Only the longest URLs beside an outcome move what stands behind them.
    const column = program.lines().map((line) => line.lastIndexOf(' '));
    expect(column.filter((at) => at === column[0]).length).toBeGreaterThan(rows.length * 0.9);
    const kinds = rows.map(([, , status, method, url]) => `${status} ${method} ${new URL(url!).pathname}`);
    for (const kind of [
      '200 GET /index.php',
      '200 GET /report.php',
      '200 GET /export.php',
      '200 GET /events.php',
      '200 POST /contact.php',
      '200 POST /upload.php',
      'aborted POST /upload.php',
      '200 GET /api/orders.php',
      '201 POST /api/orders.php',
      '200 GET /cart.php',
      '500 POST /checkout.php',
      '302 POST /login.php',
      '404 GET /wp-login.php',
      'rejected GET /busy.php',
      'backend-closed GET /import.php',
      'backend-reset GET /thumbnail.php',
      '200 GET /staff/prices.php',
      '403 GET /staff/prices.php',
      '200 GET /terms.txt',
      'web-server-closed GET /report.php',
      'web-server-closed GET /events.php',
    ])
      expect(kinds).toContain(kind);
    expect(rows.some(([, place]) => place!.endsWith('/3'))).toBe(true);
    const findings = rows.map((row) => row[9]);
    for (const id of [
      'php-fatal',
      'primary-script-unknown',
      'overloaded',
      'crash-mid-response',
      'client-abort',
      'stderr-noise',
    ])
      expect(findings).toContain(id);
    expect(program.stderr).toMatch(
      new RegExp(`\n${rows.length} requests on \\d+ connections in [\\d.]+s: \\d+ completed, .*; \\d+ errors, .*\n$`),
    );
    expect(program.stdout).not.toContain('\x1b');
    expect(program.spools()).toEqual([]);
  });

  it('writes NDJSON by its schema, HAR by its own, and tells the same in both', async () => {
    const har = workspace.path('demo.har');
    const program = start(['demo', '--format', 'ndjson', '--bodies', 'text', '--har', har]);
    expect(await program.ended).toBe(0);
    const lines = ndjsonOf(program.stdout);
    const requests = lines.filter((line) => line.type === 'request');
    expect(lines.at(-1)).toMatchObject({ type: 'summary', requests: requests.length, evicted: 0 });
    const { entries } = harOf(readFileSync(har, 'utf8')).log;
    expect(entries.map((entry: Json) => entry.request.url).sort()).toEqual(requests.map((line) => line.url).sort());
    expect(new Set(requests.map((line) => line.outcome))).toEqual(
      new Set(['completed', 'rejected', 'aborted', 'backend-closed', 'backend-reset', 'web-server-closed']),
    );
  });

  it('leaves a whole HAR when it is interrupted in the middle', async () => {
    const har = workspace.path('demo.har');
    const program = start(['demo', '--har', har]);
    await program.until('ten requests were told of', () => program.lines().length >= 10);
    program.signal('SIGINT');
    expect(await program.ended).toBe(130);
    const { entries } = harOf(readFileSync(har, 'utf8')).log;
    expect(entries).toHaveLength(program.lines().length);
    expect(entries.length).toBeGreaterThanOrEqual(10);
    expect(program.spools()).toEqual([]);
  });

  it('writes HAR to standard output, and nothing else', async () => {
    const program = start(['demo', '--har', '-', '--duration', '500ms']);
    expect(await program.ended).toBe(0);
    expect(harOf(program.stdout).log.entries.length).toBeGreaterThan(1);
  });
});

describe('limits', () => {
  it('-n stops after as many requests, and lets the open ones finish', async () => {
    let finish = (): void => {};
    const gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const { address } = await backend([
      async (connection) => {
        await connection.readRequest();
        await connection.stdout('Content-Type: text/plain\r\n\r\nbegun, ');
        await gate;
        await connection.stdout('finished');
        await connection.endRequest();
        connection.halfClose();
      },
      SCRIPTS.answers(),
    ]);
    const { program, listen } = await proxy(address, ['-n', '5']);
    const slow = ask(listen, { script: '/slow.php' });
    for (let n = 1; n <= 5; n++) await ask(listen, { script: `/${n}.php` });
    await program.until('five lines', () => program.lines().length === 5);
    await program.until('it accepts nothing more', () => !listening(listen));
    finish();
    expect(String((await slow).stdout)).toBe('Content-Type: text/plain\r\n\r\nbegun, finished');
    expect(await program.ended).toBe(0);
    expect(program.lines().map((line) => line.split(/ +/)[4])).toEqual(
      [1, 2, 3, 4, 5].map((n) => `http://localhost/${n}.php`),
    );
  });

  it('--duration stops after a time', async () => {
    const { address } = await backend();
    const { program, listen } = await proxy(address, ['--duration', '1s']);
    await ask(listen);
    expect(await program.ended).toBe(0);
    expect(program.lines()).toHaveLength(1);
  });

  it('--filter shows and exports what matches only, and counts the rest', async () => {
    const { address } = await backend();
    const har = workspace.path('x.har');
    const { program, listen } = await proxy(address, ['-Y', 'path == "/b.php"', '-n', '2', '--har', har]);
    for (const script of ['/a.php', '/b.php', '/c.php', '/b.php']) await ask(listen, { script });
    expect(await program.ended).toBe(0);
    expect(program.lines().map((line) => line.split(/ +/)[4])).toEqual(Array(2).fill('http://localhost/b.php'));
    expect(harOf(readFileSync(har, 'utf8')).log.entries).toHaveLength(2);
    expect(program.stderr).toContain('2 not shown (filter)');
  });

  it.each([
    ['error', 'error', 3],
    ['warning', 'error', 3],
    ['error', 'warning', 0],
    ['warning', 'warning', 3],
    ['warning', 'nothing', 0],
    ['never', 'error', 0],
  ] as const)('--fail-on %s after a finding of severity %s ends with %i', async (severity, made, status) => {
    const { address } = await backend(made === 'error' ? SCRIPTS.closesWithoutAnswer() : SCRIPTS.answers());
    const { program, listen } = await proxy(address, ['--fail-on', severity, '-n', '1']);
    const client = await FastcgiClient.connect(listen);
    // Without REQUEST_METHOD it is no CGI request, though it is answered.
    const params: ClientRequest['params'] = made === 'warning' ? [] : [['REQUEST_METHOD', 'GET']];
    await client
      .request({ script: '/index.php', params: [['SCRIPT_FILENAME', '/index.php'], ...params] })
      .catch(() => {});
    client.close();
    expect(await program.ended).toBe(status);
  });
});

describe('wrong usage', () => {
  it.each([
    [['--frmat', 'lines'], "unknown option '--frmat'", 'Did you mean --format? see fcgi-inspect --help'],
    [[], 'nothing to inspect', 'try fcgi-inspect demo'],
    [['--listen', '9001'], '1 --listen and 0 --upstream', 'pairs with'],
    [['--listen', 'nowhere', '--upstream', '9000'], '--listen "nowhere": a host needs a port', 'write it as 9000'],
    [['demo', '--format', 'xml'], "argument 'xml' is invalid", 'see fcgi-inspect --help'],
    [['demo', '-n', '0'], 'whole number from 1', 'see fcgi-inspect --help'],
    [['demo', 'more'], 'too many arguments', 'see fcgi-inspect --help'],
    [['demo', '--format', 'tui'], 'needs a terminal', 'use --format lines'],
    [['demo', '--har', '-', '--format', 'lines'], 'both want standard output', 'give one of them a file'],
    [['demo', '--har', 'x', '--ndjson', 'x'], 'both want x', 'give each a file'],
    [['demo', '--listen', '9001'], 'the demo has addresses of its own', 'leave'],
    [['--listen', '1', '--upstream', '2', 'demo'], 'addresses of its own', 'leave'],
    [['trace', 'capture.pcap'], '"trace" is no command', 'write ./trace'],
  ])('%j: 2, what is wrong in one line, what to try in the next', async (args, wrong, advice) => {
    const program = start(args);
    expect(await program.ended).toBe(2);
    expect(program.stdout).toBe('');
    const [first, second, ...more] = program.stderr.split('\n');
    expect(first).toMatch(/^fcgi-inspect: /);
    expect(first).toContain(wrong);
    expect(second).toMatch(/^ {2}\S/);
    expect(second).toContain(advice);
    expect(more).toEqual(['']);
  });

  it('draws carets under what is wrong in a filter', async () => {
    const program = start(['demo', '-Y', 'status >= 500 and statu == 1']);
    expect(await program.ended).toBe(2);
    expect(program.stdout).toBe('');
    expect(program.stderr.split('\n').slice(0, 3)).toEqual([
      'fcgi-inspect: the filter is wrong at character 19: there is no field "statu"; is "status" meant?',
      '  status >= 500 and statu == 1',
      '                    ^^^^^',
    ]);
  });
});

describe('what the system does not allow', () => {
  it('an address in use', async () => {
    const { address } = await backend();
    const har = workspace.write('kept.har', 'an earlier recording');
    const program = start(['--listen', `127.0.0.1:${portOf(address)}`, '--upstream', '9000', '--har', har]);
    expect(await program.ended).toBe(1);
    expect(program.stdout).toBe('');
    expect(program.stderr).toMatch(/^fcgi-inspect: .*127\.0\.0\.1:\d+.* in use.*\n {2}\S.*\n$/);
    expect(readFileSync(har, 'utf8')).toBe('an earlier recording');
    expect(program.spools()).toEqual([]);
  });

  it.each(['--har', '--ndjson'])('a file of %s that cannot be written, before anything listens', async (option) => {
    const listen = await workspace.address('tcp', 'proxy');
    const args = ['--listen', String(portOf(listen)), '--upstream', '9000', option];
    for (const [path, words] of [
      [workspace.path('missing/x'), 'does not exist'],
      [workspace.directory, 'is a directory'],
      ['/proc/sys/kernel/ostype', 'no permission'],
    ] as const) {
      const program = start([...args, path]);
      expect(await program.ended).toBe(1);
      expect(program.stdout).toBe('');
      expect(program.stderr).toMatch(/^fcgi-inspect: .*\n {2}\S.*\n$/);
      expect(program.stderr).toContain(words);
      expect(program.stderr).not.toContain('listening');
    }
  });

  it('a full disk under an output: it says so, relays on, and ends with 1', async () => {
    const { address } = await backend();
    const { program, listen } = await proxy(address, ['--ndjson', '/dev/full', '--duration', '1s']);
    expect(String((await ask(listen)).stdout)).toContain('ok');
    expect(await program.ended).toBe(1);
    expect(program.lines()).toHaveLength(1);
    expect(program.stderr).toContain('cannot write /dev/full');
  });
});

describe('addresses', () => {
  it('passes on from TCP to Unix, from Unix to TCP, and through abstract sockets, all in one run', async () => {
    const name = (word: string): Endpoint => ({ kind: 'unix', path: `@${workspace.directory}-${word}` });
    const pairs: (readonly [Endpoint, Endpoint])[] = [];
    for (const [listen, upstream] of [
      [await workspace.address('tcp', 'l1'), await workspace.address('unix', 'u1')],
      [await workspace.address('unix', 'l2'), await workspace.address('tcp', 'u2')],
      [name('l3'), name('u3')],
    ] as const) {
      await backend(SCRIPTS.answers(`Content-Type: text/plain\r\n\r\nbackend ${pairs.length}`), upstream);
      pairs.push([listen, upstream]);
    }
    const program = await Program.proxy(workspace, pairs, ['--format', 'ndjson', '-n', '3']);
    undo.push(() => program.child.kill('SIGKILL'));
    for (const [index, [listen]] of pairs.entries()) {
      expect(String((await ask(listen)).stdout)).toMatch(new RegExp(`backend ${index}$`));
      expect(program.stderr).toContain(
        `listening on ${formatEndpoint(listen)}, passing on to ${formatEndpoint(pairs[index]![1])}\n`,
      );
    }
    expect(await program.ended).toBe(0);
    const requests = ndjsonOf(program.stdout).filter((line) => line.type === 'request');
    expect(requests.map((line) => line.server)).toEqual(pairs.map(([, upstream]) => formatEndpoint(upstream)));
    expect(existsSync((pairs[1]![0] as { path: string }).path)).toBe(false);
  });

  it('resets the web server when the upstream refuses, and says not-connected', async () => {
    const nobody = await workspace.address('tcp', 'nobody');
    const { program, listen } = await proxy(nobody, ['--format', 'ndjson', '-n', '1']);
    // The reset may be there before connect() has returned.
    const how = await FastcgiClient.connect(listen).then(
      (client) => client.ended,
      (error: NodeJS.ErrnoException) => error.code,
    );
    expect(['reset', 'ECONNRESET']).toContain(how);
    expect(await program.ended).toBe(0);
    expect(ndjsonOf(program.stdout)).toContainEqual(
      expect.objectContaining({
        type: 'request',
        outcome: 'not-connected',
        findings: [expect.objectContaining({ id: 'connect-refused-tcp', severity: 'error' })],
      }),
    );
  });

  it('warns of an address that other hosts reach', async () => {
    const { port } = (await workspace.address('tcp', 'proxy')) as { port: number };
    const program = start(['--listen', `0.0.0.0:${port}`, '--upstream', '9000', '--duration', '100ms']);
    expect(await program.ended).toBe(0);
    expect(program.stderr).toMatch(/^fcgi-inspect: warning: 0\.0\.0\.0:\d+ can be reached from other hosts/);
  });
});

describe('secrets', () => {
  const SECRET = 'c0rrect-h0rse';
  const request: ClientRequest = {
    script: '/login.php',
    params: [
      ['REQUEST_METHOD', 'POST'],
      ['REQUEST_URI', `/login.php?token=${SECRET}`],
      ['QUERY_STRING', `token=${SECRET}`],
      ['CONTENT_TYPE', 'application/x-www-form-urlencoded'],
      ['HTTP_COOKIE', `session=${SECRET}`],
      ['HTTP_AUTHORIZATION', `Bearer ${SECRET}`],
    ],
    stdin: `user=ada&password=${SECRET}`,
  };
  const answer = `Content-Type: text/plain\r\nSet-Cookie: session=${SECRET}\r\n\r\nwelcome`;

  it.each(['lines', 'detail', 'ndjson'])(
    'are left out of %s and HAR, unless --no-redact keeps them',
    async (format) => {
      const { address } = await backend(SCRIPTS.answers(answer));
      for (const kept of [false, true]) {
        const har = workspace.path('secrets.har');
        const options = ['--format', format, '--bodies', 'text', '--har', har, ...(kept ? ['--no-redact'] : [])];
        const { program, listen } = await proxy(address, ['-n', '1', ...options]);
        // What was readable for all before holds secrets now.
        if (kept) expect(statSync(har).mode & 0o777).toBe(0o600);
        await ask(listen, request);
        expect(await program.ended).toBe(0);
        expect(program.stdout.includes(SECRET)).toBe(kept);
        expect(program.stdout.includes('[redacted]')).toBe(!kept);
        expect(readFileSync(har, 'utf8').includes(SECRET)).toBe(kept);
        expect(harOf(readFileSync(har, 'utf8')).log.entries).toHaveLength(1);
        if (!kept) expect(statSync(har).mode & 0o777).toBe(0o666 & ~process.umask());
      }
    },
  );

  it('a new file that holds them is for its owner only', async () => {
    const { address } = await backend(SCRIPTS.answers(answer));
    const files = ['x.har', 'x.ndjson'].map((name) => workspace.path(name));
    const { program, listen } = await proxy(address, [
      '--no-redact',
      '--har',
      files[0]!,
      '--ndjson',
      files[1]!,
      '-n',
      '1',
    ]);
    await ask(listen, request);
    expect(await program.ended).toBe(0);
    for (const file of files) expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});

describe('words and colours', () => {
  it('--help names every option, within 80 columns', async () => {
    for (const args of [['--help'], ['demo', '--help']]) {
      const program = start(args);
      expect(await program.ended).toBe(0);
      expect(program.stderr).toBe('');
      for (const option of `--filter --format --har --ndjson --bodies --no-redact --fail-on --count --duration --max-requests
        --max-spool --color --quiet --help`.split(/\s+/))
        expect(program.stdout).toContain(option);
      for (const line of program.lines()) expect(line.length).toBeLessThanOrEqual(80);
      if (args.length === 1) expect(program.stdout).toMatch(/--listen.*--upstream.*--version.*demo/s);
    }
  });

  it('--version', async () => {
    const program = start(['--version']);
    expect(await program.ended).toBe(0);
    expect(program.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    [['--color', 'always'], {}, true],
    [['--color', 'always'], { NO_COLOR: '1' }, true],
    [['--color', 'auto'], {}, false],
    [[], { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
  ])('%j with %j on a pipe: colours %j', async (args, env, coloured) => {
    const program = start(['demo', '-n', '1', ...args], { env });
    expect(await program.ended).toBe(0);
    expect(program.stdout.includes('\x1b[')).toBe(coloured);
  });

  it('shows names that hold escape sequences as text', async () => {
    const program = start(['no\x1b[2Jsuch.pcap']);
    expect(await program.ended).toBe(1);
    expect(program.stderr).not.toContain('\x1b');
    expect(program.stderr).toContain('␛[2Jsuch.pcap does not exist');
  });

  it('--quiet leaves standard error to errors', async () => {
    const program = start(['demo', '-n', '1', '-q']);
    expect(await program.ended).toBe(0);
    expect(program.stderr).toBe('');
    expect(program.lines()).toHaveLength(1);
  });
});

describe('readers that leave', () => {
  it('standard output that is closed early does not end the relaying', async () => {
    const { address } = await backend();
    const har = workspace.path('x.har');
    const { program, listen } = await proxy(address, ['--har', har]);
    await ask(listen);
    await program.until('its first line', () => program.lines().length === 1);
    program.child.stdout!.destroy();
    for (let n = 0; n < 3; n++) expect(String((await ask(listen)).stdout)).toContain('ok');
    program.signal('SIGINT');
    expect(await program.ended).toBe(130);
    expect(program.stderr).toContain('not everything was written');
    // The other output goes on.
    expect(harOf(readFileSync(har, 'utf8')).log.entries).toHaveLength(4);
  });
});

function portOf(endpoint: Endpoint): number {
  if (endpoint.kind !== 'tcp') throw new Error('this has no port');
  return endpoint.port;
}
