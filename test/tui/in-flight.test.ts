import { afterEach, describe, expect, it } from 'vitest';
import { diagnose } from '../../src/diagnosis/diagnose.js';
import { MICROSECONDS_PER_SECOND } from '../../src/model/time.js';
import { protocols } from '../../src/protocol/index.js';
import { recordingSession } from '../../src/session/recording-session.js';
import type { Session } from '../../src/session/session.js';
import { answer, FakeSource, request } from '../support/fake-source.js';
import { VirtualTui } from './virtual-tui.js';

let session: Session;
let tui: VirtualTui;
afterEach(async () => {
  await tui.close();
  await session.close();
});

async function start(columns: number): Promise<FakeSource> {
  const source = new FakeSource();
  session = recordingSession({ source, protocol: protocols.fastcgi, clock: () => source.now, diagnose });
  await session.start();
  tui = new VirtualTui(session, {}, { columns, rows: 30 });
  return source;
}

describe('an open request on the screen', () => {
  it('says in the list what it waits for, and since when', async () => {
    const source = await start(160);
    const id = source.connect();
    source.bytes(id, 'client', request({ path: '/slow.php' }));
    await tui.until('/slow.php');
    source.now += 3 * MICROSECONDS_PER_SECOND;
    expect(await tui.until('first STDOUT 3 s')).not.toContain('slow-script');
    source.now += 9 * MICROSECONDS_PER_SECOND;
    await tui.until('slow-script: first STDOUT 12 s');
    source.bytes(id, 'server', answer());
    const text = await tui.until('slow-script ');
    expect(text).not.toContain('first STDOUT');
  });

  it('says what was found where there is no room for more', async () => {
    const source = await start(100);
    source.bytes(source.connect(), 'client', request({ path: '/slow.php' }));
    source.now += 9 * MICROSECONDS_PER_SECOND;
    expect(await tui.until('slow-script')).not.toContain('first STDOUT');
  });

  it('is told of on the tabs Timeline and Diagnosis, as time goes on', async () => {
    const source = await start(120);
    source.bytes(source.connect(), 'client', request({ path: '/slow.php' }));
    source.now += 12 * MICROSECONDS_PER_SECOND;
    await tui.until('/slow.php');
    await tui.see('\r', '… waiting for the backend’s first STDOUT, 12 s');
    const text = await tui.see('7', 'The request is still open: waiting for the backend’s first STDOUT, 12 s.');
    expect(text).toContain('The backend takes too long to its first byte');
    source.now += 21 * MICROSECONDS_PER_SECOND;
    await tui.until('first STDOUT, 33 s.');
    await tui.until('WARNING');
  });
});
