import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { pump } from '../../src/export/runner.js';
import { concatBytes } from '../../src/model/bytes.js';
import type { ConnectionEvent } from '../../src/model/connection-event.js';
import { STREAM_NAMES } from '../../src/model/exchange.js';
import type { RowQuery } from '../../src/model/inspection.js';
import type { ExchangeOutput, RowOutput } from '../../src/model/output.js';
import { protocols } from '../../src/protocol/index.js';
import type { Recorder } from '../../src/session/recorder.js';
import { type CaptureOptions, captureSession, recordingSession } from '../../src/session/recording-session.js';
import type { Session } from '../../src/session/session.js';
import { MIN_SEGMENT } from '../../src/session/spool.js';
import { converse, dice } from '../support/conversation.js';
import { diskFull, FakeFiles } from '../support/fake-files.js';
import { answer, FakeSource, request } from '../support/fake-source.js';
import { eventsOf, inChunks, laidOut, ScriptedCapture } from '../support/scripted-capture.js';

const ALL: RowQuery = { filter: '', order: 'n', reverse: false, from: 0, count: 1_000 };
const MIB = 1024 * 1024;

const open: Session[] = [];
afterEach(async () => {
  for (const session of open.splice(0)) await session.close();
});

async function over(
  capture: ScriptedCapture,
  options: Partial<CaptureOptions> = {},
): Promise<{ session: Session; disk: FakeFiles }> {
  const disk = new FakeFiles();
  const session = captureSession({
    source: capture,
    capture,
    isSeekable: true,
    protocol: protocols.fastcgi,
    clock: () => capture.now,
    files: disk,
    ...options,
  });
  open.push(session);
  await session.start();
  return { session, disk };
}

async function toTheEnd(session: Session): Promise<number> {
  for (let count = 1; ; count += 1) if (!(await session.advance())) return count;
}

const bodyOf = async (session: Session, n: number): Promise<string> =>
  Buffer.from((await session.body(n, 'stdout', 0, MIB)).bytes).toString('latin1');

/** What an exchange output and a row output were told of, by number. */
function collecting(): { readonly numbers: number[]; readonly connections: number[]; readonly output: ExchangeOutput } {
  const numbers: number[] = [];
  const connections: number[] = [];
  const output: ExchangeOutput = {
    exchange: async (exchange) => void numbers.push(exchange.n),
    connection: async (connection) => void connections.push(connection.connection),
    end: async () => {},
  };
  return { numbers, connections, output };
}

function collectingRows(): { readonly numbers: number[]; readonly output: RowOutput } {
  const numbers: number[] = [];
  return {
    numbers,
    output: { rows: async (rows) => void numbers.push(...rows.map((row) => row.n)), end: async () => {} },
  };
}

