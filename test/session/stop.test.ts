import { describe, expect, it } from 'vitest';
import { protocols } from '../../src/protocol/index.js';
import { recordingSession } from '../../src/session/recording-session.js';
import { answer, FakeSource, request } from '../support/fake-source.js';

/** Which connections a stop may end at once. */
describe('Session.stop', () => {
  it('calls idle what is unused or stands between two requests, and nothing that is not whole or not FastCGI', async () => {
    const source = new FakeSource();
    const session = recordingSession({ source, protocol: protocols.fastcgi, clock: () => source.now });
    await session.start();
    const served = (): number => {
      const id = source.connect();
      source.bytes(id, 'client', request());
      source.bytes(id, 'server', answer());
      return id;
    };
    const unused = source.connect();
    const kept = served();
    const begun = source.connect();
    source.bytes(begun, 'client', request().subarray(0, 5));
    const next = served();
    source.bytes(next, 'client', request().subarray(0, 5));
    const outOfStep = served();
    source.bytes(outOfStep, 'server', new Uint8Array(100).fill(0xff));
    const foreign = source.connect();
    source.bytes(foreign, 'client', new TextEncoder().encode('GET / HTTP/1.0\r\n\r\n'));
    const foreignEnded = source.connect();
    source.bytes(foreignEnded, 'client', new TextEncoder().encode('GET / HTTP/1.0\r\n\r\n'));
    source.end(foreignEnded, 'client', 'fin');
    await session.stop(1_000);
    expect(source.stopped).toEqual({ grace: 1_000, idle: [unused, kept] });
    await session.close();
  });

  it('does not call a connection idle that is not decoded any more', async () => {
    const source = new FakeSource();
    const broken = {
      ...protocols.fastcgi,
      analyze: () => {
        throw new Error('a bug of ours');
      },
    };
    const session = recordingSession({ source, protocol: broken, clock: () => source.now });
    await session.start();
    source.connect();
    await session.stop(1_000);
    expect(source.stopped).toEqual({ grace: 1_000, idle: [] });
    await session.close();
  });
});
