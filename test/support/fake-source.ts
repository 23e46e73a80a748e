import { concatBytes } from '../../src/model/bytes.js';
import type { ConnectionId, EndKind, Endpoint, Side } from '../../src/model/connection.js';
import type { CaptureSource, ConnectionEvent, ConnectionSink } from '../../src/model/connection-event.js';
import {
  encodeBeginRequest,
  encodeEndRequest,
  encodeParams,
  encodeStream,
} from '../../src/protocol/fastcgi/encoder.js';
import { STDOUT } from './exchange-fixture.js';

const START = 1_789_000_000_000_000;
const POISON = 0xa5;

/** A source that says what a test tells it to, with a clock that a test can read. Bytes are overwritten once the sink has returned. */
export class FakeSource implements CaptureSource {
  readonly description = ['test → test'];
  now = START;
  stopped: { grace: number; idle: ConnectionId[] } | null = null;
  private sink: ConnectionSink = () => undefined;
  private readonly open = new Set<ConnectionId>();
  private connections = 0;

  async start(sink: ConnectionSink): Promise<void> {
    this.sink = sink;
  }

  async stop(grace: number, idle: (connection: ConnectionId) => boolean = () => false): Promise<void> {
    this.stopped = { grace, idle: [...this.open].filter(idle) };
    for (const id of [...this.open]) {
      this.end(id, 'client', 'capture-end');
      this.close(id);
    }
  }

  connect(client: Endpoint = tcp(40_000), server: Endpoint = tcp(9_000)): ConnectionId {
    this.connections += 1;
    this.open.add(this.connections);
    this.say({ kind: 'open', connection: this.connections, at: this.tick(), client, server, midstream: false });
    return this.connections;
  }

  bytes(connection: ConnectionId, side: Side, bytes: Uint8Array): void {
    const borrowed = bytes.slice();
    this.say({ kind: 'bytes', connection, at: this.tick(), side, bytes: borrowed, origin: -1 });
    borrowed.fill(POISON);
  }

  gap(connection: ConnectionId, side: Side, length: number): void {
    this.say({ kind: 'gap', connection, at: this.tick(), side, length });
  }

  end(connection: ConnectionId, side: Side, how: EndKind): void {
    this.say({ kind: 'end', connection, at: this.tick(), side, how });
  }

  close(connection: ConnectionId): void {
    this.open.delete(connection);
    this.say({ kind: 'closed', connection, at: this.tick() });
  }

  say(event: ConnectionEvent): void {
    this.sink(event);
  }

  /** A connection for one request and its answer. */
  roundTrip(options: RequestOptions = {}): ConnectionId {
    const id = this.connect();
    this.bytes(id, 'client', request({ ...options, keep: false }));
    this.bytes(id, 'server', answer(options));
    this.end(id, 'server', 'fin');
    this.end(id, 'client', 'fin');
    this.close(id);
    return id;
  }

  private tick(): number {
    this.now += 100;
    return this.now;
  }
}

export interface RequestOptions {
  readonly requestId?: number;
  readonly path?: string;
  readonly method?: string;
  readonly keep?: boolean;
  readonly stdin?: Uint8Array;
  /** The whole of STDOUT. */
  readonly stdout?: Uint8Array | string;
  readonly stderr?: string;
  readonly appStatus?: number;
  readonly protocolStatus?: number;
  /** How many params more. */
  readonly more?: number;
}

/** What a web server sends for a request. */
export function request(options: RequestOptions = {}): Uint8Array {
  const {
    requestId = 1,
    path = '/index.php',
    method = 'GET',
    keep = true,
    stdin = new Uint8Array(0),
    more = 0,
  } = options;
  return concatBytes([
    encodeBeginRequest(requestId, 1, keep ? 1 : 0),
    encodeParams(requestId, [
      ['REQUEST_METHOD', method],
      ['SCRIPT_NAME', path.split('?')[0]!],
      ['SCRIPT_FILENAME', `/srv/www${path.split('?')[0]!}`],
      ['REQUEST_URI', path],
      ['HTTP_HOST', 'example.test'],
      ...Array.from({ length: more }, (_, i) => [`HTTP_X_HEADER_${i}`, `the value of the header ${i}`] as const),
    ]),
    encodeStream('stdin', requestId, stdin, { recordLength: 32_768 }),
  ]);
}

/** What a backend answers. */
export function answer(options: RequestOptions = {}): Uint8Array {
  const { requestId = 1, stdout = STDOUT, stderr, appStatus = 0, protocolStatus = 0 } = options;
  const content = typeof stdout === 'string' ? new TextEncoder().encode(stdout) : stdout;
  return concatBytes([
    ...(stderr === undefined ? [] : [encodeStream('stderr', requestId, new TextEncoder().encode(stderr))]),
    encodeStream('stdout', requestId, content, { recordLength: 8_192, alignment: 8 }),
    encodeEndRequest(requestId, appStatus, protocolStatus),
  ]);
}

export function tcp(port: number, host = '127.0.0.1'): Endpoint {
  return { kind: 'tcp', host, port };
}
