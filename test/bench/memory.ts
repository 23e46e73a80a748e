import { protocols } from '../../src/protocol/index.js';
import { recordingSession } from '../../src/session/recording-session.js';
import type { Session } from '../../src/session/session.js';
import { answer, FakeSource, request } from '../support/fake-source.js';

/**
 * What kept exchanges cost in memory: `node --expose-gc --import tsx test/bench/memory.ts`. Requests have 25 params with values of their
 * own, and go through decoder, tracker, index and spool. Exits 1 when a bound is broken.
 */
const MEGABYTE = 1024 * 1024;
const PARAMS = 25;
/** The spool keeps a few write buffers of 1 MB for reuse, more or fewer at any moment. */
const SPARE = 5;

declare const gc: () => void;

interface Run {
  readonly source: FakeSource;
  readonly session: Session;
}

async function start(maxRequests = 100_000, maxSpool = 1024 * MEGABYTE): Promise<Run> {
  const source = new FakeSource();
  const session = recordingSession({
    source,
    protocol: protocols.fastcgi,
    clock: () => source.now,
    maxRequests,
    maxSpool,
  });
  await session.start();
  return { source, session };
}

/** Requests to so many scripts with ever other queries, a connection for each or `perConnection` on one; the one numbered `failing` fails. */
async function drive(
  { source, session }: Run,
  from: number,
  to: number,
  perConnection = 1,
  failing = -1,
): Promise<void> {
  let connection = 0;
  for (let n = from; n < to; n += 1) {
    const options = {
      path: `/app/module-${n % 200}/index.php?id=${n}&session=${n * 7919}`,
      more: PARAMS - 5,
      ...(n === failing ? { stdout: 'Status: 500\r\n\r\n' } : {}),
    };
    if (perConnection === 1) source.roundTrip(options);
    else {
      if (connection === 0 || n % perConnection === 0) {
        if (connection > 0) source.close(connection);
        connection = source.connect();
      }
      source.bytes(connection, 'client', request(options));
      source.bytes(connection, 'server', answer(options));
    }
    if (n % 1_000 === 999) await settle(session);
  }
  if (perConnection > 1) source.close(connection);
}

/** Lets the spool write, so that what waits for the disk is not counted. */
async function settle(session: Session): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 5));
  if ((await session.overview()).spool.lost > 0) throw new Error('the disk is too slow for this measurement');
}

async function used(): Promise<number> {
  for (let i = 0; i < 4; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    gc();
  }
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / MEGABYTE;
}

let failed = false;

function report(what: string, megabytes: number, bound: number): void {
  const fits = megabytes <= bound;
  if (!fits) failed = true;
  console.log(`${fits ? 'ok  ' : 'FAIL'} ${what}: ${megabytes.toFixed(1)} MB (at most ${bound})`);
}

/** Functions of their own, so that what one holds is free before the next begins. */
async function warmUp(): Promise<void> {
  const run = await start();
  await drive(run, 0, 3_000);
  await run.session.close();
}

async function rows(what: string, perConnection: number): Promise<void> {
  const before = await used();
  const run = await start();
  await drive(run, 0, 100_000, perConnection);
  report(`100 000 exchanges with ${PARAMS} params, ${what}`, (await used()) - before, 100);
  await run.session.close();
}

async function soak(): Promise<void> {
  const run = await start(10_000, 256 * MEGABYTE);
  await drive(run, 0, 50_000);
  const middle = await used();
  await drive(run, 50_000, 200_000);
  report('10 000 kept of 200 000, beyond 10 000 kept of 50 000', (await used()) - middle, SPARE);
  await drive(run, 200_000, 300_000, 1_000_000);
  report('100 000 more on one connection, beyond that', (await used()) - middle, SPARE);
  // An early failure is kept for long: it must not keep what came after it.
  await drive(run, 300_000, 400_000, 1_000_000, 300_000);
  report('100 000 more on another whose first request failed, beyond that', (await used()) - middle, SPARE);
  await run.session.close();
}

async function bodies(): Promise<void> {
  const run = await start();
  const stdout = new Uint8Array(MEGABYTE).fill(120);
  const send = async (count: number) => {
    for (let i = 0; i < count; i += 1) {
      run.source.roundTrip({ stdout });
      // No faster than disks are.
      await settle(run.session);
      if (i % 8 === 7) await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  await send(50);
  const before = await used();
  await send(300);
  report('300 bodies of 1 MB', (await used()) - before, SPARE);
  await run.session.close();
}

await warmUp();
await rows('a connection each', 1);
await rows('50 on a connection', 50);
await soak();
await bodies();
process.exitCode = failed ? 1 : 0;
