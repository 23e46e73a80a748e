import { createHash, randomBytes } from 'node:crypto';
import net from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import {
  backend,
  hear,
  options,
  proxied,
  type Running,
  seen,
  sockets,
  somewhere,
  undoAll,
  until,
} from '../support/proxied.js';

/** What went wrong once and must not again; each case is made to happen. */
afterEach(undoAll);

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

describe('relay: bytes under way', () => {
  // TCP's buffers take some megabytes before a write has to wait.
  it.each([
    ['unix', 4, 1],
    ['tcp', 24, 4],
  ] as const)('outlive garbage collections while the peer reads late (%s)', async (kind, megabytes, every) => {
    const collect = garbageCollector();
    const junk: Uint8Array[] = [];
    let got: Promise<string> | undefined;
    const upstream = await backend(somewhere(kind), (socket) => {
      got = (async () => {
        const hash = createHash('sha256');
        let chunks = 0;
        for await (const chunk of socket) {
          hash.update(chunk);
          if (chunks++ % every !== 0) continue;
          // The kernel takes no more than it has just given, so a write is under way: now whatever nobody holds goes, and what
          // comes next takes its memory.
          await turn();
          collect();
          junk.length = 0;
          for (let i = 0; i < 20; i++) junk.push(new Uint8Array(64 * 1024).fill(0xaa));
        }
        return hash.digest('hex');
      })();
    });
    const running = await proxied(somewhere(kind), upstream);
    const upload = randomBytes(megabytes * 1024 * 1024);
    const socket = running.connect();
    socket.end(upload);
    await until(() => got !== undefined);
    expect(await got).toBe(sha256(upload));
  });
});

describe('relay: a reset that comes with the last bytes', () => {
  it('reaches the web server as a reset, behind the bytes, each time', async () => {
    let server: net.Socket | undefined;
    const upstream = await backend(somewhere('tcp'), (socket) => {
      server = socket.pause();
    });
    const running = await proxied(somewhere('tcp'), upstream);
    const request = Buffer.alloc(200 * 1024);
    const heard: { bytes: string; how: string }[] = [];
    const stories: string[][] = [];
    for (let connection = 1; connection <= 100; connection++) {
      server = undefined;
      const socket = running.connect();
      const answer = hear(socket);
      socket.on('end', () => socket.end());
      socket.write(request);
      await until(() => server !== undefined && seen(running, 'client', connection).length === request.length);
      // Most of the request lies unread in the kernel, which sends a reset right behind what is written here.
      server!.write('half an answer');
      server!.destroy();
      const { bytes, how } = await answer;
      heard.push({ bytes: bytes.toString(), how });
      stories.push(await running.story(connection));
      running.events.length = 0;
    }
    for (const each of heard) expect(each).toEqual({ bytes: 'half an answer', how: 'ECONNRESET' });
    for (const each of stories) expect(each).toEqual(['open', 'server reset', 'closed']);
  });
});

describe('relay: a write that fails at once', () => {
  it('hides no bytes: the tap hears of them before the end that they met', async () => {
    let server: net.Socket | undefined;
    const upstream = await backend(somewhere('tcp'), (socket) => {
      server = socket;
      socket.resume();
    });
    const running = await proxied(somewhere('tcp'), upstream);
    const socket = net.connect({ ...options(running.endpoint), allowHalfOpen: false } as net.NetConnectOpts);
    await new Promise((resolve) => socket.write('request', resolve));
    socket.destroy();
    await until(() => running.events.some((event) => event.kind === 'end'));
    // The web server has closed and been seen to: the first bytes get a reset from its kernel, and then writing fails.
    const sent = ['first ', 'second ', 'third'];
    for (const words of sent) {
      const before = seen(running, 'server').length;
      server!.write(words);
      await until(() => seen(running, 'server').length > before || closed(running));
      if (closed(running)) break;
      await turn();
    }
    await running.story();
    expect(seen(running, 'server').toString()).toBe('first second ');
    expect(kinds(running)).toEqual(['open', 'bytes', 'end', 'bytes', 'bytes', 'end', 'closed']);
  });
});

describe('relay: the end of a stop', () => {
  it('leaves no descriptor of peers that do not read', async () => {
    const peers = new Set<net.Socket>();
    const upstream = await backend(somewhere('tcp'), (socket) => {
      peers.add(socket.pause());
      socket.write(Buffer.alloc(16 * 1024 * 1024));
    });
    const before = sockets();
    const running = await proxied(somewhere('tcp'), upstream);
    const clients = Array.from({ length: 20 }, () => running.connect().pause());
    for (const client of clients) {
      client.on('error', () => {});
      client.write(Buffer.alloc(16 * 1024 * 1024));
    }
    await until(() => peers.size === clients.length);
    // Both directions of all connections stand still.
    for (let seen = -1; seen !== running.events.length; await new Promise((resolve) => setTimeout(resolve, 100)))
      seen = running.events.length;
    await running.proxy.stop(10);
    for (const socket of [...clients, ...peers]) socket.destroy();
    await until(() => sockets() <= before);
  });
});

const kinds = (running: Running): string[] => running.events.map((event) => event.kind);
const closed = (running: Running): boolean => kinds(running).includes('closed');
