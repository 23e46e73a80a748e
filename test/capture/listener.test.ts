import { existsSync, lstatSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/model/connection.js';
import { backend, directory, hear, options, proxied, somewhere, undoAll } from '../support/proxied.js';

afterEach(undoAll);

describe('listener: the end', () => {
  it('leaves a socket alone that took the path meanwhile', async () => {
    const endpoint = somewhere('unix') as Endpoint & { kind: 'unix' };
    const running = await proxied(endpoint, somewhere('tcp'));
    unlinkSync(endpoint.path);
    await backend(endpoint, (socket) => socket.end('another program'));
    const { ino } = lstatSync(endpoint.path);
    await running.proxy.stop(0);
    expect(lstatSync(endpoint.path).ino).toBe(ino);
    expect((await hear(net.connect(options(endpoint)).end())).bytes.toString()).toBe('another program');
    expect(readdirSync(dirname(endpoint.path))).toEqual(['socket']);
  });

  it('does not mind that the path is gone', async () => {
    const endpoint = somewhere('unix') as Endpoint & { kind: 'unix' };
    const running = await proxied(endpoint, somewhere('tcp'));
    unlinkSync(endpoint.path);
    await running.proxy.stop(0);
    expect(existsSync(endpoint.path)).toBe(false);
  });
});

describe('listener: the directory of a socket', () => {
  it('is named when it does not exist or is none', async () => {
    const path = directory();
    await expect(
      proxied({ kind: 'unix', path: join(path, 'absent', 'a.sock') }, somewhere('tcp')),
    ).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(`${join(path, 'absent')} does not exist`),
    });
    writeFileSync(join(path, 'file'), '');
    await expect(proxied({ kind: 'unix', path: join(path, 'file', 'a.sock') }, somewhere('tcp'))).rejects.toMatchObject(
      {
        code: 'not-found',
        message: expect.stringContaining('is not a directory'),
      },
    );
  });
});
