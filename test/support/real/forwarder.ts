import { connect, createServer, type NetConnectOpts, type Socket } from 'node:net';
import type { Endpoint } from '../../../src/model/connection.js';

/** A plain pipe from one address to another, half-close kept; nothing is looked at. For paths that must lead over a certain socket. */
export class Forwarder {
  private constructor(
    private readonly close: () => Promise<void>,
    readonly address: Endpoint,
  ) {}

  static async start(from: Endpoint, to: Endpoint): Promise<Forwarder> {
    const open = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (incoming) => {
      const outgoing = connect({ ...optionsOf(to), allowHalfOpen: true });
      for (const [socket, other] of [
        [incoming, outgoing],
        [outgoing, incoming],
      ] as const) {
        open.add(socket);
        socket.pipe(other);
        socket.on('error', () => other.destroy());
        socket.on('close', () => open.delete(socket));
      }
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(optionsOf(from), resolve);
    });
    const close = () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      });
    return new Forwarder(close, from);
  }

  stop(): Promise<void> {
    return this.close();
  }
}

function optionsOf(address: Endpoint): NetConnectOpts {
  return address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
}
