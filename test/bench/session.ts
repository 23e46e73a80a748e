import type { ConnectionEvent } from '../../src/model/connection-event.js';
import { protocols } from '../../src/protocol/index.js';
import { recordingSession } from '../../src/session/recording-session.js';
import { answer, FakeSource, request, tcp } from '../support/fake-source.js';

/**
 * What a request costs the relay's thread: `npx tsx test/bench/session.ts`. A connection with a request of 25 params and a small answer,
 * through analyzer and session, and through the analyzer alone; the difference is the session's.
 */
const ROUNDS = 7;
const REQUESTS = 20_000;
const CLIENT = tcp(40_000);
const SERVER = tcp(9_000);
const AT = 1_789_000_000_000_000;
const sent = request({ more: 20, keep: false, path: '/index.php?id=1' });
const answered = answer({});

function events(connection: number): ConnectionEvent[] {
  const at = AT + connection * 1_000;
  return [
    { kind: 'open', connection, at, client: CLIENT, server: SERVER, midstream: false },
    { kind: 'bytes', connection, at, side: 'client', bytes: sent, origin: -1 },
    { kind: 'bytes', connection, at, side: 'server', bytes: answered, origin: -1 },
    { kind: 'end', connection, at, side: 'server', how: 'fin' },
    { kind: 'end', connection, at, side: 'client', how: 'fin' },
    { kind: 'closed', connection, at },
  ];
}

async function whole(reading: boolean): Promise<number> {
  const source = new FakeSource();
  const session = recordingSession({ source, protocol: protocols.fastcgi, clock: () => AT });
  await session.start();
  let cursor = 0;
  let spent = 0;
  for (let i = 1; i <= REQUESTS; ) {
    const batch = Array.from({ length: 100 }, (_, j) => events(i + j)).flat();
    const begin = performance.now();
    for (const event of batch) source.say(event);
    spent += performance.now() - begin;
    i += 100;
    await new Promise(setImmediate);
    if (reading) cursor = (await session.settled(cursor, 1_000)).cursor;
  }
  await session.close();
  return (spent * 1_000) / REQUESTS;
}

function alone(): number {
  let spent = 0;
  for (let i = 1; i <= REQUESTS; i += 100) {
    const batches = Array.from({ length: 100 }, (_, j) => events(i + j));
    const begin = performance.now();
    for (const batch of batches) {
      const analyzer = protocols.fastcgi.analyze({
        connection: 1,
        client: CLIENT,
        server: SERVER,
        at: AT,
        midstream: false,
        nextNumber: () => i,
        sink: () => undefined,
      });
      for (const event of batch) if (event.kind !== 'open') analyzer.push(event);
      analyzer.summary();
    }
    spent += performance.now() - begin;
  }
  return (spent * 1_000) / REQUESTS;
}

for (let round = 0; round < ROUNDS; round += 1) {
  const analyzer = alone();
  const session = await whole(false);
  const read = await whole(true);
  const line = [
    `analyzer ${analyzer.toFixed(1)} µs`,
    `with session ${session.toFixed(1)} µs`,
    `and a reader ${read.toFixed(1)} µs`,
  ];
  console.log(`${line.join(', ')} per request`);
}
