import { type ConnectionId, type Endpoint, formatEndpoint } from '../model/connection.js';
import type { CaptureSource, ConnectionEvent, ConnectionSink } from '../model/connection-event.js';
import { FcgiInspectError } from '../model/errors.js';
import type { Timestamp } from '../model/time.js';
import { type Listener, listen } from './listener.js';
import { Relay } from './relay.js';
import type { SocketName, StreamHandle } from './stream-handle.js';

/** Where the web server is to connect, and where its connections go. */
export interface ProxyRoute {
  readonly listen: Endpoint;
  readonly upstream: Endpoint;
}

/**
 * What has passed is told to the sink in batches: forwarding comes first, and decoding many requests in a row costs about half of what it
 * costs between the turns of the relay. A batch is told after TAP_DELAY milliseconds, or sooner when so much has come together that
 * telling it would take long, or hold memory.
 */
const TAP_DELAY = 2;
const TAP_EVENTS = 256;
const TAP_BYTES = 1024 * 1024;

/** How often a stop looks for kept connections that have come to stand between two requests. */
const RETIRE_INTERVAL = 20;

/**
 * The debugging proxy as a source of traffic: listeners, one Relay a connection, and the tap that tells the sink. The tap is not in the
 * path: whatever the sink does, bytes go on; a sink that throws loses its connection's later events and nothing else.
 */
export class DebuggingProxy implements CaptureSource {
  private readonly relays = new Map<ConnectionId, Relay>();
  private listeners: Listener[] = [];
  private lastId = 0;
  private sink: ConnectionSink = () => {};
  private readonly untapped = new Set<ConnectionId>();
  private tapped: ConnectionEvent[] = [];
  private tappedBytes = 0;
  private tapTimer: NodeJS.Timeout | null = null;
  private quiet: (() => void) | null = null;

  /**
   * @param now the clock, in microseconds since the epoch
   * @param complain is told what a person should know (an accept that failed); may be called often
   */
  constructor(
    private readonly routes: readonly ProxyRoute[],
    readonly now: () => Timestamp,
    private readonly complain: (text: string) => void,
  ) {}

  /** `127.0.0.1:9001 → unix:/run/php.sock`, with the real port where 0 was asked for. */
  get description(): readonly string[] {
    return this.routes.map(
      (route, index) =>
        `${formatEndpoint(this.listeners[index]?.endpoint ?? route.listen)} → ${formatEndpoint(route.upstream)}`,
    );
  }

  /** Where the routes really listen, in their order. */
  get endpoints(): readonly Endpoint[] {
    return this.listeners.map((listener) => listener.endpoint);
  }

  async start(sink: ConnectionSink): Promise<void> {
    this.sink = sink;
    try {
      for (const route of this.routes)
        this.listeners.push(
          await listen(
            route.listen,
            route.upstream,
            (handle) => this.accept(handle, route),
            (text) => this.complain(text),
          ),
        );
    } catch (error) {
      this.stopListening();
      throw error;
    }
    for (const endpoint of this.endpoints)
      if (this.routes.some((route) => formatEndpoint(route.upstream) === formatEndpoint(endpoint))) {
        this.stopListening();
        throw new FcgiInspectError(
          'usage',
          `${formatEndpoint(endpoint)} is both a --listen and an --upstream address: requests would go in a circle`,
          'let the web server connect to --listen, and name the backend as --upstream',
        );
      }
  }

  /** `idle` says of a kept connection that no request is open on it: such a connection is ended at once and in order. */
  async stop(grace: number, idle?: (connection: ConnectionId) => boolean): Promise<void> {
    this.stopListening();
    const retire = (): void => {
      this.tell();
      for (const [id, relay] of [...this.relays]) if (idle?.(id)) relay.retire();
    };
    retire();
    if (this.relays.size > 0 && grace > 0) {
      const patrol = setInterval(retire, RETIRE_INTERVAL);
      let limit: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.quiet = resolve;
        limit = setTimeout(resolve, grace);
      });
      clearInterval(patrol);
      clearTimeout(limit);
      this.quiet = null;
    }
    for (const relay of [...this.relays.values()]) relay.abandon();
    this.tell();
  }

  emit(event: ConnectionEvent): void {
    this.tapped.push(event);
    if (event.kind === 'bytes') this.tappedBytes += event.bytes.length;
    if (this.tapped.length >= TAP_EVENTS || this.tappedBytes >= TAP_BYTES) this.tell();
    else this.tapTimer ??= setTimeout(() => this.tell(), TAP_DELAY);
  }

  closed(relay: Relay): void {
    this.relays.delete(relay.id);
    if (this.relays.size === 0) this.quiet?.();
  }

  private tell(): void {
    if (this.tapTimer !== null) clearTimeout(this.tapTimer);
    this.tapTimer = null;
    const events = this.tapped;
    this.tapped = [];
    this.tappedBytes = 0;
    for (const event of events) {
      const { connection } = event;
      if (this.untapped.size > 0 && this.untapped.has(connection)) {
        if (event.kind === 'closed') this.untapped.delete(connection);
        continue;
      }
      try {
        this.sink(event);
      } catch (error) {
        this.untapped.add(connection);
        this.complain(`connection ${connection} goes on unrecorded: ${(error as Error).message}`);
      }
    }
  }

  private accept(handle: StreamHandle, route: ProxyRoute): void {
    const connection = ++this.lastId;
    this.emit({
      kind: 'open',
      connection,
      at: this.now(),
      client: peerOf(handle),
      server: route.upstream,
      midstream: false,
    });
    this.relays.set(connection, new Relay(connection, this, handle, route.upstream));
  }

  private stopListening(): void {
    for (const listener of this.listeners.splice(0)) listener.close();
  }
}

/** A Unix peer hardly ever has a name. */
function peerOf(handle: StreamHandle): Endpoint {
  const name: SocketName = {};
  if (handle.getpeername === undefined || handle.getpeername(name) !== 0) return { kind: 'unix', path: '' };
  return { kind: 'tcp', host: name.address ?? '', port: name.port ?? 0 };
}
