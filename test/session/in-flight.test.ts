import { afterEach, describe, expect, it } from 'vitest';
import { diagnose } from '../../src/diagnosis/diagnose.js';
import type { RowQuery } from '../../src/model/inspection.js';
import { MICROSECONDS_PER_SECOND } from '../../src/model/time.js';
import { encodeStream } from '../../src/protocol/fastcgi/encoder.js';
import { protocols } from '../../src/protocol/index.js';
import { recordingSession } from '../../src/session/recording-session.js';
import type { Session } from '../../src/session/session.js';
import { answer, FakeSource, request } from '../support/fake-source.js';

const ALL: RowQuery = { filter: '', order: 'n', reverse: false, from: 0, count: 1_000 };
const sessions: Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
});

async function start(): Promise<{ session: Session; source: FakeSource; pass: (seconds: number) => void }> {
  const source = new FakeSource();
  const session = recordingSession({ source, protocol: protocols.fastcgi, clock: () => source.now, diagnose });
  sessions.push(session);
  await session.start();
  return { session, source, pass: (seconds) => (source.now += seconds * MICROSECONDS_PER_SECOND) };
}

const rows = async (session: Session, query: Partial<RowQuery> = {}) => (await session.rows({ ...ALL, ...query })).rows;

describe('open requests', () => {
  it('say what they wait for, and are told of when that takes long', async () => {
    const { session, source, pass } = await start();
    const id = source.connect();
    source.bytes(id, 'client', request({ path: '/slow.php' }));
    pass(3);
    expect(await rows(session)).toMatchObject([{ waiting: { for: 'first-stdout' }, findings: [] }]);
    pass(3);
    const [row] = await rows(session);
    expect(row).toMatchObject({ findings: ['slow-script'], severity: 'note', outcome: null, total: null });
    expect(row?.waiting?.milliseconds).toBeGreaterThanOrEqual(6_000);
    expect(await session.exchange(1)).toMatchObject({
      outcome: null,
      times: { end: null },
      waiting: { for: 'first-stdout' },
      findings: [{ id: 'slow-script', severity: 'note' }],
    });
    pass(30);
    expect(await rows(session)).toMatchObject([{ severity: 'warning' }]);
  });

  it('are not told of where the answer may have been in bytes that were not captured', async () => {
    const { session, source, pass } = await start();
    const id = source.connect();
    source.bytes(id, 'client', request({ path: '/slow.php' }));
    source.gap(id, 'server', 300);
    pass(40);
    expect(await rows(session)).toMatchObject([{ waiting: { for: 'first-stdout' }, findings: [] }]);
  });

  it('are found by what was found on them', async () => {
    const { session, source, pass } = await start();
    source.bytes(source.connect(), 'client', request({ path: '/slow.php' }));
    pass(6);
    expect(await rows(session, { filter: 'finding == "slow-script"' })).toMatchObject([{ n: 1 }]);
    expect(await rows(session, { filter: 'finding == "client-abort"' })).toEqual([]);
  });

  it('that stop in the middle are waited for, and say nothing any more once they go on', async () => {
    const { session, source, pass } = await start();
    const id = source.connect();
    source.bytes(id, 'client', request({ path: '/stream.php' }));
    source.bytes(
      id,
      'server',
      encodeStream('stdout', 1, new TextEncoder().encode('Content-Type: a/b\r\n\r\none'), { close: false }),
    );
    pass(7);
    expect(await rows(session)).toMatchObject([{ waiting: { for: 'more-stdout' }, findings: ['stall-mid-response'] }]);
    source.bytes(id, 'server', encodeStream('stdout', 1, new TextEncoder().encode('two'), { close: false }));
    expect(await rows(session)).toMatchObject([{ waiting: { for: 'more-stdout' }, findings: [] }]);
    source.bytes(id, 'server', answer({ stdout: '' }));
    expect(await rows(session)).toMatchObject([{ waiting: null, findings: [], outcome: 'completed' }]);
    expect(await session.exchange(1)).toMatchObject({ waiting: null, findings: [] });
  });

  it('that lie in a queue are told from those that are served', async () => {
    const { session, source, pass } = await start();
    const [first, second, third] = [source.connect(), source.connect(), source.connect()];
    for (const id of [first, second]) source.bytes(id!, 'client', request({ path: '/work.php' }));
    pass(1);
    source.bytes(third!, 'client', request({ path: '/page.php' }));
    pass(2);
    source.bytes(first!, 'server', answer({ stdout: 'Content-Type: a/b\r\n\r\nx' }));
    pass(5);
    const found = (await rows(session)).filter(({ outcome }) => outcome === null);
    // One of the two before the third was served and nobody after it; of the second nobody knows.
    expect(found.map(({ n, findings }) => [n, findings])).toEqual([
      [2, ['slow-script']],
      [3, ['pool-exhausted']],
    ]);
    const again = source.connect();
    source.bytes(again, 'client', request({ path: '/page.php' }));
    source.bytes(again, 'server', answer({ stdout: 'Content-Type: a/b\r\n\r\nx' }));
    pass(1);
    // Overtaken: it is not in a queue.
    expect((await rows(session))[2]).toMatchObject({ n: 3, findings: ['slow-script'] });
  });

  it('that are healthy are not looked at', async () => {
    const source = new FakeSource();
    let asked = 0;
    const session = recordingSession({
      source,
      protocol: protocols.fastcgi,
      clock: () => source.now,
      diagnose: () => {
        asked += 1;
        return [];
      },
    });
    sessions.push(session);
    await session.start();
    source.bytes(source.connect(), 'client', request({ path: '/a.php' }));
    await rows(session);
    expect(asked).toBe(0);
    source.now += 6 * MICROSECONDS_PER_SECOND;
    for (let i = 0; i < 5; i++) await rows(session);
    expect(asked).toBe(1);
  });
});
