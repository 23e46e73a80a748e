import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { FcgiInspectError } from '../../src/model/errors.js';
import type { Inspection, Overview } from '../../src/model/inspection.js';
import { RemoteInspection, serve } from '../../src/session/remote.js';

const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

/** The parts of an Inspection that a test is about; asking anything else fails. */
function remote(parts: Partial<Inspection>): RemoteInspection {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  serve(port2, { onChange: () => () => undefined, ...parts } as Inspection);
  return new RemoteInspection(port1);
}

describe('RemoteInspection', () => {
  it('gives each question its own answer, whatever the order', async () => {
    const slow: (() => void)[] = [];
    const inspection = remote({
      exchange: (n) => new Promise((resolve) => slow.push(() => resolve({ n } as never))),
    });
    const answers = [inspection.exchange(1), inspection.exchange(2), inspection.exchange(3)];
    while (slow.length < 3) await new Promise(setImmediate);
    for (const answer of slow.reverse()) answer();
    expect(await Promise.all(answers)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  it('passes arguments and bytes', async () => {
    const inspection = remote({
      body: async (n, stream, from, length) => ({
        bytes: Uint8Array.of(n, stream.length, from, length),
        from,
        gaps: [[1, 2]],
        total: 9,
      }),
    });
    expect(await inspection.body(4, 'stdout', 5, 6)).toEqual({
      bytes: Uint8Array.of(4, 6, 5, 6),
      from: 5,
      gaps: [[1, 2]],
      total: 9,
    });
  });

  it('keeps what an error says', async () => {
    const inspection = remote({
      rows: async () => {
        throw new FcgiInspectError('bad-filter', 'the filter is wrong', 'mend it');
      },
      overview: async () => {
        throw new RangeError('we are wrong');
      },
    });
    const error = await inspection.rows({} as never).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FcgiInspectError);
    expect(error).toMatchObject({ code: 'bad-filter', message: 'the filter is wrong', advice: 'mend it' });
    await expect(inspection.overview()).rejects.toThrow('we are wrong');
  });

  it('tells of changes and lets a listener go', async () => {
    let tell: () => void = () => undefined;
    const inspection = remote({
      onChange: (listener) => {
        tell = listener;
        return () => undefined;
      },
      overview: async () => ({}) as Overview,
    });
    let told = 0;
    const release = inspection.onChange(() => {
      told += 1;
    });
    tell();
    await inspection.overview();
    expect(told).toBe(1);
    release();
    tell();
    await inspection.overview();
    expect(told).toBe(1);
  });

  it('rejects pending and later questions when the other thread dies', async () => {
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker("require('node:worker_threads').workerData.on('message', () => process.exit(1))", {
      eval: true,
      workerData: port2,
      transferList: [port2],
    });
    const inspection = new RemoteInspection(port1);
    await expect(inspection.overview()).rejects.toThrow("the relay's thread has ended");
    await expect(inspection.exchange(1)).rejects.toThrow("the relay's thread has ended");
    await worker.terminate();
  });

  it('closes both ends, and says so afterwards', async () => {
    let closed = 0;
    const inspection = remote({
      close: async () => {
        closed += 1;
      },
    });
    await inspection.close();
    expect(closed).toBe(1);
    await expect(inspection.overview()).rejects.toThrow('the session is closed');
  });
});
