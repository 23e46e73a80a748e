import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { DebuggingProxy } from '../../src/capture/proxy.js';
import type { Endpoint } from '../../src/model/connection.js';
import {
  backend,
  directory,
  hear,
  type Kind,
  options,
  proxied,
  seen,
  sockets,
  somewhere,
  undo,
  undoAll,
  until,
} from '../support/proxied.js';

afterEach(undoAll);

describe('proxy: bytes', () => {
  const kinds: Kind[] = ['tcp', 'tcp6', 'unix', 'abstract'];
  it.each(kinds.flatMap((a) => kinds.map((b) => [a, b] as const)))(
    'passes %s → %s verbatim, with half-close',
    async (a, b) => {
      const got: Promise<{ bytes: Buffer; how: string }>[] = [];
      const upstream = await backend(somewhere(b), (socket) => {
        const heard = hear(socket);
        got.push(heard);
        // Answers only after the other side's FIN: a relay that does not keep half-open connections loses this.
        void heard.then(() => socket.end('the answer'));
      });
      const running = await proxied(somewhere(a), upstream);
      const socket = running.connect();
      const answer = hear(socket);
      socket.end('the request');
      expect(await answer).toEqual({ bytes: Buffer.from('the answer'), how: 'end' });
      expect(await got[0]).toEqual({ bytes: Buffer.from('the request'), how: 'end' });
      expect(await running.story()).toEqual(['open', 'client fin', 'server fin', 'closed']);
      expect(seen(running, 'client').toString()).toBe('the request');
      expect(seen(running, 'server').toString()).toBe('the answer');
    },
  );

  it('output equals input for any bytes in any chunks, both ways at once', async () => {
    const plans: { chunks: Uint8Array[]; got: Promise<{ bytes: Buffer; how: string }> }[] = [];
    let plan: Uint8Array[] = [];
    const upstream = await backend(somewhere('tcp'), (socket) => {
      plans.push({ chunks: plan, got: hear(socket) });
      for (const chunk of plan) socket.write(chunk);
      socket.end();
    });
    const running = await proxied(somewhere('tcp'), upstream);
    const side = fc.array(fc.uint8Array({ minLength: 1, maxLength: 70_000, size: 'max' }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(side, side, async (up, down) => {
        plan = down;
        const socket = running.connect();
        const answer = hear(socket);
        for (const chunk of up) socket.write(chunk);
        socket.end();
        expect((await answer).bytes.equals(Buffer.concat(down))).toBe(true);
        const there = plans.at(-1)!;
        expect((await there.got).bytes.equals(Buffer.concat(up))).toBe(true);
        const connection = plans.length;
        await running.story(connection);
        expect(seen(running, 'client', connection).equals(Buffer.concat(up))).toBe(true);
        expect(seen(running, 'server', connection).equals(Buffer.concat(down))).toBe(true);
        running.events.length = 0;
        running.events.push({ kind: 'closed', connection, at: 0 });
      }),
      { numRuns: 60 },
    );
  });

  it('keeps back-pressure: a reader that stops, stops the writer, and loses nothing', async () => {
    const total = 64 * 1024 * 1024;
    let written = 0;
    const upstream = await backend(somewhere('tcp'), (socket) => {
      const chunk = Buffer.alloc(1024 * 1024, 'x');
      const pump = (): void => {
        while (written < total) {
          written += chunk.length;
          if (!socket.write(chunk)) return void socket.once('drain', pump);
        }
        socket.end();
      };
      pump();
    });
    const running = await proxied(somewhere('tcp'), upstream);
    const socket = running.connect();
    socket.pause();
    await until(() => written > 1024 * 1024);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const stuck = written;
    expect(stuck).toBeLessThan(total / 2);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(written).toBe(stuck);
    let read = 0;
    socket.on('data', (chunk) => {
      read += chunk.length;
    });
    socket.resume();
    await new Promise((resolve) => socket.on('end', resolve));
    expect(read).toBe(total);
  });

  it('goes on when the tap throws, and says so once', async () => {
    const upstream = await backend(somewhere('tcp'), (socket) => socket.pipe(socket));
    const complaints: string[] = [];
    const proxy = new DebuggingProxy(
      [{ listen: somewhere('tcp'), upstream }],
      () => 0,
      (text) => complaints.push(text),
    );
    await proxy.start(() => {
      throw new Error('a bug of ours');
    });
    undo.push(() => proxy.stop(0));
    const socket = net.connect(options(proxy.endpoints[0]!));
    const answer = hear(socket);
    socket.end('to and fro');
    expect((await answer).bytes.toString()).toBe('to and fro');
    await until(() => complaints.length > 0);
    expect(complaints).toEqual(['connection 1 goes on unrecorded: a bug of ours']);
  });
});

describe('proxy: ends', () => {
  it('passes the reset of a backend on, after the bytes that came before it', async () => {
    const upstream = await backend(somewhere('tcp'), (socket) => {
      socket.once('data', () => socket.write('half an ans', () => setTimeout(() => socket.resetAndDestroy(), 20)));
    });
    const running = await proxied(somewhere('tcp'), upstream);
    const socket = running.connect();
    socket.write('request');
    expect(await hear(socket)).toEqual({ bytes: Buffer.from('half an ans'), how: 'ECONNRESET' });
    expect(await running.story()).toEqual(['open', 'server reset', 'closed']);
  });

  it('passes the reset of a web server on', async () => {
    let heard: Promise<{ bytes: Buffer; how: string }> | undefined;
    const upstream = await backend(somewhere('tcp'), (socket) => {
      heard = hear(socket);
    });
    const running = await proxied(somewhere('tcp'), upstream);
    const socket = running.connect();
    socket.write('request');
    await until(() => heard !== undefined && seen(running, 'client').length > 0);
    socket.resetAndDestroy();
    expect(await heard).toEqual({ bytes: Buffer.from('request'), how: 'ECONNRESET' });
    expect(await running.story()).toEqual(['open', 'client reset', 'closed']);
  });

  it('sees that a web server which closed early did not take the answer', async () => {
    const upstream = await backend(somewhere('tcp'), (socket) => {
      socket.on('end', () => socket.end('too late'));
      socket.resume();
    });
    const running = await proxied(somewhere('tcp'), upstream);
    const socket = net.connect({ ...options(running.endpoint), allowHalfOpen: false } as net.NetConnectOpts);
    socket.write('request', () => socket.destroy());
    expect(await running.story()).toEqual(['open', 'client fin', 'server fin', 'client reset', 'closed']);
  });

  it('delivers an answer given before the whole upload was read', async () => {
    const upstream = await backend(somewhere('tcp'), (socket) => {
      // Answers and closes with most of the upload unread: the kernel sends a reset behind the answer.
      socket.once('data', () => {
        socket.pause();
        socket.write('413 too much', () => socket.destroy());
      });
    });
    const running = await proxied(somewhere('tcp'), upstream);
    const socket = running.connect();
    const answer = hear(socket);
    socket.write(Buffer.alloc(8 * 1024 * 1024, 'x'));
    await answer;
    expect((await running.story()).filter((each) => each.startsWith('server'))).toEqual(['server reset']);
    expect(seen(running, 'server').toString()).toBe('413 too much');
  });

  it('tells a person when a Unix socket could not carry the reset', async () => {
    const upstream = await backend(somewhere('unix'), (socket) => socket.resume());
    const running = await proxied(somewhere('tcp'), upstream);
    const socket = running.connect();
    socket.write('request');
    await until(() => seen(running, 'client').length > 0);
    socket.resetAndDestroy();
    expect(await running.story()).toEqual(['open', 'client reset', 'note', 'closed']);
  });
});

describe('proxy: descriptors', () => {
  it('leaves none behind, whoever ends first and however', async () => {
    // A handle that is asked for a reset while its shutdown is under way refuses, and stays open for ever if nobody minds.
    const upstream = await backend(somewhere('tcp'), (socket) => {
      socket.on('data', (data) => {
        if (data[0] === 0) socket.end('answer');
        if (data[0] === 1) socket.resetAndDestroy();
        if (data[0] === 2) socket.write('answer', () => socket.resetAndDestroy());
      });
      socket.on('end', () => socket.end('late'));
    });
    const running = await proxied(somewhere('tcp'), upstream);
    const before = sockets();
    const ways: ((socket: net.Socket, kind: number) => void)[] = [
      (socket, kind) => socket.end(Buffer.from([kind])),
      (socket, kind) => socket.write(Buffer.from([kind]), () => socket.destroy()),
      (socket, kind) => socket.write(Buffer.from([kind]), () => socket.resetAndDestroy()),
      (socket, kind) => {
        socket.end(Buffer.from([kind]));
        setImmediate(() => socket.resetAndDestroy());
      },
    ];
    let connections = 0;
    for (let round = 0; round < 20; round++)
      for (const way of ways)
        for (const kind of [0, 1, 2, 3]) {
          const socket = running.connect();
          connections += 1;
          socket.on('error', () => {});
          socket.resume();
          socket.once('connect', () => way(socket, kind));
          await new Promise((resolve) => socket.once('close', resolve));
        }
    await until(() => running.events.filter((event) => event.kind === 'closed').length === connections);
    await until(() => sockets() <= before);
  });
});

describe('proxy: no backend', () => {
  const refusals: [string, () => Promise<Endpoint>, string][] = [
    [
      'refused',
      async () => {
        const server = net.createServer();
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        const { port } = server.address() as net.AddressInfo;
        await new Promise((resolve) => server.close(resolve));
        return { kind: 'tcp', host: '127.0.0.1', port };
      },
      'ECONNREFUSED',
    ],
    ['missing', async () => ({ kind: 'unix', path: join(directory(), 'absent') }), 'ENOENT'],
    ['unreachable', async () => ({ kind: 'tcp', host: 'name.invalid', port: 9000 }), 'E'],
  ];
  it.each(refusals)('%s: resets the web server and keeps the request and the reason', async (reason, make, errno) => {
    const running = await proxied(somewhere('tcp'), await make());
    const socket = running.connect();
    socket.write('the request that failed');
    expect((await hear(socket)).how).toBe('ECONNRESET');
    expect(await running.story()).toEqual(['open', `failed ${reason}`, 'closed']);
    expect(seen(running, 'client').toString()).toBe('the request that failed');
    const failed = running.events.find((event) => event.kind === 'failed');
    expect(failed?.kind === 'failed' && failed.failure.errno).toContain(errno);
  });

  it('resets a Unix web server too', async () => {
    const running = await proxied(somewhere('unix'), { kind: 'unix', path: join(directory(), 'absent') });
    const socket = running.connect();
    socket.write('request');
    expect((await hear(socket)).how).toBe('ECONNRESET');
    expect(await running.story()).toEqual(['open', 'failed missing', 'closed']);
  });
});

describe('proxy: socket files', () => {
  it('takes the place of a dead socket and removes its own at the end', async () => {
    const endpoint = somewhere('unix') as Endpoint & { kind: 'unix' };
    const upstream = await backend(somewhere('tcp'), (socket) => socket.pipe(socket));
    // A socket file that nobody listens on: what a killed program leaves behind.
    const program = `require('net').createServer().listen(${JSON.stringify(endpoint.path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', program]);
    expect(statSync(endpoint.path).isSocket()).toBe(true);
    const running = await proxied(endpoint, upstream);
    const socket = running.connect();
    const answer = hear(socket);
    socket.end('through');
    expect((await answer).bytes.toString()).toBe('through');
    await running.proxy.stop(0);
    expect(existsSync(endpoint.path)).toBe(false);
  });

  it('lets in whom the upstream lets in', async () => {
    const upstream = await backend(somewhere('unix'), () => {});
    chmodSync((upstream as { path: string }).path, 0o660);
    const running = await proxied(somewhere('unix'), upstream);
    expect(statSync((running.endpoint as { path: string }).path).mode & 0o777).toBe(0o660);
  });

  it('leaves a live socket and a foreign file alone', async () => {
    const live = somewhere('unix');
    await backend(live, () => {});
    await expect(proxied(live, somewhere('tcp'))).rejects.toMatchObject({
      code: 'address-in-use',
      message: expect.stringContaining('somebody listens'),
    });
    const path = join(directory(), 'notes.txt');
    writeFileSync(path, 'mine');
    await expect(proxied({ kind: 'unix', path }, somewhere('tcp'))).rejects.toMatchObject({
      code: 'address-in-use',
      message: expect.stringContaining('not a socket'),
    });
    expect(statSync(path).isFile()).toBe(true);
  });
});

describe('proxy: stopping', () => {
  it('accepts nothing more, ends kept connections that are idle, waits for the busy one', async () => {
    const upstream = await backend(somewhere('tcp'), (socket) => {
      socket.on('data', (data) => {
        if (data.toString() === 'slow') setTimeout(() => socket.end('done'), 150);
      });
    });
    const running = await proxied(somewhere('tcp'), upstream);
    const kept = running.connect();
    kept.write('kept');
    const busy = running.connect();
    busy.write('slow');
    const answer = hear(busy);
    busy.on('end', () => busy.end());
    await until(() => running.events.filter((event) => event.kind === 'bytes').length === 2);
    const keptId = running.events.find(
      (event) => event.kind === 'bytes' && Buffer.from(event.bytes).toString() === 'kept',
    )!.connection;
    const stopped = running.proxy.stop(5_000, (connection) => connection === keptId);
    expect((await answer).bytes.toString()).toBe('done');
    await stopped;
    expect(await running.story(keptId)).toEqual(['open', 'client capture-end', 'server capture-end', 'closed']);
    const late = net.connect(options(running.endpoint));
    expect((await hear(late)).how).toBe('ECONNREFUSED');
  });

  it('delivers a decoded answer to the last byte to a web server that reads late', async () => {
    const written: number[] = [];
    const upstream = await backend(somewhere('unix'), (socket) => {
      socket.once('data', () => {
        // Grows until the relay has bytes that the web server's kernel does not take, and ends there.
        const more = (): void => {
          written.push(4096);
          socket.write(Buffer.alloc(4096, written.length % 251));
          if (written.length < 2_000 && socket.writableLength === 0) setImmediate(more);
        };
        more();
      });
    });
    const running = await proxied(somewhere('unix'), upstream);
    const socket = running.connect();
    socket.pause();
    socket.write('request');
    for (let before = -1; before !== written.length; ) {
      before = written.length;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const stopped = running.proxy.stop(5_000, () => true);
    await new Promise((resolve) => setTimeout(resolve, 60));
    const { bytes, how } = await hear(socket.resume());
    await stopped;
    expect(how).toBe('end');
    // All that was read from the backend, and so told, has arrived.
    expect(bytes.equals(seen(running, 'server'))).toBe(true);
    expect(bytes.length).toBeGreaterThan(64 * 1024);
  });

  it('does not take a connection whose request is in flight for an unused one', async () => {
    const upstream = await backend(somewhere('tcp'), (socket) => {
      socket.once('data', () => socket.end('answer'));
    });
    const running = await proxied(somewhere('tcp'), upstream);
    const socket = running.connect();
    const heard = hear(socket);
    await until(() => running.events.some((event) => event.kind === 'open'));
    const stopped = running.proxy.stop(5_000, () => seen(running, 'client').length === 0);
    setTimeout(() => socket.end('request'), 40);
    expect(await heard).toEqual({ bytes: Buffer.from('answer'), how: 'end' });
    await stopped;
  });

  it('ends a connection that stays unused soon', async () => {
    const upstream = await backend(somewhere('tcp'), () => {});
    const running = await proxied(somewhere('unix'), upstream);
    const heard = hear(running.connect());
    await until(() => running.events.some((event) => event.kind === 'open'));
    await running.proxy.stop(60_000, () => true);
    expect((await heard).how).toBe('end');
  });

  it('cuts what is still open when the grace is over', async () => {
    const upstream = await backend(somewhere('tcp'), () => {});
    const running = await proxied(somewhere('tcp'), upstream);
    const socket = running.connect();
    const heard = hear(socket);
    socket.write('never answered');
    await until(() => seen(running, 'client').length > 0);
    await running.proxy.stop(30);
    expect((await heard).how).toBe('ECONNRESET');
    expect(await running.story()).toEqual(['open', 'client capture-end', 'server capture-end', 'closed']);
  });
});
