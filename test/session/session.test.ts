import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { STREAM_NAMES } from '../../src/model/exchange.js';
import type { RowPage, RowQuery, Settled } from '../../src/model/inspection.js';
import type { Protocol } from '../../src/protocol/analyzer.js';
import { encodeStream } from '../../src/protocol/fastcgi/encoder.js';
import { protocols } from '../../src/protocol/index.js';
import type { Recorder } from '../../src/session/recorder.js';
import { type RecordingOptions, recordingSession } from '../../src/session/recording-session.js';
import type { Session } from '../../src/session/session.js';
import { converse } from '../support/conversation.js';
import { finding } from '../support/exchange-fixture.js';
import { diskFull, FakeFiles } from '../support/fake-files.js';
import { answer, FakeSource, request } from '../support/fake-source.js';

const open: Session[] = [];
afterEach(async () => {
  for (const session of open.splice(0)) await session.close();
});

async function start(options: Partial<RecordingOptions> = {}): Promise<{ session: Session; source: FakeSource }> {
  const source = new FakeSource();
  const session = recordingSession({ source, protocol: protocols.fastcgi, clock: () => source.now, ...options });
  open.push(session);
  await session.start();
  return { session, source };
}

const ALL: RowQuery = { filter: '', order: 'n', reverse: false, from: 0, count: 1_000 };

