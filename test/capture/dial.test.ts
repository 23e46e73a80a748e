import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { dial } from '../../src/capture/dial.js';
import type { StreamHandle } from '../../src/capture/stream-handle.js';
import type { ConnectFailure, Endpoint } from '../../src/model/connection.js';
import { backend, directory, undo, undoAll } from '../support/proxied.js';

afterEach(undoAll);

const connect = async (endpoint: Endpoint): Promise<string> => {
  const result = await new Promise<StreamHandle | ConnectFailure>((resolve) => void dial(endpoint, resolve));
  if ('reason' in result) return result.message;
  result.close();
  return 'connected';
};

/** Takes all threads of libuv's pool, as a disk that hangs does. */
function blockThreads(): void {
  const fifo = join(directory(), 'fifo');
  execFileSync('mkfifo', [fifo]);
  const opening = Array.from({ length: Number(process.env.UV_THREADPOOL_SIZE ?? 4) }, () => open(fifo, 'r'));
  undo.push(async () => {
    const writer = openSync(fifo, constants.O_RDWR);
    for (const each of await Promise.all(opening)) await each.close();
    closeSync(writer);
  });
}

describe('dial', () => {
  it('reaches a name that it has reached before while lookups do not answer', async () => {
    const { port } = (await backend({ kind: 'tcp', host: '127.0.0.1', port: 0 }, () => {})) as { port: number };
    const named: Endpoint = { kind: 'tcp', host: 'localhost', port };
    expect(await connect(named)).toBe('connected');
    blockThreads();
    expect(await Promise.all([connect(named), connect(named), connect(named)])).toEqual(Array(3).fill('connected'));
    expect(await connect(named)).toBe('connected');
  });
});
