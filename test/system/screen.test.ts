import { mkdirSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Endpoint, formatEndpoint } from '../../src/model/connection.js';
import { plantDefect } from '../support/defect.js';
import { FastcgiClient } from '../support/fastcgi-client.js';
import { type FaultBackend, SCRIPTS, type Script, startFaultBackend } from '../support/fault-backend.js';
import { PROGRAM } from '../support/program.js';
import { until } from '../support/real/daemon.js';
import { listening } from '../support/real/listening.js';
import { Workspace } from '../support/real/workspace.js';
import { PtyTerminal } from '../tui/pty-terminal.js';

/** The program on a terminal, with requests of ours passing through it: what a person sees of them. */

let workspace: Workspace;
let backend: FaultBackend;
let listen: Endpoint;
let terminal: PtyTerminal;
const clients: FastcgiClient[] = [];

beforeEach(() => {
  workspace = new Workspace();
});
afterEach(async () => {
  terminal.kill();
  for (const client of clients.splice(0)) client.close();
  await backend.stop();
  await workspace.close();
});

interface Start {
  readonly columns?: number;
  readonly rows?: number;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

async function start(script: Script | readonly Script[], { columns = 120, rows = 36, args, env }: Start = {}) {
  backend = await startFaultBackend(script);
  listen = await workspace.address('tcp', 'proxy');
  const addresses = ['--listen', formatEndpoint(listen), '--upstream', formatEndpoint(backend.address)];
  const temporary = workspace.path('tmp');
  mkdirSync(temporary);
  terminal = new PtyTerminal(
    PROGRAM,
    [...addresses, ...(args ?? [])],
    { columns, rows },
    { TMPDIR: temporary, ...env },
  );
  await until('it listens', () => listening(listen));
  await terminal.until('Point the web server here');
}

type Request = Parameters<FastcgiClient['request']>[0];

async function send(request: Request): Promise<{ client: FastcgiClient; answer: Promise<unknown> }> {
  const client = await FastcgiClient.connect(listen);
  clients.push(client);
  const answer = client.request(request).catch(() => null);
  // As web servers do.
  void client.ended.then(() => client.close());
  return { client, answer };
}

const ask = async (request: Request): Promise<void> => void (await (await send(request)).answer);

/** The terminal was given back: the normal screen, a cursor, lines that wrap, no bracketed paste. */
function expectGivenBack(): void {
  expect(terminal.alternate).toBe(false);
  for (const [on, off] of [
    ['\x1b[?25h', '\x1b[?25l'],
    ['\x1b[?7h', '\x1b[?7l'],
    ['\x1b[?2004l', '\x1b[?2004h'],
  ] as const)
    expect(terminal.raw.lastIndexOf(on)).toBeGreaterThan(terminal.raw.lastIndexOf(off));
  expect(readdirSync(workspace.path('tmp'))).toEqual([]);
}

function expectWhole(): void {
  const rows = terminal.rows();
  expect(rows[0]).toMatch(/^ fcgi-inspect .* LIVE /);
  expect(rows[1]).toMatch(/^ filter: /);
  expect(rows.at(-2)).toMatch(/^ \[\d+\/\d+\]/);
  expect(rows.at(-1)).toMatch(/ help/);
  expect(terminal.scrolled).toBe(0);
}

function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

const HEAD = 'Content-Type: text/plain\r\n\r\n';

/** Two parts, the second when the gate opens. */
const inTwoParts =
  (opened: Promise<void>): Script =>
  async (connection) => {
    await connection.readRequest();
    await connection.stdout(`${HEAD}first part\n`);
    await Promise.race([opened, connection.ended]);
    await connection.stdout('second part\n');
    await connection.endRequest();
    connection.halfClose();
  };

describe('the screen', { timeout: 60_000 }, () => {
  it('says what to do, shows a request while it is open, its response as it grows, and its end', async () => {
    const { opened, open } = gate();
    await start(inTwoParts(opened));
    await terminal.until(`fastcgi_pass ${formatEndpoint(listen)};`);
    const { answer } = await send({ script: '/streamed.php' });
    // The last figure runs: how long it has been open.
    await terminal.until(/ 1 .*\/streamed\.php +200… .* 39B +[\d.]+m?s +[\d.]+m?s/);
    await terminal.until('1 open');
    await terminal.see('\r4', 'first part');
    expect(terminal.text()).not.toContain('second part');
    open();
    await answer;
    await terminal.until('second part');
    await terminal.until(/ 1 .*\/streamed\.php +200 .* 51B/);
    await terminal.until(/^(?!.*1 open)/s);
    expectWhole();
  });

  it('follows the newest request until one goes elsewhere, and again with G', async () => {
    await start(SCRIPTS.answers());
    for (let n = 1; n <= 50; n++) await ask({ script: `/${n}.php` });
    await terminal.until('[50/50] [following]');
    await terminal.until(/\/50\.php/);
    await terminal.see('kk', /\[48\/50\] \[G follows/);
    await ask({ script: '/51.php' });
    await terminal.until(/\[48\/51\]/);
    await terminal.see('G', '[51/51] [following]');
    await ask({ script: '/52.php' });
    await terminal.until('[52/52] [following]');
    await terminal.until('/52.php');
  });

  it('shows all of a request in its seven tabs', async () => {
    const json = gzipSync('{"orders":[{"id":17,"state":"open"}]}');
    const head = 'Status: 201 Created\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n\r\n';
    await start([
      async (connection) => {
        await connection.readRequest();
        await connection.stderr('PHP Warning:  Undefined variable $total\n');
        await connection.stdout(Buffer.concat([Buffer.from(head), json]));
        await connection.endRequest(0);
        connection.halfClose();
      },
      SCRIPTS.resetsInAnswer(),
    ]);
    await ask({
      script: '/orders.php',
      params: [
        ['REQUEST_METHOD', 'POST'],
        ['QUERY_STRING', 'state=open'],
        ['CONTENT_TYPE', 'application/x-www-form-urlencoded'],
        ['HTTP_X_GREETING', 'Grüße'],
      ],
      stdin: 'name=Ada+Lovelace&amount=2',
    });
    await terminal.until(/POST .*\/orders\.php.* 201 /);
    await terminal.see('\r', /BEGIN_REQUEST .*role responder/);
    expect(terminal.text()).toMatch(/← STDERR +40B/);
    expect(terminal.text()).toMatch(/← END_REQUEST .*app status 0/);
    await terminal.see('2', /HTTP_X_GREETING += Grüße/);
    await terminal.see('3', /name = Ada Lovelace\namount = 2/);
    await terminal.see('4', /201 Created[\s\S]*"orders": \[[\s\S]*"id": 17,[\s\S]*"state": "open"/);
    await terminal.see('5', 'PHP Warning:  Undefined variable $total');
    await terminal.see('6', /BEGIN_REQUEST \(1\)/);
    await terminal.see('jjj', /record 3: 8 header bytes and 26 content bytes/);
    expect(terminal.text()).toMatch(/6e 61 6d 65 3d 41 64 61 +2b.* name=Ada\+/);
    await terminal.see('7', 'The request was completed');
    await terminal.see('G', 'Protocol status request-complete, application status 0.');
    expectWhole();

    await ask({ script: '/dies.php' });
    await terminal.see('p', /be-reset/);
    await terminal.until('The backend reset the connection before it sent END_REQUEST.');
    expect(terminal.text()).toContain('crash-mid-response');
    expect(terminal.text()).toMatch(/ {2}- \S/);
    await terminal.see('4', 'partial');
  });

  it('filters by f, in what is there and in what comes', async () => {
    await start(SCRIPTS.answers());
    for (const name of ['a', 'b', 'a']) await ask({ script: `/${name}.php` });
    await terminal.until('[3/3]');
    await terminal.see('f', '[valid]');
    await terminal.see('path == "/a.php"\r', '2/3 shown');
    expect(terminal.text()).not.toContain('/b.php ');
    await ask({ script: '/b.php' });
    await ask({ script: '/a.php' });
    await terminal.until('3/5 shown');
    await terminal.see('f\x15\r', '5 requests');
  });

  it('takes a filter from the command line', async () => {
    await start(SCRIPTS.answers(), { args: ['--filter', 'status >= 500'] });
    await ask({ script: '/a.php' });
    await terminal.until('No request matches the filter.');
    expect(terminal.text()).toContain('0/1 shown');
  });

  it('stays whole in any size', async () => {
    await start(SCRIPTS.answers());
    for (let n = 1; n <= 60; n++) await ask({ script: `/${n}.php` });
    await terminal.until('[60/60]');
    await terminal.see('\r', 'BEGIN_REQUEST');
    for (const [columns, rows] of [
      [80, 24],
      [200, 50],
      [100, 30],
    ] as const) {
      terminal.resize(columns, rows);
      await terminal.until(() => terminal.rows()[0]!.includes('LIVE') && terminal.rows().at(-1)!.includes('help'));
      await terminal.until('BEGIN_REQUEST');
      expectWhole();
      expect(terminal.rows()[0]!.length).toBeLessThanOrEqual(columns);
    }
  });

  it('shows hostile bytes as text, wherever they are', async () => {
    const evil = '\x1b]52;c;b3duZWQ=\x07\x1b]0;owned\x07\x1b[2J\x1b[3J\x1b[1;1H\x1b[c\r\b\b\u202eabc\u2066\u009b31m';
    await start(async (connection) => {
      await connection.readRequest();
      await connection.stderr(`err ${evil}`);
      await connection.stdout(
        `Status: 200 OK\r\nContent-Type: text/plain\r\nX-Evil: ${evil.replaceAll('\r', '')}\r\n\r\nout ${evil}`,
      );
      await connection.endRequest();
      connection.halfClose();
    });
    await ask({
      params: [
        ['REQUEST_METHOD', `GET${evil}`],
        ['REQUEST_URI', `/${evil}`],
        ['SCRIPT_NAME', `/${evil}`],
        ['CONTENT_TYPE', 'text/plain'],
        ['HTTP_HOST', evil],
        [`EVIL_${evil}`, `${evil}\0`],
      ],
      stdin: `in ${evil}`,
    });
    await terminal.until('[1/1]');
    expect(terminal.text()).toContain('GET␛]');
    await terminal.see('\r', 'BEGIN_REQUEST');
    for (const [key, wanted] of [
      ['2', /EVIL_␛/],
      ['3', 'in ␛]52;c'],
      ['4', 'out ␛]52;c'],
      ['r', 'as it came'],
      ['5', 'err ␛]52;c'],
      ['6', 'header    01 01'],
      ['7', 'The request was completed'],
      ['\\', '[maximised]'],
    ] as const) {
      await terminal.see(key, wanted);
      expectWhole();
    }
    expect(terminal.titles).toEqual([]);
    expect(terminal.clipboard).toEqual([]);
    expect(terminal.answers).toEqual([]);
    expect(terminal.bells).toBe(0);
    expect(terminal.raw).not.toMatch(/[\x07\b\0\u202e\u2066\u009b]|\x1b[\]c]|\x1b\[c/);
  });

  it('keeps steady at a hundred requests a second', async () => {
    await start(SCRIPTS.answers());
    const begun = terminal.raw.length;
    let torn = 0;
    let looks = 0;
    const watching = setInterval(() => {
      looks++;
      const [title, filter] = terminal.rows();
      if (!title!.startsWith(' fcgi-inspect ') || !filter!.startsWith(' filter: ')) torn++;
    }, 25);
    const sent: Promise<void>[] = [];
    const end = performance.now() + 3_000;
    while (performance.now() < end) {
      sent.push(ask({ script: `/busy/${sent.length}.php` }));
      await delay(10);
    }
    await Promise.all(sent);
    await terminal.until(`[${sent.length}/${sent.length}] [following]`);
    clearInterval(watching);
    expect(looks).toBeGreaterThan(20);
    expect(torn).toBe(0);
    expectWhole();
    expect(terminal.raw.slice(begun)).not.toMatch(/\x1b\[[0-3]?J/);
    // At most twenty frames a second, however many requests there are.
    const frames = terminal.raw.slice(begun).split('\x1b[?2026h').length - 1;
    expect(frames).toBeLessThan((performance.now() - end + 3_000) / 50 + 5);
  });
});

describe('the end', { timeout: 60_000 }, () => {
  it('by Q, at once while nothing is open', async () => {
    await start(SCRIPTS.answers());
    await ask({ script: '/index.php' });
    await terminal.until('[1/1]');
    terminal.type('Q');
    expect(await terminal.exited).toBe(0);
    expectGivenBack();
    expect(terminal.text().trim()).toMatch(/^1 request on 1 connection in .*: 1 completed; \S.*$/);
  });

  it('by Q and Ctrl-C after a question while requests are open', async () => {
    await start(inTwoParts(new Promise(() => {})));
    const { client } = await send({ script: '/slow.php' });
    await terminal.until('1 open');
    await terminal.see('Q', '1 request is still open, and may finish for 10 s. Quit? (y/n)');
    await terminal.see('n', '[following]');
    await terminal.see('\x03', 'Quit? (y/n)');
    terminal.type('y');
    expect(await terminal.exited).toBe(0);
    await client.closed;
    expectGivenBack();
  });

  it('by a signal: the screen goes first, open requests may finish, messages stand below', async () => {
    const { opened, open } = gate();
    const har = workspace.path('x.har');
    await start(inTwoParts(opened), { args: ['--har', har] });
    const { answer } = await send({ script: '/slow.php' });
    await terminal.until('1 open');
    terminal.signal('SIGTERM');
    await terminal.until('fcgi-inspect: stopping: 1 open request may finish for 10 s');
    expect(terminal.alternate).toBe(false);
    open();
    expect(await answer).toMatchObject({ appStatus: 0, stdout: Buffer.from(`${HEAD}first part\nsecond part\n`) });
    expect(await terminal.exited).toBe(143);
    expectGivenBack();
  });

  it.each(['SIGINT', 'SIGHUP'] as const)('by %s, with its status', async (signal) => {
    await start(SCRIPTS.answers());
    terminal.signal(signal);
    expect(await terminal.exited).toBe(signal === 'SIGINT' ? 130 : 129);
    expectGivenBack();
  });

  it.each(['main', 'relay'] as const)(
    'by a defect in the %s thread: the terminal is given back, and says where it was',
    async (thread) => {
      const defect = plantDefect(workspace, thread);
      await start(SCRIPTS.answers(), { env: defect.env });
      defect.strike();
      expect(await terminal.exited).toBe(1);
      await terminal.until('a defect of ours');
      expectGivenBack();
    },
  );
});

describe('lines on a terminal', { timeout: 60_000 }, () => {
  it('have a header, fit the width, and follow it', async () => {
    terminal = new PtyTerminal(PROGRAM, ['demo', '--format', 'lines', '-n', '30'], { columns: 100, rows: 50 });
    backend = await startFaultBackend(SCRIPTS.answers());
    const requests = (): string[] => terminal.rows().filter((row) => /^\d\d:\d\d:/.test(row));
    await terminal.until(() => requests().length >= 5);
    expect(terminal.text()).toMatch(/^time +con\/id +st +meth +url .* finding$/m);
    const column = requests()[0]!.lastIndexOf(' ');
    expect(requests()[1]!.lastIndexOf(' ')).toBe(column);
    terminal.resize(160, 50);
    await terminal.until(/\n3\d requests on/);
    expect(await terminal.exited).toBe(0);
    expect(requests()).toHaveLength(30);
    expect(requests().at(-1)!.lastIndexOf(' ')).toBe(column + 60);
    expect(terminal.coloured()).toBe(true);
  });
});
