import { afterEach, describe, expect, it } from 'vitest';
import { diagnose } from '../../src/diagnosis/diagnose.js';
import type { Exchange } from '../../src/model/exchange.js';
import type { Finding } from '../../src/model/finding.js';
import { protocols } from '../../src/protocol/index.js';
import { LogBook } from '../../src/session/log-book.js';
import { logTime } from '../../src/session/log-time.js';
import { recordingSession } from '../../src/session/recording-session.js';
import type { Session } from '../../src/session/session.js';
import { BEGIN, type ExchangeOptions, finding, storedExchange } from '../support/exchange-fixture.js';
import { FakeSource, request } from '../support/fake-source.js';

process.env.TZ = 'UTC';

const SECOND = 1_000_000;

/** What PHP-FPM writes `seconds` after BEGIN. */
function fpm(text: string, seconds = 0): string {
  const [, day, month, year, time] = /\w+, (\d\d) (\w+) (\d+) (\S+)/.exec(
    new Date((BEGIN + seconds * SECOND) / 1_000).toUTCString(),
  )!;
  return `[${day}-${month}-${year} ${time}] WARNING: [pool www] ${text}`;
}

function nginx(text: string, uri: string, seconds = 0): string {
  const at = new Date((BEGIN + seconds * SECOND) / 1_000).toISOString();
  return `${at.slice(0, 10).replaceAll('-', '/')} ${at.slice(11, 19)} [error] 1#1: *1 ${text}, client: 127.0.0.1, server: a, request: "GET ${uri} HTTP/1.1", upstream: "fastcgi://127.0.0.1:9000", host: "shop.example"`;
}

const KILLED = 'child 99 exited on signal 9 (SIGKILL) after 3.2 seconds from start';
const TERMINATED =
  'child 99, script \'/srv/www/index.php\' (request: "GET /index.php?x=1") execution timed out (4.1 sec), terminating';

function reset(options: ExchangeOptions = {}): Exchange {
  return storedExchange({ outcome: 'backend-reset', stdout: '', timing: { end: 30 }, ...options }).exchange;
}

const DEAD = [finding('rst-before-any-byte')];

function book(options: Partial<ConstructorParameters<typeof LogBook>[0]> = {}): LogBook {
  return new LogBook({ isLive: false, aliases: () => [], ...options });
}

function sure(findings: readonly Finding[]): boolean {
  return findings[0]!.certainty === 'proven';
}

