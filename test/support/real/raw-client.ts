import { connect } from 'node:net';
import type { Endpoint } from '../../../src/model/connection.js';

export interface RawAnswer {
  /** Everything the other side sent until it ended the connection. */
  readonly bytes: Uint8Array;
  /** `fin`, or the system's name for what broke the connection (ECONNRESET). */
  readonly end: string;
}

/** Sends bytes as they are, half-closes when told to, and takes what comes until the other side ends. */
export function sendBytes(address: Endpoint, bytes: Uint8Array, options: { halfClose: boolean }): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    let end = 'fin';
    const where = address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
    const socket = connect({ ...where, allowHalfOpen: true }, () => {
      if (options.halfClose) socket.end(bytes);
      else socket.write(bytes);
    });
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => socket.end());
    socket.on('error', (error: Error & { code?: string }) => {
      end = error.code ?? error.message;
    });
    socket.on('close', () => resolve({ bytes: Buffer.concat(chunks), end }));
  });
}