describe('Session', () => {
  it('shows a request from its first byte to its end', async () => {
    const { session, source } = await start();
    const id = source.connect();
    source.bytes(id, 'client', request({ path: '/a.php?x=1' }));
    const [row] = (await session.rows(ALL)).rows;
    expect(row).toMatchObject({
      n: 1,
      connection: 1,
      requestId: 1,
      method: 'GET',
      url: 'http://example.test/a.php?x=1',
      outcome: null,
    });
    expect((await session.overview()).exchanges).toEqual({ total: 1, open: 1, kept: 1, completed: 0 });

    source.bytes(id, 'server', answer({ stdout: 'Status: 404 Not Found\r\n\r\ngone' }));
    expect((await session.rows(ALL)).rows).toEqual([
      expect.objectContaining({ outcome: 'completed', status: 404, sizeOut: 29 }),
    ]);
    const exchange = await session.exchange(1);
    expect(exchange).toMatchObject({
      n: 1,
      outcome: 'completed',
      response: { status: 404, reason: 'Not Found' },
      protocolStatus: 'request-complete',
    });
    expect(exchange?.params.find((param) => param.name === 'REQUEST_URI')?.value).toBe('/a.php?x=1');
    expect(new TextDecoder().decode((await session.body(1, 'stdout', 25, 100)).bytes)).toBe('gone');
    const page = await session.records(1, 0, 100);
    expect(page.records.map((record) => record.type)).toEqual([
      'BEGIN_REQUEST',
      'PARAMS',
      'PARAMS',
      'STDIN',
      'STDOUT',
      'STDOUT',
      'END_REQUEST',
    ]);
    const bytes = await session.recordBytes(1, 6);
    expect(bytes).toEqual({
      header: Uint8Array.of(1, 3, 0, 1, 0, 8, 0, 0),
      content: new Uint8Array(8),
      missing: 0,
    });
    for (const stream of STREAM_NAMES) expect((await session.body(1, stream, 0, 10)).gaps).toEqual([]);
  });

  it('removes its spool when it is closed', async () => {
    const { session, source } = await start();
    source.roundTrip();
    const { path } = (await session.overview()).spool;
    expect(existsSync(path!)).toBe(true);
    await session.close();
    expect(existsSync(path!)).toBe(false);
  });

  it('evicts the oldest unremarkable requests, and counts them', async () => {
    const { session, source } = await start({ maxRequests: 10 });
    const waiting = source.connect();
    source.bytes(waiting, 'client', request());
    for (let i = 0; i < 20; i += 1) source.roundTrip(i % 5 === 2 ? { stdout: 'Status: 500\r\n\r\n' } : {});
    // 1 is open; 4, 9, 14 and 19 failed; the rest is as new as there is room.
    expect(numbers(await session.rows(ALL))).toEqual([1, 4, 9, 14, 16, 17, 18, 19, 20, 21]);
    expect(await session.overview()).toMatchObject({ evicted: 11, exchanges: { total: 21, open: 1, kept: 10 } });
    expect(await session.exchange(2)).toBeNull();
    expect(await session.connection(3)).toBeNull();
    expect(await session.exchange(4)).toMatchObject({ n: 4, response: { status: 500 } });
    // Failures alone must not fill the memory either: half of it is for elders, the oldest of them go.
    for (let i = 0; i < 30; i += 1) source.roundTrip({ stdout: 'Status: 503\r\n\r\n' });
    expect(numbers(await session.rows(ALL))).toEqual([42, 43, 44, 45, 46, 47, 48, 49, 50, 51]);
    source.bytes(waiting, 'server', answer());
    expect(await session.overview()).toMatchObject({ exchanges: { total: 51, open: 0, kept: 10 } });
  });

  it('forgets the events of evicted requests on a connection that is kept for long', async () => {
    const { session, source } = await start({ maxRequests: 10 });
    const id = source.connect();
    const failures = new Set([1, 2, 700, 1_500]);
    for (let n = 1; n <= 3_000; n += 1) {
      source.bytes(id, 'client', request({ path: `/${n}` }));
      source.bytes(id, 'server', answer({ stdout: `Status: ${failures.has(n) ? 500 : 200}\r\n\r\n${n}` }));
    }
    const { connections, index } = (session as unknown as { recorder: Recorder }).recorder;
    const record = connections.find(id)!;
    expect(record.events).toBe(6_000);
    expect(record.remembered).toBeLessThan(600);
    // What was remarkable stays, however old, and the evicted ones between do not hang on it.
    const { rows } = await session.rows(ALL);
    expect(rows.map((row) => row.n)).toEqual([...failures, 2_995, 2_996, 2_997, 2_998, 2_999, 3_000]);
    expect(index.get(2)!.next).toBe(index.get(700));
    expect(index.get(2_995)!.previous).toBe(index.get(1_500));
    for (const { n } of rows) {
      expect(await session.exchange(n)).toMatchObject({
        url: `http://example.test/${n}`,
        precedingRequests: n - 1,
        records: { gaps: 0 },
      });
      const { bytes, gaps } = await session.body(n, 'stdout', 15, 10);
      expect([Buffer.from(bytes).toString(), gaps]).toEqual([String(n), []]);
    }
    expect((await session.connection(id))!.requests).toBe(3_000);
    // Closed, it forgets as well: with the last failures go all but the newest events.
    source.close(id);
    for (let i = 0; i < 30; i += 1) source.roundTrip({ stdout: 'Status: 503\r\n\r\n' });
    expect(await session.exchange(1)).toBeNull();
    expect(await session.connection(id)).toBeNull();
  });

  it('gives out what settled exactly once, in order, connections among it', async () => {
    const { session, source } = await start();
    source.roundTrip({ path: '/a' });
    const slow = source.connect();
    source.bytes(slow, 'client', request({ path: '/slow' }));
    source.roundTrip({ path: '/b' });
    const first = await session.settled(0, 3);
    expect(first.items.map(brief)).toEqual(['1 /a', 'connection 1', '3 /b']);
    source.bytes(slow, 'server', answer());
    source.end(slow, 'server', 'reset');
    source.close(slow);
    const second = await session.settled(first.cursor, 100);
    expect(second.items.map(brief)).toEqual(['connection 3', '2 /slow', 'connection 2']);
    expect(second).toMatchObject({ skipped: 0, done: false });
    expect(await session.settled(second.cursor, 100)).toMatchObject({ items: [], skipped: 0, done: false });
    // Another reader sees the same from the beginning.
    expect((await session.settled(0, 100)).items.map(brief)).toEqual([...first.items, ...second.items].map(brief));
    await session.stop(0);
    expect(await session.settled(second.cursor, 100)).toMatchObject({ items: [], done: true });
  });

  it('counts what was evicted before a late reader came, and loses nothing of one that keeps up', async () => {
    const { session, source } = await start({ maxRequests: 10 });
    for (let i = 0; i < 30; i += 1) source.roundTrip();
    const late = await session.settled(0, 1_000);
    expect(late.skipped).toBe(20);
    expect(late.items.filter((item) => item.kind === 'exchange').map(brief)).toEqual(
      Array.from({ length: 10 }, (_, i) => `${21 + i} /index.php`),
    );
    let { cursor } = late;
    const seen: string[] = [];
    for (let i = 0; i < 300; i += 1) {
      source.roundTrip();
      if (i % 70 !== 0) continue;
      const page = await session.settled(cursor, 1_000);
      expect(page.skipped).toBe(0);
      seen.push(...page.items.map(brief));
      ({ cursor } = page);
    }
    expect(seen).toEqual(
      Array.from({ length: 281 }, (_, i) => [`${31 + i} /index.php`, `connection ${31 + i}`]).flat(),
    );
  });

  it('gives late readers what the early ones got', async () => {
    const { session, source } = await start();
    converse(source, 42, 20);
    await session.settled(0, 0);
    converse(source, 43, 20);
    const held = await session.settled(0, 10_000);
    expect(held.items.length).toBeGreaterThan(60);
    for (const item of held.items) {
      if (item.kind === 'exchange') expect(await session.exchange(item.exchange.n)).toEqual(item.exchange);
      else expect(await session.connection(item.connection.connection)).toEqual(item.connection);
    }
  });

  it('marks what could not be recorded, and does not invent it', async () => {
    const files = new FakeFiles();
    const { session, source } = await start({ files });
    files.failure = diskFull();
    const id = source.connect();
    source.bytes(id, 'client', request());
    const body = new Uint8Array(40_000_000).fill(66);
    const whole = answer({ stdout: body });
    for (let at = 0; at < whole.length; at += 65_536) source.bytes(id, 'server', whole.subarray(at, at + 65_536));
    source.close(id);
    const [row] = (await session.rows(ALL)).rows;
    expect(row).toMatchObject({
      outcome: 'completed',
      sizeOut: body.length,
      records: 6 + Math.ceil(body.length / 8_192),
    });
    const { spool } = await session.overview();
    expect(spool.lost).toBeGreaterThan(5_000_000);
    // What was in memory when the disk failed is there, the rest is a gap; the row still knows what was seen.
    const exchange = await session.exchange(1);
    expect(exchange).toMatchObject({ outcome: 'completed', method: 'GET' });
    const { bytes: kept, missing: lost } = exchange!.streams.stdout;
    expect({ some: kept > 0, all: kept + lost }).toEqual({ some: true, all: body.length });
    const begin = await session.body(1, 'stdout', 0, 1_000_000);
    expect(begin.gaps).toEqual([]);
    expect(begin.bytes.every((byte) => byte === 66)).toBe(true);
    let missing = 0;
    for (let from = 0; ; ) {
      const range = await session.body(1, 'stdout', from, 1_000_000);
      if (range.bytes.length === 0) break;
      const gaps = new Uint8Array(range.bytes.length);
      for (const [a, b] of range.gaps) gaps.fill(1, a - from, b - from);
      expect(range.bytes.every((byte, i) => (gaps[i] === 1 ? byte === 0 : byte === 66))).toBe(true);
      missing += gaps.reduce((sum, gap) => sum + gap, 0);
      from += range.bytes.length;
    }
    expect(missing).toBeGreaterThan(0);
    await vi.waitFor(async () =>
      expect((await session.overview()).warnings).toContain('the disk is full: /fake takes no more bytes'),
    );
    files.failure = null;
    await vi.waitFor(async () =>
      expect((await session.overview()).warnings.at(-1)).toBe('bytes are being recorded again'),
    );
  });

  it('makes room by evicting what went well, and stores anew what did not', async () => {
    const { session, source } = await start({ maxSpool: 4 * 1024 * 1024 });
    const stdout = `Status: 500\r\n\r\n${'important '.repeat(2_000)}`;
    // As nobody asks for whole exchanges before its bytes have moved, the first answer is made anew from where they are then.
    source.roundTrip({ stdout, path: '/broken' });
    const roomy = await start();
    roomy.source.roundTrip({ stdout, path: '/broken' });
    const expected = await roomy.session.exchange(1);
    for (let i = 0; i < 300; i += 1) {
      source.roundTrip({ stdout: new Uint8Array(50_000), path: `/${i}` });
      // Slowly enough for the copying.
      if (i % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 4));
    }
    await vi.waitFor(async () => expect((await session.overview()).spool.bytes).toBeLessThan(5 * 1024 * 1024));
    const { rows } = await session.rows(ALL);
    expect(rows[0]).toMatchObject({ n: 1, status: 500 });
    expect(rows[1]!.n).toBeGreaterThan(200);
    expect((await session.overview()).evicted).toBe(301 - rows.length);
    expect(await session.exchange(1)).toEqual(expected);
    const range = await session.body(1, 'stdout', 0, 100_000);
    expect(Buffer.from(range.bytes).toString()).toBe(stdout);
    for (const { n } of rows.slice(1)) expect((await session.body(n, 'stdout', 0, 100_000)).gaps).toEqual([]);
  });

  it('keeps the rows of failures that are more than half of the spool, without their bytes', async () => {
    const { session, source } = await start({ maxSpool: 4 * 1024 * 1024 });
    for (let i = 0; i < 200; i += 1) {
      source.roundTrip({ stdout: `Status: 500 No\r\n\r\n${'x'.repeat(50_000)}`, path: `/${i}`, appStatus: 9 });
      if (i % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await vi.waitFor(async () => expect((await session.overview()).spool.bytes).toBeLessThan(5 * 1024 * 1024));
    expect(await session.overview()).toMatchObject({ evicted: 0, exchanges: { kept: 200 } });
    expect(await session.exchange(1)).toMatchObject({
      n: 1,
      outcome: 'completed',
      url: 'http://example.test/0',
      appStatus: 9,
    });
    expect((await session.body(200, 'stdout', 0, 100)).gaps).toEqual([]);
  });

  it('keeps the bytes of small failures beside one request that takes more than half of the spool', async () => {
    const { session, source } = await start({ maxSpool: 4 * 1024 * 1024 });
    const stdout = `Status: 500\r\n\r\n${'important '.repeat(2_000)}`;
    for (let i = 0; i < 5; i += 1) source.roundTrip({ stdout, path: `/broken/${i}` });
    const download = source.connect();
    source.bytes(download, 'client', request({ path: '/download' }));
    const part = encodeStream('stdout', 1, new Uint8Array(60_000).fill(65)).subarray(0, -8);
    for (let i = 0; i < 200; i += 1) {
      source.bytes(download, 'server', part);
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    await vi.waitFor(async () => expect((await session.overview()).spool.bytes).toBeLessThan(5 * 1024 * 1024));
    for (let n = 1; n <= 5; n += 1) {
      const { bytes, gaps } = await session.body(n, 'stdout', 0, 100_000);
      expect(gaps).toEqual([]);
      expect(Buffer.from(bytes).toString()).toBe(stdout);
    }
  });

  it('goes on when the analyzer fails, and says which connection it lost', async () => {
    const failing: Protocol = {
      name: 'failing',
      recognise: protocols.fastcgi.recognise,
      analyze(options) {
        const analyzer = protocols.fastcgi.analyze(options);
        if (options.connection !== 1) return analyzer;
        return {
          push(event) {
            if (event.kind === 'bytes' && event.side === 'server') throw new Error('a mistake of ours');
            analyzer.push(event);
          },
          get idle() {
            return analyzer.idle;
          },
          get quiet() {
            return analyzer.quiet;
          },
          get offsets() {
            return analyzer.offsets;
          },
          get opened() {
            return analyzer.opened;
          },
          summary: () => analyzer.summary(),
        };
      },
    };
    const { session, source } = await start({ protocol: failing });
    source.roundTrip();
    source.roundTrip();
    const { rows } = await session.rows(ALL);
    expect(rows.map((row) => row.outcome)).toEqual(['undecodable', 'completed']);
    expect(await session.connection(1)).toMatchObject({
      undecoded: true,
      requests: 1,
      notes: ['our decoder failed: a mistake of ours'],
    });
    expect(await session.exchange(1)).toMatchObject({ outcome: 'undecodable', method: 'GET' });
    expect(await session.overview()).toMatchObject({
      connections: { total: 2, open: 0 },
      exchanges: { open: 0 },
      warnings: ['connection 1 is not decoded any more: a mistake of ours'],
    });
    expect((await session.settled(0, 10)).items.map(brief)).toEqual([
      '1 /index.php',
      'connection 1',
      '2 /index.php',
      'connection 2',
    ]);
  });

  it('answers readers while traffic goes on', async () => {
    const { session, source } = await start();
    const stdout = new Uint8Array(3_000_000).map((_, i) => i % 251);
    source.roundTrip({ stdout });
    const expected = await session.exchange(1);
    let done = false;
    const traffic = (async () => {
      while (!done) {
        converse(source, source.now, 3);
        await new Promise(setImmediate);
      }
    })();
    const readers = Array.from({ length: 6 }, async (_, i) => {
      for (let from = i * 100_000; from < stdout.length; from += 600_000) {
        const range = await session.body(1, 'stdout', from, 100_000);
        expect(Buffer.compare(range.bytes, stdout.subarray(from, from + 100_000))).toBe(0);
        expect(await session.exchange(1)).toEqual(expected);
        expect(
          (await session.rows({ ...ALL, filter: 'outcome != completed', from: -5, count: 5 })).rows.length,
        ).toBeLessThan(6);
      }
    });
    await Promise.all(readers);
    done = true;
    await traffic;
  });

  it('reads timelines and bodies of more records than it remembers', async () => {
    const { session, source } = await start();
    const id = source.connect();
    source.bytes(id, 'client', request());
    const content = new Uint8Array(110_000).map((_, i) => i % 253);
    const whole = encodeStream('stdout', 1, content, { recordLength: 1 });
    for (let at = 0; at < whole.length; at += 60_000) source.bytes(id, 'server', whole.subarray(at, at + 60_000));
    for (const from of [0, 19_990, 50_000, 109_990]) {
      const { bytes, total, gaps } = await session.body(1, 'stdout', from, 500);
      expect(total).toBe(110_000);
      expect(gaps).toEqual([]);
      expect(Buffer.compare(bytes, content.subarray(from, from + 500))).toBe(0);
      const page = await session.records(1, from, 3);
      expect(page.records.map((record) => record.index)).toEqual([from, from + 1, from + 2]);
      expect(page.total).toBe(110_005);
    }
    expect((await session.recordBytes(1, 60_004))?.content).toEqual(content.slice(60_000, 60_001));
    expect((await session.records(1, 0, 5_000)).records).toHaveLength(1_000);
  });

  it('keeps chunks larger than a packet whole', async () => {
    const { session, source } = await start();
    const stdin = new Uint8Array(500_000).map((_, i) => i % 241);
    const id = source.connect();
    source.bytes(id, 'client', request({ stdin }));
    source.bytes(id, 'server', answer());
    const { bytes, gaps } = await session.body(1, 'stdin', 0, 1_000_000);
    expect(gaps).toEqual([]);
    expect(Buffer.compare(bytes, stdin)).toBe(0);
  });

  it('shows a body while it grows', async () => {
    const { session, source } = await start();
    const id = source.connect();
    source.bytes(id, 'client', request());
    const whole = answer({ stdout: new Uint8Array(100_000).fill(67) });
    const totals: number[] = [];
    for (let at = 0; at < whole.length; at += 20_000) {
      source.bytes(id, 'server', whole.subarray(at, at + 20_000));
      const { total, bytes } = await session.body(1, 'stdout', 0, 1_000_000);
      expect(bytes.every((byte) => byte === 67)).toBe(true);
      totals.push(total);
    }
    expect(totals).toEqual([16_384, 32_768, 57_344, 73_728, 98_304, 100_000]);
  });

  it('tells a listener once, until somebody asks again, and not too often', async () => {
    const { session, source } = await start();
    let told = 0;
    const release = session.onChange(() => {
      told += 1;
    });
    const rest = () => new Promise((resolve) => setTimeout(resolve, 60));
    await session.overview();
    source.roundTrip();
    source.roundTrip();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(told).toBe(1);
    await session.overview();
    await rest();
    expect(told).toBe(1);
    source.roundTrip();
    await rest();
    expect(told).toBe(2);
    // A reader that asks at once each time is still told at its pace, not at the traffic's.
    const answering = session.onChange(() => void session.overview());
    await session.overview();
    const before = told;
    for (let i = 0; i < 200; i += 1) {
      source.roundTrip();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await rest();
    expect(told - before).toBeGreaterThan(0);
    expect(told - before).toBeLessThan(100);
    answering();
    release();
    await session.overview();
    const last = told;
    source.roundTrip();
    await rest();
    expect(told).toBe(last);
  });

  it('gives rows as it gives exchanges: once each, without connections', async () => {
    const { session, source } = await start({ maxRequests: 10 });
    for (let i = 0; i < 5; i += 1) source.roundTrip();
    const first = await session.settledRows(0, 3);
    expect(first.rows.map((row) => row.n)).toEqual([1, 2, 3]);
    const second = await session.settledRows(first.cursor, 100);
    expect(second.rows.map((row) => row.n)).toEqual([4, 5]);
    for (let i = 0; i < 20; i += 1) source.roundTrip();
    const third = await session.settledRows(second.cursor, 100);
    expect(third.rows.map((row) => row.n)).toEqual([16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
    expect(third.skipped).toBe(10);
    await session.stop(0);
    expect(await session.settledRows(third.cursor, 100)).toMatchObject({ rows: [], skipped: 0, done: true });
  });

  it('does not wait at the end for a connection that is half closed and has nothing open', async () => {
    const { session, source } = await start();
    const id = source.connect();
    source.bytes(id, 'client', request());
    source.bytes(id, 'server', answer());
    source.end(id, 'client', 'fin');
    await session.stop(1_000);
    expect(source.stopped).toEqual({ grace: 1_000, idle: [id] });
  });

  it('stops in order: names the idle connections, and settles what is open', async () => {
    const { session, source } = await start();
    const idle = source.connect();
    source.bytes(idle, 'client', request());
    source.bytes(idle, 'server', answer());
    const busy = source.connect();
    source.bytes(busy, 'client', request());
    await session.stop(1_000);
    expect(source.stopped).toEqual({ grace: 1_000, idle: [idle] });
    expect((await session.rows(ALL)).rows.map((row) => row.outcome)).toEqual(['completed', 'unfinished']);
    expect(await session.overview()).toMatchObject({ live: false, connections: { total: 2, open: 0 } });
  });

  it('keeps findings with the row and makes them anew with the exchange', async () => {
    const diagnose = (exchange: { response: { status: number | null } | null }) =>
      exchange.response?.status === 500 ? [finding('broken', 'error'), finding('odd', 'note')] : [];
    const { session, source } = await start({ diagnose });
    source.roundTrip({ stdout: 'Status: 500\r\n\r\n' });
    source.roundTrip();
    expect((await session.rows(ALL)).rows.map((row) => [row.findings, row.severity])).toEqual([
      [['broken', 'odd'], 'error'],
      [[], null],
    ]);
    expect((await session.exchange(1))?.findings.map((each) => each.id)).toEqual(['broken', 'odd']);
    expect((await session.overview()).findings).toEqual({ error: 1, warning: 0, note: 1 });
  });

  it('keeps the newest warnings, and counts all', async () => {
    const { session } = await start();
    for (let i = 1; i <= 60; i += 1) session.warn(`warning ${i}`);
    const { warnings, warningCount } = await session.overview();
    expect([warnings.length, warnings[0], warnings.at(-1), warningCount]).toEqual([50, 'warning 11', 'warning 60', 60]);
  });

  it('gives rates and percentiles', async () => {
    const { session, source } = await start();
    expect(await session.overview()).toMatchObject({ requestsPerSecond: 0, p50: null, p95: null });
    for (let i = 0; i < 40; i += 1) source.roundTrip();
    source.now = (Math.floor(source.now / 1e6) + 1) * 1e6;
    expect(await session.overview()).toMatchObject({ requestsPerSecond: 40, p50: 0.1, p95: 0.1 });
    source.now += 1e6;
    expect((await session.overview()).requestsPerSecond).toBe(0);
  });
});

function numbers(page: RowPage): number[] {
  return page.rows.map((row) => row.n);
}

function brief(item: Settled): string {
  return item.kind === 'connection'
    ? `connection ${item.connection.connection}`
    : `${item.exchange.n} ${item.exchange.script?.replace('/srv/www', '')}`;
}
