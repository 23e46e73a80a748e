import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { STREAM_NAMES } from '../../src/model/exchange.js';
import type { RowQuery } from '../../src/model/inspection.js';
import { protocols } from '../../src/protocol/index.js';
import { type RecordingOptions, recordingSession } from '../../src/session/recording-session.js';
import type { Session } from '../../src/session/session.js';
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
});
