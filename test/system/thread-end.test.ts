import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import type { Recording } from '../../src/cli/recording.js';
import type { Endpoint } from '../../src/model/connection.js';
import { dice } from '../support/conversation.js';
import { backend, directory, options, sockets, somewhere, undo, undoAll, until } from '../support/proxied.js';

/**
 * The relay's thread must end when it is told to, whatever its connections are about: Node's clean-up of a thread waits for every handle
 * and request, and would wait for ever for one that was lost.
 */
const built = new URL('../../dist/cli/recording.js', import.meta.url).href;
const { startRecording } = (await import(built)) as typeof import('../../src/cli/recording.js');

const PROXIES = 30;
const CUT_OFF = 4;
/** Long on any machine; what takes longer spins. */
const ENDS = 15_000;

afterEach(undoAll);

it('ends under any load, at once or after a stop without grace, and leaves no descriptor', async () => {
  const temporary = process.env.TMPDIR;
  undo.push(() => {
    if (temporary === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = temporary;
  });
  process.env.TMPDIR = directory();
  const peers = new Set<net.Socket>();
  const serve = (seed: number) => {
    const behave = anything(seed);
    return (socket: net.Socket) => {
      peers.add(socket);
      behave(socket);
    };
  };
  const upstreams = [await backend(somewhere('tcp'), serve(1)), await backend(somewhere('unix'), serve(2))];
  const before = sockets();
  for (let i = 0; i < PROXIES; i++) {
    const upstream = upstreams[i % 2]!;
    const listen = somewhere(i % 3 === 0 ? 'unix' : 'tcp');
    const recording = await startRecording({
      kind: 'proxy',
      routes: [{ listen, upstream }],
      logs: [],
      maxRequests: null,
      maxSpool: null,
    });
    const stopLoad = load(recording.endpoints[0]!, i);
    await delay(60 + 5 * i);
    if (i % 3 === 1) await recording.inspection.stop(0);
    if (i % 3 === 2) await recording.inspection.close();
    expect(await ended(recording), `proxy ${i}`).toBe(true);
    stopLoad();
  }
  // Some keep their end until they are told.
  for (const peer of peers) peer.destroy();
  // A thread that is cut off in the middle of an accept may leave the socket that it was being handed. What is lost otherwise is lost for
  // each of the hundreds of connections.
  await until(() => sockets() <= before + CUT_OFF);
}, 120_000);

async function ended(recording: Recording): Promise<boolean> {
  const abort = new AbortController();
  const late = delay(ENDS, false, { signal: abort.signal }).catch(() => false);
  const result = await Promise.race([recording.end().then(() => true), late]);
  abort.abort();
  return result;
}

/** A peer that does anything but what is expected of it: does not read, ends in any way at any time, answers with megabytes. */
function anything(seed: number): (socket: net.Socket) => void {
  const roll = dice(seed);
  return (socket) => {
    socket.on('error', () => {});
    const reads = roll(3);
    if (reads === 0) socket.pause();
    else socket.resume();
    if (roll(2) === 0) socket.write(Buffer.alloc(roll(4_000_000)));
    const ways = [
      () => socket.end(),
      () => socket.end(Buffer.alloc(roll(100_000))),
      () => socket.destroy(),
      () => (socket.remoteFamily === undefined ? socket.destroy() : socket.resetAndDestroy()),
      () => socket.write(Buffer.alloc(roll(1_000_000))),
      () => {},
    ];
    const act = (): void => {
      if (!socket.destroyed) ways[roll(ways.length)]!();
    };
    setTimeout(act, roll(40));
    setTimeout(act, roll(200));
  };
}

/** Connections, some dozens at once, for as long as the proxy takes them. */
function load(endpoint: Endpoint, seed: number): () => void {
  const behave = anything(100 + seed);
  const open = new Set<net.Socket>();
  const timer = setInterval(() => {
    if (open.size > 60) return;
    const socket = net.connect(options(endpoint));
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    behave(socket);
  }, 2);
  return () => {
    clearInterval(timer);
    for (const socket of open) socket.destroy();
  };
}
