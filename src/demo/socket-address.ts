import type { Endpoint } from '../model/connection.js';

export type SocketAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** As node:net wants it, to listen at or to connect to. An abstract Unix socket's name begins with a zero byte there, and with '@' for people. */
export function socketAddress(at: Endpoint): SocketAddress {
  return at.kind === 'tcp' ? { host: at.host, port: at.port } : { path: at.path.replace(/^@/, '\0') };
}