describe('LogBook', () => {
  it('proves a finding by a line that leaves no other cause', () => {
    const logs = book();
    logs.add('/var/log/fpm.log', 12, fpm(KILLED), null);
    const [told] = logs.diagnose(reset(), DEAD);
    expect(told).toMatchObject({
      id: 'rst-before-any-byte',
      certainty: 'proven',
      alternatives: [],
      detail: expect.stringContaining('The log says why (fpm.log:12): A worker was killed from outside'),
      evidence: [{ kind: 'record' }, { kind: 'log', file: '/var/log/fpm.log', line: 12, text: fpm(KILLED) }],
    });
    expect(told!.advice[0]).toContain('Signal 9');
    expect(told!.advice.slice(1)).toEqual(DEAD[0]!.advice);
  });

  it('puts the cause that a line names in the place of what came of it', () => {
    const logs = book();
    logs.add('fpm.log', 1, fpm(TERMINATED), null);
    expect(logs.diagnose(reset(), DEAD)[0]).toMatchObject({
      id: 'terminate-timeout',
      certainty: 'proven',
      title: 'The backend killed its worker because the request took too long',
    });
  });

  it('takes what only looked the same for what it was', () => {
    const logs = book();
    logs.add('fpm.log', 1, fpm(KILLED), null);
    const told = (id: string, options: ExchangeOptions = {}) => logs.diagnose(reset(options), [finding(id)])[0]!.id;
    expect(told('peer-not-allowed')).toBe('rst-before-any-byte');
    expect(told('terminate-timeout', { stdout: 'Status: 200\r\n' })).toBe('crash-mid-response');
    expect(told('terminate-timeout', { outcome: 'backend-closed' })).toBe('eof-before-any-byte');
    // The wire proved it: the line was about something else.
    const proven = { ...finding('peer-not-allowed'), certainty: 'proven' } as const;
    expect(logs.diagnose(reset(), [proven])[0]).toMatchObject({ id: 'peer-not-allowed', detail: proven.detail });
  });

  it('does not prove a script slow by the web server’s patience: the request may have lain in a queue', () => {
    const logs = book();
    const text = 'upstream timed out (110: Connection timed out) while reading response header from upstream';
    logs.add('error.log', 1, nginx(text, '/index.php?x=1'), null);
    const { exchange } = storedExchange({ outcome: 'web-server-closed', stdout: '', timing: { end: 30 } });
    const allowed = { ...finding('client-abort'), certainty: 'allowed' } as const;
    const [told] = logs.diagnose(exchange, [allowed]);
    expect(told).toMatchObject({ id: 'slow-script', certainty: 'allowed' });
    expect(told!.alternatives[0]!.cause).toContain('No worker was free');
  });

  it('leaves a finding as it is when the line only repeats it, but quotes it', () => {
    const logs = book();
    logs.add(
      'error.log',
      1,
      nginx(
        'recv() failed (104: Connection reset by peer) while reading response header from upstream',
        '/index.php?x=1',
      ),
      null,
    );
    const [told] = logs.diagnose(reset(), DEAD);
    expect(told).toMatchObject({ certainty: 'allowed', evidence: [{}, { kind: 'log' }] });
    expect(told!.alternatives).toEqual(DEAD[0]!.alternatives);
  });

  it.each([
    ['of another time', fpm(KILLED, 5)],
    ['from before', fpm(KILLED, -2)],
    ['of another kind', fpm('server reached pm.max_children setting (5), consider raising it')],
    ['about another URL', fpm(TERMINATED.replace('x=1', 'x=2'))],
    ['about another script', fpm(TERMINATED.replace('/srv/www', '/srv/other'))],
  ])('takes no notice of a line %s', (_, line) => {
    const logs = book();
    logs.add('fpm.log', 1, line, null);
    expect(logs.diagnose(reset(), DEAD)).toEqual(DEAD);
    expect(logs.linesOf(reset())).toEqual([]);
  });

  it('asks of a web server’s line whether it is about this client, host and backend', () => {
    const text = 'upstream sent too big header while reading response header from upstream';
    const good = nginx(text, '/index.php?x=1');
    const findings = [finding('header-too-big')];
    const told = (line: string, aliases: Parameters<typeof book>[0] = {}) => {
      const logs = book(aliases);
      logs.add('error.log', 1, line, null);
      return sure(logs.diagnose(reset({ params: { REMOTE_ADDR: '127.0.0.1' } }), findings));
    };
    expect(told(good)).toBe(true);
    expect(told(good.replace('client: 127.0.0.1', 'client: 10.0.0.1'))).toBe(false);
    expect(told(good.replace('shop.example', 'other.example'))).toBe(false);
    const elsewhere = good.replace('127.0.0.1:9000', '127.0.0.1:9001');
    expect(told(elsewhere)).toBe(false);
    const grave = book();
    grave.add('error.log', 1, good, null);
    const warning = [finding('header-too-big', 'warning')];
    expect(grave.diagnose(reset({ params: { REMOTE_ADDR: '127.0.0.1' } }), warning)[0]!.severity).toBe('error');
    expect(told(elsewhere, { aliases: () => [{ kind: 'tcp', host: '127.0.0.1', port: 9_001 }] })).toBe(true);
  });

  it.each([
    ['127.0.0.1', '127.0.0.1:28080', true],
    ['shop.example:8080', 'Shop.example', true],
    ['shop.example:8080', 'SHOP.EXAMPLE:8080', true],
    ['shop.example:8080', 'shop.example:8081', false],
    ['shop.example', 'shop.exam:8080', false],
    ['[::1]', '[::1]:8080', true],
    ['[::1]', '[::2]:8080', false],
    ['', ':', false],
  ])('with the host %j among the params, a line of host %j is about it: %j', (known, said, isSame) => {
    const logs = book();
    const line = nginx('upstream sent too big header', '/index.php?x=1').replace('shop.example', said);
    logs.add('error.log', 1, line, null);
    const exchange = reset({ params: { HTTP_HOST: known } });
    expect(sure(logs.diagnose(exchange, [finding('header-too-big')]))).toBe(isSame);
  });

  it('finds the request of an entry of several lines behind the last of them', () => {
    const trace = 'Uncaught Error: no in /srv/a.php:1\nStack trace:\n#0 {main}\n  thrown in /srv/a.php on line 1';
    const text = `FastCGI sent in stderr: "PHP message: PHP Fatal error:  ${trace}" while reading response header from upstream`;
    const logs = book();
    logs.add('error.log', 1, nginx(text, '/other.php'), null);
    expect(logs.linesOf(reset({ findings: [finding('php-fatal')] }))).toEqual([]);
    logs.add('error.log', 5, nginx(text, '/index.php?x=1'), null);
    expect(logs.linesOf(reset({ findings: [finding('php-fatal')] }))).toMatchObject([{ line: 5, isNamed: true }]);
  });

  it('is not sure which of two it was, until there is a line for each', () => {
    const logs = book();
    const again: number[] = [];
    logs.listen((n) => again.push(n));
    logs.add('fpm.log', 1, fpm(KILLED), null);
    expect(sure(logs.diagnose(reset({ n: 1 }), DEAD))).toBe(true);
    const second = reset({ n: 2, timing: { end: 40 } });
    expect(sure(logs.diagnose(second, DEAD))).toBe(false);
    expect(again).toEqual([1]);
    expect(sure(logs.diagnose(reset({ n: 1 }), DEAD))).toBe(false);
    logs.add('fpm.log', 2, fpm(KILLED.replace('99', '100')), null);
    expect(new Set(again)).toEqual(new Set([1, 2]));
    expect(logs.diagnose(reset({ n: 1 }), DEAD)[0]!.evidence.at(-1)).toMatchObject({ line: 1 });
    expect(logs.diagnose(second, DEAD)[0]!.evidence.at(-1)).toMatchObject({ line: 2 });
  });

  it('shows a line that names no request with the nearest only, and what is the same once', () => {
    const logs = book();
    const ends = [30, 40, 1_200];
    const requests = ends.map((end, i) => reset({ n: i + 1, timing: { end } }));
    logs.add('fpm.log', 1, fpm(KILLED, 1), null);
    logs.add('fpm.log', 2, fpm(KILLED, 1), null);
    for (const one of requests) logs.diagnose(one, DEAD);
    const quoted = requests.map((one) => logs.diagnose(one, DEAD)[0]!.evidence.slice(1));
    expect(quoted).toMatchObject([[], [{ line: 2 }], [{ line: 1 }]]);

    const again = book();
    const line = nginx('recv() failed (104: Connection reset by peer) while reading response header', '/index.php?x=1');
    for (const file of ['a.log', 'b.log']) for (const n of [1, 2]) again.add(file, n, line, null);
    expect(again.diagnose(reset(), DEAD)[0]!.evidence.slice(1)).toMatchObject([{ file: 'a.log', line: 1 }]);
  });

  it('deals lines out where their seconds overlap only in part', () => {
    const logs = book();
    const first = reset({ n: 1 });
    // The first ends 0.15 s into a second, this one 1.1 s later.
    const second = reset({ n: 2, begin: BEGIN + 1.1 * SECOND });
    logs.add('fpm.log', 1, fpm(KILLED), null);
    logs.diagnose(first, DEAD);
    logs.add('fpm.log', 2, fpm(KILLED, 1.1), null);
    expect(logs.diagnose(second, DEAD)[0]).toMatchObject({ certainty: 'proven', evidence: [{}, { line: 2 }] });
    expect(logs.diagnose(first, DEAD)[0]).toMatchObject({ certainty: 'proven', evidence: [{}, { line: 1 }] });
  });

  it('says of all requests what was said once of the backend', () => {
    const logs = book();
    logs.add('fpm.log', 1, fpm('server reached pm.max_children setting (5), consider raising it'), null);
    for (const n of [1, 2, 3]) expect(sure(logs.diagnose(reset({ n }), [finding('pool-exhausted')]))).toBe(true);
  });

  it('quotes that a pool was full beside requests that waited then, which it does not prove', () => {
    const logs = book();
    const line = fpm('server reached pm.max_children setting (1), consider raising it', 3);
    logs.add('fpm.log', 1, line, null);
    const told = (id: string, begin: number, seconds: number) => {
      const waited = reset({ outcome: 'web-server-closed', begin, timing: { end: seconds * 1_000 } });
      return logs.diagnose(waited, [finding(id)])[0]!;
    };
    for (const id of ['slow-script', 'silent-after-accept'])
      for (const begin of [BEGIN, BEGIN + SECOND])
        expect(told(id, begin, 6)).toMatchObject({ id, certainty: 'allowed', evidence: [{}, { text: line }] });
    expect(told('pool-exhausted', BEGIN, 6).certainty).toBe('proven');
    expect(told('slow-script', BEGIN, 1).evidence).toHaveLength(1);
    expect(told('slow-script', BEGIN + 5 * SECOND, 6).evidence).toHaveLength(1);
    expect(told('header-too-big', BEGIN, 6).evidence).toHaveLength(1);
  });

  it('does not blame a request that went well for the line of another to the same URL', () => {
    const logs = book();
    const line = nginx(
      'recv() failed (104: Connection reset by peer) while reading response header from upstream',
      '/index.php?x=1',
    );
    logs.add('error.log', 1, line, null);
    logs.diagnose(reset({ n: 1 }), DEAD);
    const { exchange } = storedExchange({ n: 2 });
    expect(logs.linesOf(exchange)).toEqual([]);
    expect(logs.linesOf(reset({ n: 1, findings: DEAD }))).toEqual([
      {
        file: 'error.log',
        line: 1,
        text: line,
        at: BEGIN - 123_456,
        resolution: SECOND,
        isNamed: true,
        meaning: expect.stringContaining('reset the connection'),
      },
    ]);
  });

  it('shows what names the request, known or not', () => {
    const logs = book();
    logs.add('error.log', 1, nginx('something new happened', '/index.php?x=1'), null);
    logs.add('error.log', 2, nginx('something new happened', '/other.php'), null);
    expect(logs.linesOf(storedExchange().exchange)).toMatchObject([{ line: 1, meaning: null, isNamed: true }]);
  });

  it('keeps readers waiting for what may still be said, and not longer', () => {
    let now = 0;
    const logs = book({ isLive: true, clock: () => now });
    logs.diagnose(reset({ n: 1 }), DEAD);
    expect(logs.isAwaited(1)).toBe(true);
    logs.diagnose(reset({ n: 2 }), [finding('stderr-noise', 'note')]);
    now = 200;
    expect(logs.isAwaited(2)).toBe(false);
    now = logs.patience + 1;
    expect(logs.isAwaited(1)).toBe(false);
    expect(logs.isAwaited(3)).toBe(false);
  });

  it('looks at so many lines and requests at once, and keeps so many', () => {
    const logs = book();
    for (let n = 1; n <= 3_000; n++) {
      logs.add('fpm.log', n, fpm(KILLED), null);
      if (n % 3 === 0) logs.diagnose(reset({ n }), DEAD);
    }
    expect(logs.lines).toBe(3_000);
    // Which of so many it was, nobody can tell.
    expect(sure(logs.diagnose(reset({ n: 3_001 }), DEAD))).toBe(false);
  });
});

