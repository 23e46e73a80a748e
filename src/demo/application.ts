import { createServer, type Socket } from 'node:net';
import type { Endpoint } from '../model/connection.js';
import { ApplicationConnection } from './application-connection.js';
import { socketAddress } from './socket-address.js';

/**
 * The demo's FastCGI application: what PHP-FPM is to a real site, but with the failures on order. It plays all three roles, takes
 * multiplexed requests, and answers by SCRIPT_NAME (pages.ts).
 */

export interface Application {
  /** Where it listens. */
  readonly address: Endpoint;
  /** Drops every connection and stops listening; resolves when nothing is left open. */
  stop(): Promise<void>;
}

/**
 * @param at where to listen; any free port on loopback unless told (a TCP port 0 is any free one too). A Unix socket's path must not exist.
 * Rejects with the system's error when it cannot listen there.
 */
export async function startApplication(
  at: Endpoint = { kind: 'tcp', host: '127.0.0.1', port: 0 },
): Promise<Application> {
  const connections = new Set<ApplicationConnection>();
  const server = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    const connection = new ApplicationConnection(socket);
    connections.add(connection);
    connection.closed.then(() => connections.delete(connection));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketAddress(at), resolve);
  });
  const bound = server.address();
  const address = typeof bound === 'object' && bound !== null ? { ...at, port: bound.port } : at;
  return {
    address,
    async stop() {
      const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
      const open = [...connections];
      for (const connection of open) connection.destroy();
      await Promise.all(open.map((connection) => connection.closed));
      await stopped;
    },
  };
}
