import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DebuggingProxy } from '../../src/capture/proxy.js';
import type { Endpoint } from '../../src/model/connection.js';
import type { ConnectionEvent } from '../../src/model/connection-event.js';

/** The proxy in the test's own thread, with a backend and web servers made of net.Sockets, and all that it tells its sink. */

/** Every test's leftovers, undone in reverse by `undoAll`, which is for afterEach. */
export const undo: (() => unknown)[] = [];
export async function undoAll(): Promise<void> {
  for (const step of undo.splice(0).reverse()) await step();
}

export const directory = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'fcgi-inspect-test-'));
  undo.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
};

export type Kind = 'tcp' | 'tcp6' | 'unix' | 'abstract';
let names = 0;
export function somewhere(kind: Kind): Endpoint {
  switch (kind) {
    case 'tcp':
      return { kind: 'tcp', host: '127.0.0.1', port: 0 };
    case 'tcp6':
      return { kind: 'tcp', host: '::1', port: 0 };
    case 'unix':
      return { kind: 'unix', path: join(directory(), 'socket') };
    case 'abstract':
      return { kind: 'unix', path: `@fcgi-inspect-test-${process.pid}-${++names}` };
  }
}

export const options = (endpoint: Endpoint): net.NetConnectOpts =>
  endpoint.kind === 'tcp'
    ? { host: endpoint.host, port: endpoint.port, allowHalfOpen: true }
    : { path: endpoint.path.replace(/^@/, '\0'), allowHalfOpen: true };

export async function backend(endpoint: Endpoint, serve: (socket: net.Socket) => void): Promise<Endpoint> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => {
    if (endpoint.kind === 'tcp') server.listen({ host: endpoint.host, port: endpoint.port }, resolve);
    else server.listen({ path: endpoint.path.replace(/^@/, '\0') }, resolve);
  });
  undo.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return endpoint.kind === 'tcp' ? { ...endpoint, port: (server.address() as net.AddressInfo).port } : endpoint;
}

export interface Running {
  readonly proxy: DebuggingProxy;
  readonly endpoint: Endpoint;
  readonly events: ConnectionEvent[];
  readonly complaints: string[];
  connect(): net.Socket;
  /** The events of a connection without its bytes, in words, once the proxy has let go of it. */
  story(connection?: number): Promise<string[]>;
}

export async function proxied(listen: Endpoint, upstream: Endpoint): Promise<Running> {
  const events: ConnectionEvent[] = [];
  const complaints: string[] = [];
  const proxy = new DebuggingProxy(
    [{ listen, upstream }],
    () => (performance.timeOrigin + performance.now()) * 1000,
    (text) => complaints.push(text),
  );
  await proxy.start((event) => {
    events.push(event.kind === 'bytes' ? { ...event, bytes: event.bytes.slice() } : event);
  });
  undo.push(() => proxy.stop(0));
  const endpoint = proxy.endpoints[0]!;
  return {
    proxy,
    endpoint,
    events,
    complaints,
    connect() {
      const socket = net.connect(options(endpoint));
      undo.push(() => socket.destroy());
      return socket;
    },
    async story(connection = 1) {
      await until(() => events.some((event) => event.kind === 'closed' && event.connection === connection));
      return events
        .filter((event) => event.connection === connection && event.kind !== 'bytes')
        .map((event) =>
          event.kind === 'end'
            ? `${event.side} ${event.how}`
            : event.kind === 'failed'
              ? `failed ${event.failure.reason}`
              : event.kind,
        );
    },
  };
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Everything a socket says until its end, and how that was. */
export function hear(socket: net.Socket): Promise<{ bytes: Buffer; how: string }> {
  const chunks: Buffer[] = [];
  return new Promise((resolve) => {
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => resolve({ bytes: Buffer.concat(chunks), how: 'end' }));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ bytes: Buffer.concat(chunks), how: error.code ?? '' }),
    );
  });
}

export const seen = (running: Running, side: 'client' | 'server', connection = 1): Buffer =>
  Buffer.concat(
    running.events.flatMap((event) =>
      event.kind === 'bytes' && event.side === side && event.connection === connection ? [event.bytes] : [],
    ),
  );

/** How many sockets this process has open. */
export function sockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}