describe('times of logs', () => {
  it('knows a writer in another time zone by lines that are fresh', () => {
    const stamp = { wall: BEGIN, isLocal: true, resolution: SECOND };
    const hours = (count: number) => count * 3_600 * SECOND;
    expect(logTime(stamp, null)).toBe(BEGIN);
    expect(logTime(stamp, BEGIN + 2 * SECOND)).toBe(BEGIN);
    expect(logTime(stamp, BEGIN + hours(2) + 2 * SECOND)).toBe(BEGIN + hours(2));
    expect(logTime(stamp, BEGIN - hours(5.5))).toBe(BEGIN - hours(5.5));
    expect(logTime(stamp, BEGIN + hours(2) + 200 * SECOND)).toBe(BEGIN);
    expect(logTime({ ...stamp, isLocal: false }, BEGIN + hours(2))).toBe(BEGIN);
  });
});

const open: Session[] = [];
afterEach(async () => {
  for (const session of open.splice(0)) await session.close();
});

describe('a session with logs', () => {
  it('gives a failed request out when its log has spoken, and amends what was given out before', async () => {
    const source = new FakeSource();
    source.now = BEGIN;
    const logs = new LogBook({ isLive: true, aliases: () => [] });
    const clock = () => source.now;
    const session = recordingSession({ source, protocol: protocols.fastcgi, clock, diagnose, logs });
    open.push(session);
    await session.start();
    const id = source.connect();
    source.bytes(id, 'client', request({ path: '/a.php' }));
    source.end(id, 'server', 'reset');
    source.close(id);

    const early = await session.settled(0, 10);
    expect(early).toMatchObject({ items: [], cursor: 0, done: false });
    expect((await session.exchange(1))?.findings[0]).toMatchObject({ certainty: 'allowed' });

    let told = 0;
    session.onChange(() => {
      told += 1;
    });
    await session.overview();
    session.log('fpm.log', null, fpm(KILLED), source.now);
    await expect.poll(() => logs.isAwaited(1)).toBe(false);
    await expect.poll(() => told).toBeGreaterThan(0);
    const { items } = await session.settled(early.cursor, 10);
    expect(items).toMatchObject([
      { kind: 'exchange', exchange: { findings: [{ id: 'rst-before-any-byte', certainty: 'proven' }] } },
      { kind: 'connection' },
    ]);
    expect(await session.logs(1)).toMatchObject([{ file: 'fpm.log', line: null, isNamed: false }]);
    expect(await session.logs(2)).toEqual([]);
    expect((await session.overview()).logLines).toBe(1);
    // Not in the same moment, but it ends.
    await session.stop(0);
    await expect.poll(async () => (await session.settled(2, 10)).done).toBe(true);
  });

  it('waits no longer than it must when the log says nothing', async () => {
    const source = new FakeSource();
    const logs = new LogBook({ isLive: true, aliases: () => [] });
    const session = recordingSession({ source, protocol: protocols.fastcgi, clock: () => source.now, diagnose, logs });
    open.push(session);
    await session.start();
    const id = source.connect();
    source.bytes(id, 'client', request({ path: '/a.php' }));
    source.end(id, 'server', 'reset');
    source.close(id);
    let told = 0;
    session.onChange(() => {
      told += 1;
    });
    expect((await session.settledRows(0, 10)).rows).toEqual([]);
    await expect.poll(() => told, { timeout: 5_000 }).toBe(1);
    expect((await session.settledRows(0, 10)).rows).toHaveLength(1);
  });
});