/** All of 1 to `count`, each once and in order; says where it goes wrong, without ten thousand lines of difference. */
function expectAll(numbers: readonly number[], count: number): void {
  expect({ wrongAt: numbers.findIndex((n, i) => n !== i + 1), length: numbers.length }).toEqual({
    wrongAt: -1,
    length: count,
  });
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

/** `count` requests of few bytes each, on kept connections of a hundred. */
function* manyRequests(count: number, eventsAtOnce: number): Generator<readonly ConnectionEvent[]> {
  const ask = request({ path: '/a' });
  const say = answer({ stdout: 'Status: 204\r\n\r\n' });
  let chunk: ConnectionEvent[] = [];
  for (let i = 0; i < count; i += 1) {
    const connection = 1 + Math.floor(i / 100);
    const at = 1_789_000_000_000_000 + i * 100;
    const events: ConnectionEvent[] = [
      { kind: 'bytes', connection, at, side: 'client', bytes: ask, origin: 0 },
      { kind: 'bytes', connection, at: at + 50, side: 'server', bytes: say, origin: ask.length },
    ];
    if (i % 100 === 0) {
      const host = '127.0.0.1';
      const [client, server] = [40_000, 9_000].map((port) => ({ kind: 'tcp', host, port }) as const);
      events.unshift({ kind: 'open', connection, at, client: client!, server: server!, midstream: false });
    }
    if (i % 100 === 99)
      events.push(
        { kind: 'end', connection, at: at + 60, side: 'client', how: 'fin' },
        { kind: 'closed', connection, at: at + 60 },
      );
    for (const event of events) {
      chunk.push(event);
      if (chunk.length < eventsAtOnce) continue;
      yield chunk;
      chunk = [];
    }
  }
  yield chunk;
}
const MANY_BYTES = concatBytes([request({ path: '/a' }), answer({ stdout: 'Status: 204\r\n\r\n' })]);

describe('a session over a source with an end', () => {
  it('takes in as much as it is advanced, and ends with the source', async () => {
    const capture = new ScriptedCapture(manyRequests(10, 4), [MANY_BYTES]);
    const { session } = await over(capture);
    expect(await session.overview()).toMatchObject({ live: true, exchanges: { total: 0 }, progress: { size: 1 } });
    expect(await session.advance()).toBe(true);
    expect((await session.overview()).exchanges).toMatchObject({ total: 2, completed: 1, open: 1 });
    expect(await toTheEnd(session)).toBe(6);
    // 100 requests make a connection; the session closes the one that the source did not close.
    expect(await session.overview()).toMatchObject({
      live: false,
      exchanges: { total: 10, completed: 10, open: 0 },
      connections: { total: 1, open: 0 },
      startedAt: 1_789_000_000_000_000,
    });
    expect(await session.advance()).toBe(false);
    expect(capture.misused).toBe(false);
    expect(await session.settled(0, 100)).toMatchObject({ done: true, skipped: 0 });
  });

  it('can be stopped in the middle: what is open is unfinished, what was seen stays', async () => {
    const capture = new ScriptedCapture(manyRequests(1_000, 4), [MANY_BYTES]);
    const { session } = await over(capture);
    await session.advance();
    await session.stop(10_000);
    expect(await session.advance()).toBe(false);
    expect(capture.advances).toBe(1);
    expect((await session.rows(ALL)).rows.map((row) => row.outcome)).toEqual(['completed', 'unfinished']);
    expect(await session.overview()).toMatchObject({ live: false, exchanges: { total: 2, open: 0 } });
    expect(await bodyOf(session, 1)).toBe('Status: 204\r\n\r\n');
    await session.close();
    expect(capture.closed).toBe(true);
  });

  it('tells listeners of what came, at its own pace', async () => {
    const { session } = await over(new ScriptedCapture(manyRequests(500, 5), [MANY_BYTES]));
    let told = 0;
    session.onChange(() => {
      told += 1;
    });
    await session.overview();
    await toTheEnd(session);
    await expect.poll(() => told).toBe(1);
    await session.overview();
    expect(told).toBe(1);
  });
});

describe('readers in step with it', () => {
  it('are given everything once, though one fails and none is as quick as the other', { timeout: 60_000 }, async () => {
    const count = 100_000;
    const capture = new ScriptedCapture(manyRequests(count, 7), [MANY_BYTES]);
    const { session } = await over(capture, { maxRequests: 2 * count });
    const exchanges = collecting();
    const rows = collectingRows();
    const slow = collecting();
    const broken = collecting();
    let held = 0;
    const { failures, summary } = await pump(
      session,
      [
        exchanges.output,
        rows.output,
        {
          ...slow.output,
          async exchange(exchange) {
            if (exchange.n % 1_000 === 0) await turn();
            held = Math.max(held, slow.numbers.length - rows.numbers.length, rows.numbers.length - slow.numbers.length);
            await slow.output.exchange(exchange);
          },
        },
        {
          ...broken.output,
          async exchange(exchange) {
            if (exchange.n === 1_000) throw new Error('EPIPE');
            await broken.output.exchange(exchange);
          },
        },
      ],
      { advance: () => session.advance(true) },
    );
    expectAll(exchanges.numbers, count);
    expectAll(rows.numbers, count);
    expectAll(slow.numbers, count);
    expectAll(exchanges.connections, count / 100);
    expectAll(broken.numbers, 999);
    expect(failures).toMatchObject([{ output: 3, error: { message: 'EPIPE' } }]);
    expect(summary).toMatchObject({ requests: count, completed: count, shown: count, skipped: 0 });
    // Nothing was read ahead: a chunk of seven events settles four requests at most.
    expect(held).toBeLessThanOrEqual(4);
    expect(capture.misused).toBe(false);
    // Nothing had to be read again either.
    expect(capture.reads).toBe(0);
  });

  it('read no further when they have had enough', async () => {
    const capture = new ScriptedCapture(manyRequests(1_000, 5), [MANY_BYTES]);
    const { session } = await over(capture);
    const exchanges = collecting();
    const rows = collectingRows();
    await pump(session, [exchanges.output, rows.output], { advance: () => session.advance(true), count: 10 });
    expectAll(exchanges.numbers, 10);
    expectAll(rows.numbers, 10);
    expect(capture.advances).toBeLessThan(10);
  });

  it('let go of what was held for them with each step', async () => {
    const { session } = await over(new ScriptedCapture(manyRequests(100, 50), [MANY_BYTES]));
    const { log, index } = (session as unknown as { recorder: Recorder }).recorder;
    await session.settled(0, 1);
    await session.advance(true);
    const kept = index.get(1)!;
    expect(log.held(kept)).toMatchObject({ n: 1, outcome: 'completed' });
    await session.advance(false);
    expect(log.held(kept)).not.toBeNull();
    await session.advance(true);
    expect(log.held(kept)).toBeNull();
    expect(index.length).toBeLessThanOrEqual(26);
    expect((await session.overview()).exchanges.total).toBeGreaterThan(70);
    expect((await session.overview()).evicted).toBe(0);
  });

  it.each([
    ['exchanges', 10],
    ['exchanges', 1_000],
    ['rows', 10],
    ['rows', 1_000],
  ])('lose no %s to --max-requests, with %i chunks', async (kind, chunks) => {
    const count = 10_000;
    const capture = new ScriptedCapture(manyRequests(count, Math.ceil((2 * count) / chunks)), [MANY_BYTES]);
    const { session } = await over(capture, { maxRequests: 10 });
    const exchanges = collecting();
    const rows = collectingRows();
    const { summary } = await pump(session, [kind === 'rows' ? rows.output : exchanges.output], {
      advance: () => session.advance(true),
    });
    const told = kind === 'rows' ? rows : exchanges;
    expectAll(told.numbers, count);
    expect(summary).toMatchObject({ requests: count, skipped: 0 });
    expect((await session.overview()).exchanges.kept).toBeLessThanOrEqual(10);
  });

  it('lose no connection, of however many there are at once without a request', async () => {
    const connections = 10_000;
    const events = eventsOf((source) => {
      for (let i = 0; i < connections; i += 1) {
        const id = source.connect();
        source.end(id, 'client', 'fin');
        source.close(id);
      }
    });
    const { session } = await over(new ScriptedCapture([events]));
    const told = collecting();
    await pump(session, [told.output], { advance: () => session.advance(true) });
    expectAll(told.connections, connections);
  });
});

describe('what is read again', () => {
  it('is what a recording of the same traffic has, wherever each chunk lies', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        async (seed, chunk, files, strays) => {
          const said = eventsOf((source) => converse(source, seed, 3));
          const roll = dice(seed);
          const { events, files: written } = laidOut(said, () => (strays ? roll(files + 1) - 1 : roll(files)));
          const capture = new ScriptedCapture(inChunks(events, chunk), written);
          const { session, disk } = await over(capture);
          await toTheEnd(session);
          const recorded = new FakeSource();
          const reference = recordingSession({
            source: recorded,
            protocol: protocols.fastcgi,
            clock: () => capture.now,
            files: new FakeFiles(),
          });
          open.push(reference);
          await reference.start();
          for (const event of said) recorded.say(event);

          const { rows } = await session.rows(ALL);
          expect(rows).toEqual((await reference.rows(ALL)).rows);
          for (const { n } of rows) {
            expect(await session.exchange(n), `request ${n} of seed ${seed}`).toEqual(await reference.exchange(n));
            expect(await session.records(n, 0, 500)).toEqual(await reference.records(n, 0, 500));
            for (const stream of STREAM_NAMES)
              expect(await session.body(n, stream, 0, MIB)).toEqual(await reference.body(n, stream, 0, MIB));
            expect(await session.recordBytes(n, 2)).toEqual(await reference.recordBytes(n, 2));
          }
          expect((await session.overview()).spool).toMatchObject({ lost: 0, error: null });
          if (!strays) expect(disk.handles + disk.files.size).toBe(0);
          for (const one of open.splice(0)) await one.close();
        },
      ),
      { numRuns: 20 },
    );
  });

  it('comes from the file alone: no spool is made for what has a place', async () => {
    const { events, files } = laidOut(eventsOf((source) => void source.roundTrip({ stdout: body('one') })));
    const { session } = await over(new ScriptedCapture([events], files));
    await toTheEnd(session);
    expect((await session.overview()).spool).toEqual({ path: null, bytes: 0, lost: 0, error: null });
    expect(await bodyOf(session, 1)).toBe(body('one'));
  });

  it('comes from a spool for what lies in no file (pipes, gzip)', async () => {
    const said = eventsOf((source) => void source.roundTrip({ stdout: body('one') }));
    const capture = new ScriptedCapture([said]);
    const { session } = await over(capture, { isSeekable: false });
    expect((await session.overview()).spool.path).toBe('/fake');
    await toTheEnd(session);
    expect(await bodyOf(session, 1)).toBe(body('one'));
    expect(capture.reads).toBe(0);
  });

  it('becomes gaps where the file has become shorter, and that is told', async () => {
    const said = eventsOf((source) => {
      for (const n of [1, 2]) {
        const id = source.connect();
        source.bytes(id, 'client', request({ path: `/${n}.php`, keep: false }));
        for (const part of inChunks([...answer({ stdout: body('x'.repeat(20_000)) })], 1_448))
          source.bytes(id, 'server', Uint8Array.from(part));
        source.close(id);
      }
    });
    const { events, files } = laidOut(said);
    const capture = new ScriptedCapture([events], files);
    const { session } = await over(capture);
    await toTheEnd(session);
    capture.files[0] = files[0]!.subarray(0, files[0]!.length - 10_000);
    const second = await session.body(2, 'stdout', 0, MIB);
    expect(second.gaps.length).toBeGreaterThan(0);
    expect(await session.exchange(2)).toMatchObject({ n: 2, url: 'http://example.test/2.php', outcome: 'completed' });
    expect((await session.body(1, 'stdout', 0, MIB)).gaps).toEqual([]);
    const { spool, warnings } = await session.overview();
    expect(spool.error).toContain('the capture file');
    expect(warnings).toEqual([spool.error]);
  });

  it('becomes gaps where the file cannot be read any more, and that is told once', async () => {
    const { events, files } = laidOut(eventsOf((source) => void source.roundTrip()));
    const capture = new ScriptedCapture([events], files);
    const { session } = await over(capture);
    await toTheEnd(session);
    capture.failure = new Error('EIO: i/o error, read');
    expect(await session.exchange(1)).toMatchObject({ n: 1, outcome: 'completed', response: { status: 200 } });
    for (const stream of ['stdin', 'stdout'] as const) {
      const { bytes, gaps, total } = await session.body(1, stream, 0, MIB);
      expect(gaps).toEqual(total === 0 ? [] : [[0, bytes.length]]);
    }
    const { warnings } = await session.overview();
    expect(warnings).toEqual(['the capture file cannot be read any more: EIO: i/o error, read']);
    expect((await session.overview()).warnings).toHaveLength(1);
  });

  it('may be other bytes: nothing that is in the file now breaks anything', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.infiniteStream(fc.uint8Array({ minLength: 50, maxLength: 200 })),
        async (seed, noise) => {
          const { events, files } = laidOut(eventsOf((source) => converse(source, seed, 2)));
          const capture = new ScriptedCapture([events], files);
          const { session } = await over(capture);
          await toTheEnd(session);
          const { rows } = await session.rows(ALL);
          for (const file of files)
            for (let at = 0; at < file.length; at += 1_000)
              file.set(noise.next().value!.subarray(0, file.length - at), at);
          for (const { n } of rows) {
            expect(await session.exchange(n)).toMatchObject({ n });
            await session.records(n, 0, 500);
            for (const stream of STREAM_NAMES) await session.body(n, stream, 0, MIB);
          }
          expect((await session.rows(ALL)).rows).toEqual(rows);
          for (const one of open.splice(0)) await one.close();
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('what lies in no file, and the disk', () => {
  /** A chunk of so many bytes in one request's body. */
  const upload = (bytes: number): ConnectionEvent[] =>
    eventsOf((source) => {
      const id = source.connect();
      const whole = request({ method: 'POST', stdin: new Uint8Array(bytes).fill(120) });
      for (let at = 0; at < whole.length; at += 60_000) source.bytes(id, 'client', whole.subarray(at, at + 60_000));
      source.bytes(id, 'server', answer());
    });

  it('waits for a slow disk, and loses nothing: also when much comes at once', async () => {
    const chunks = [1, 2, 3, 4, 5].map(() => upload(12 * MIB)).map(renumbered);
    const capture = new ScriptedCapture(chunks);
    const { session, disk } = await over(capture, { isSeekable: false });
    let release = (): void => {};
    disk.stall = new Promise((resolve) => {
      release = resolve;
    });
    let ended = false;
    const reading = toTheEnd(session).then(() => {
      ended = true;
    });
    await expect.poll(() => capture.advances).toBeGreaterThan(0);
    for (let i = 0; i < 20; i += 1) await turn();
    const before = capture.advances;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect({ ended, advances: capture.advances }).toEqual({ ended: false, advances: before });
    disk.stall = null;
    release();
    await reading;
    expect((await session.overview()).spool).toMatchObject({ lost: 0, error: null });
    expect((await session.rows(ALL)).rows.map((row) => row.sizeIn)).toEqual(chunks.map(() => 12 * MIB));
  });

  it('does not wait for one that has failed', async () => {
    const chunks = upTo(40)
      .map(() => upload(MIB))
      .map(renumbered);
    const { session, disk } = await over(new ScriptedCapture(chunks), { isSeekable: false });
    disk.failure = diskFull();
    await toTheEnd(session);
    const { spool, exchanges } = await session.overview();
    expect(spool.error).toContain('the disk is full');
    expect(spool.lost).toBeGreaterThan(0);
    expect(exchanges.completed).toBe(40);
  });

  it('is stopped while it waits', async () => {
    const chunks = upTo(100)
      .map(() => upload(MIB))
      .map(renumbered);
    const capture = new ScriptedCapture(chunks);
    const { session, disk } = await over(capture, { isSeekable: false });
    let release = (): void => {};
    disk.stall = new Promise((resolve) => {
      release = resolve;
    });
    const reading = toTheEnd(session);
    const before = async (): Promise<number> => {
      const count = capture.advances;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return capture.advances - count;
    };
    await expect.poll(before).toBe(0);
    await session.stop(0);
    await reading;
    expect(capture.advances).toBeLessThan(100);
    release();
  });

  it('is given up for what comes, the unremarkable first; what lies in files stays', async () => {
    const rounds = upTo(60);
    const said = eventsOf((source) => {
      for (const n of rounds)
        source.roundTrip({ path: `/${n}.php`, stdout: `Status: ${n === 2 ? 500 : 200}\r\n\r\n${'z'.repeat(60_000)}` });
    });
    // Every third request's connection lies in a file.
    const { events, files } = laidOut(said, (index) => {
      const event = said[index]!;
      return event.connection % 3 === 0 ? 0 : -1;
    });
    const { session } = await over(new ScriptedCapture(inChunks(events, 3), files), { maxSpool: 8 * MIN_SEGMENT });
    while (await session.advance()) await turn();
    await expect.poll(async () => (await session.overview()).evicted).toBeGreaterThan(5);
    const kept = (await session.rows(ALL)).rows.map((row) => row.n);
    expect(kept).toEqual(expect.arrayContaining(rounds.filter((n) => n % 3 === 0)));
    expect(kept).toContain(2);
    expect(kept).not.toContain(1);
    for (const n of kept) expect((await session.body(n, 'stdout', 0, MIB)).gaps, `request ${n}`).toEqual([]);
  });
});

function body(text: string): string {
  return `Content-Type: text/plain\r\n\r\n${text}`;
}

/** Events of the connection 1 as those of another. */
function renumbered(events: readonly ConnectionEvent[], index: number): ConnectionEvent[] {
  return events.map((event) => ({ ...event, connection: index + 1 }));
}
