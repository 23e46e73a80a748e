import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint } from '../../src/model/connection.js';
import { RecordType } from '../../src/protocol/fastcgi/constants.js';
import { encodeEndRequest, encodeRecord, encodeStream } from '../../src/protocol/fastcgi/encoder.js';
import { RecordSocket } from './record-socket.js';

/** What the backend does with one connection. When it returns, the connection stays as it is until the web server or `stop` ends it. */
export type Script = (connection: FaultConnection) => Promise<void>;

export interface FaultBackend {
  readonly address: Endpoint;
  /** In the order of their accept. */
  readonly connections: readonly FaultConnection[];
  /** Closes everything; rejects with the first script's own failure, if any. */
  stop(): Promise<void>;
}

/** The backend's end of a connection, with the steps that scripts are made of. */
export class FaultConnection extends RecordSocket {
  private stopped = false;
  private readonly requestsRead = new Map<number, number>();

  /** Waits until the STDIN of the (next) request with this id has ended; true when it did, false when the web server ended first. */
  async readRequest(id = 1): Promise<boolean> {
    const before = this.requestsRead.get(id) ?? 0;
    this.requestsRead.set(id, before + 1);
    try {
      await this.until(
        (records) =>
          records.filter((r) => r.type === RecordType.STDIN && r.requestId === id && r.content.length === 0)[before],
      );
      return true;
    } catch {
      return false;
    }
  }

  async stdout(content: string | Uint8Array, id = 1): Promise<void> {
    await this.send(encodeStream('stdout', id, Buffer.from(content), { close: false }));
  }

  async stderr(content: string | Uint8Array, id = 1): Promise<void> {
    await this.send(encodeStream('stderr', id, Buffer.from(content), { close: false }));
  }

  async endRequest(appStatus = 0, protocolStatus = 0, id = 1): Promise<void> {
    await this.send(encodeEndRequest(id, appStatus, protocolStatus));
  }

  async wait(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { ref: false });
  }

  /** Returns when the web server or the test ended the connection. */
  async never(): Promise<void> {
    await this.closed;
  }

  stop(): void {
    this.stopped = true;
    this.close();
  }

  get isStopped(): boolean {
    return this.stopped;
  }
}

/** Scripts that several tests need; all but `garbage` read one request first. */
export const SCRIPTS = {
  answers:
    (stdout = 'Content-Type: text/plain\r\n\r\nok\n'): Script =>
    async (connection) => {
      await connection.readRequest();
      await connection.stdout(stdout);
      await connection.endRequest();
      connection.halfClose();
    },
  closesWithoutAnswer: (): Script => async (connection) => {
    await connection.readRequest();
    connection.halfClose();
  },
  resetsWithoutAnswer: (): Script => async (connection) => {
    await connection.readRequest();
    connection.reset();
  },
  closesInRecord:
    (announced = 8_192, sent = 3_000): Script =>
    async (connection) => {
      await connection.readRequest();
      await connection.stdout('Content-Type: text/plain\r\n\r\n');
      const record = encodeRecord({
        type: RecordType.STDOUT,
        requestId: 1,
        content: new Uint8Array(announced).fill(0x2e),
      });
      await connection.send(record.subarray(0, 8 + sent));
      connection.halfClose();
    },
  resetsInAnswer:
    (stdout = 'Content-Type: text/plain\r\n\r\npartial'): Script =>
    async (connection) => {
      await connection.readRequest();
      await connection.stdout(stdout);
      // A reset overtakes what lies in the system's buffers.
      await connection.wait(50);
      connection.reset();
    },
  neverAnswers: (): Script => async (connection) => {
    await connection.readRequest();
    await connection.never();
  },
  garbage:
    (bytes: string | Uint8Array = 'HTTP/1.1 400 Bad Request\r\n\r\n'): Script =>
    async (connection) => {
      await connection.bytes(1);
      await connection.send(Buffer.from(bytes));
      connection.halfClose();
    },
} as const;

/**
 * @param scripts one for every connection, or one each in turn (the last one for all further ones)
 * @param at any free loopback port unless told
 */
export async function startFaultBackend(
  scripts: Script | readonly Script[],
  at: Endpoint = { kind: 'tcp', host: '127.0.0.1', port: 0 },
): Promise<FaultBackend> {
  const list = typeof scripts === 'function' ? [scripts] : scripts;
  const connections: FaultConnection[] = [];
  const failures: unknown[] = [];
  const running: Promise<void>[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const connection = new FaultConnection(socket);
    const script = list[Math.min(connections.length, list.length - 1)]!;
    connections.push(connection);
    running.push(
      script(connection).catch((error: unknown) => {
        if (!connection.isStopped) failures.push(error);
      }),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(
      at.kind === 'tcp' ? { host: at.host, port: at.port } : { path: at.path.replace(/^@/, '\0') },
      resolve,
    );
  });
  const bound = server.address();
  return {
    address: typeof bound === 'object' && bound !== null ? { kind: 'tcp', host: '127.0.0.1', port: bound.port } : at,
    connections,
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const connection of connections) connection.stop();
      await Promise.all([closed, ...running, ...connections.map((connection) => connection.closed)]);
      if (failures.length > 0) throw failures[0];
    },
  };
}
