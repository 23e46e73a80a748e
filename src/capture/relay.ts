import type { ConnectFailure, ConnectionId, Side } from '../model/connection.js';
import type { ConnectionEvent } from '../model/connection-event.js';
import type { Timestamp } from '../model/time.js';
import { type Dial, dial } from './dial.js';
import type { StreamHandle } from './stream-handle.js';
import { Wire, type WireOwner } from './wire.js';

/** What the relays of one proxy share. */
export interface RelayOwner {
  now(): Timestamp;
  /** The tap. Its failures are its own: it must not throw. */
  emit(event: ConnectionEvent): void;
  closed(relay: Relay): void;
}

/** While the upstream is being dialled, this much of the request is taken in; the rest waits in the kernel. */
const HELD_WHILE_DIALLING = 64 * 1024;

/**
 * How long a refused web server may take to say what it wanted before it is reset. Its first bytes are usually in flight already, and
 * the request that failed is worth seeing; the reset is late by no more than this.
 */
const FIRST_BYTES_WAIT = 20;

/**
 * How long a web server that has just connected is given to send its request before a stop takes the connection for an unused one, in
 * microseconds. Connecting and sending are one step to it, but we may be asked between the two.
 */
const FIRST_REQUEST_WAIT = 200_000;

/**
 * One relayed connection: a web server's and ours to the backend, 1:1. Bytes are forwarded first and handed to the tap second; a paused
 * side, a half-close and a reset are passed on. What the close kinds mean for the log lines of a web server is why they are kept apart.
 */
export class Relay implements WireOwner {
  private readonly client: Wire;
  private server: Wire | null = null;
  private dialled: Dial | null;
  private held: Uint8Array[] = [];
  private heldBytes = 0;
  private refusal: ConnectFailure | null = null;
  private refusalTimer: NodeJS.Timeout | null = null;
  /** The side that must still get a RST once what was written to it is out. */
  private resetting: Wire | null = null;
  /** A write that fails at once would end the connection before the tap has been told of the bytes: it waits until then. */
  private forwarding = false;
  private brokenWhileForwarding: Wire | null = null;
  private done = false;
  /** When the web server could first be heard: with a Unix one that is when the backend answered. Null once it was. */
  private silentSince: Timestamp | null;

  constructor(
    readonly id: ConnectionId,
    private readonly owner: RelayOwner,
    handle: StreamHandle,
    upstream: Parameters<typeof dial>[0],
  ) {
    this.silentSince = owner.now();
    this.client = new Wire(handle, this);
    this.dialled = dial(upstream, (result) => this.answered(result));
    // A Unix peer sees a reset only when we close with unread bytes of its own: so nothing is read before the backend has answered.
    if (this.client.canReset) this.client.resume();
  }

  /** Ends it now, from our side, with resets: an answer that is cut off must not look complete. */
  abandon(): void {
    if (this.done) return;
    this.sayWhoIsLeft();
    this.client.reset();
    this.server?.reset();
    this.finish();
  }

  /**
   * Ends it from our side in order: for a kept connection that stands between two requests. Does nothing while that would cut something:
   * an answer is decoded before its last bytes are out, and a request may lie unread. Ask again then.
   */
  retire(): void {
    if (this.done || this.dialled !== null || this.refusal !== null) return;
    if (!this.client.drained || !this.server?.drained) return;
    if (this.silentSince !== null && this.owner.now() - this.silentSince < FIRST_REQUEST_WAIT) return;
    this.sayWhoIsLeft();
    this.finish();
  }

  private sayWhoIsLeft(): void {
    const at = this.owner.now();
    for (const wire of [this.client, this.server])
      if (wire && !wire.ended)
        this.owner.emit({ kind: 'end', connection: this.id, at, side: this.sideOf(wire), how: 'capture-end' });
  }

  onBytes(wire: Wire, bytes: Uint8Array): void {
    const other = wire === this.client ? this.server : this.client;
    // Taken before the write: on loopback the backend may have read, worked and answered by the time that a write returns.
    const at = this.owner.now();
    if (wire === this.client) this.silentSince = null;
    if (other === null) this.hold(bytes);
    else if (other.broken === 0) {
      this.forwarding = true;
      if (!other.write(bytes)) wire.pause();
      this.forwarding = false;
    }
    this.owner.emit({
      kind: 'bytes',
      connection: this.id,
      at,
      side: this.sideOf(wire),
      bytes,
      origin: -1,
    });
    if (this.refusal !== null) this.refuse();
    const broken = this.brokenWhileForwarding;
    this.brokenWhileForwarding = null;
    if (broken !== null) this.onBroken(broken, broken.broken);
  }

  onEnd(wire: Wire, status: number): void {
    const other = wire === this.client ? this.server : this.client;
    if (status < 0 || wire.broken !== 0) return this.wasReset(wire);
    this.owner.emit({ kind: 'end', connection: this.id, at: this.owner.now(), side: this.sideOf(wire), how: 'fin' });
    if (this.refusal !== null) return this.refuse();
    if (wire === this.client) this.silentSince = null;
    other?.shutdown();
    this.finishWhenQuiet();
  }

  onBroken(wire: Wire, _status: number): void {
    if (this.forwarding) {
      this.brokenWhileForwarding = wire;
      return;
    }
    if (this.resetting !== null) {
      // Nobody is left whom the rest could reach. The side that was reset itself has nothing more to say.
      if (wire === this.resetting) this.resetNow(wire);
      return;
    }
    // Its last words may still lie unread in the kernel: read on, the end of the reading decides. After a FIN there is nothing to read.
    if (wire.ended) this.wasReset(wire);
    else wire.resume();
  }

  onDrained(wire: Wire): void {
    if (this.resetting !== null) {
      if (wire === this.resetting) this.resetNow(wire);
      return;
    }
    const source = wire === this.client ? this.server : this.client;
    if (wire.drained && !wire.finished) source?.resume();
    this.finishWhenQuiet();
  }

  private sideOf(wire: Wire): Side {
    return wire === this.client ? 'client' : 'server';
  }

  private hold(bytes: Uint8Array): void {
    this.held.push(bytes);
    this.heldBytes += bytes.length;
    if (this.heldBytes >= HELD_WHILE_DIALLING) this.client.pause();
  }

  private answered(result: StreamHandle | ConnectFailure): void {
    this.dialled = null;
    if (this.done) return;
    if ('reason' in result) {
      this.refusal = result;
      const unheard = this.client.canReset && this.heldBytes === 0 && !this.client.ended;
      if (unheard) this.refusalTimer = setTimeout(() => this.refuse(), FIRST_BYTES_WAIT);
      else this.refuse();
      return;
    }
    if (this.silentSince !== null) this.silentSince = this.owner.now();
    const server = new Wire(result, this);
    this.server = server;
    let taken = true;
    for (const bytes of this.held) taken = server.broken !== 0 || (server.write(bytes) && taken);
    this.held = [];
    server.resume();
    if (this.client.ended) server.shutdown();
    else if (taken) this.client.resume();
    else this.client.pause();
  }

  private refuse(): void {
    if (this.done || this.refusal === null) return;
    const at = this.owner.now();
    this.owner.emit({ kind: 'failed', connection: this.id, at, failure: this.refusal });
    this.client.reset();
    this.finish();
  }

  private wasReset(wire: Wire): void {
    const at = this.owner.now();
    this.owner.emit({ kind: 'end', connection: this.id, at, side: this.sideOf(wire), how: 'reset' });
    const other = wire === this.client ? this.server : this.client;
    if (other === null || other.broken !== 0) return this.finish();
    if (!other.canReset) {
      const peer = other === this.client ? 'web server' : 'backend';
      this.owner.emit({
        kind: 'note',
        connection: this.id,
        at,
        text: `the reset reached the ${peer} as a plain close: a Unix socket knows no reset`,
      });
    }
    other.pause();
    this.resetting = other;
    if (other.drained) this.resetNow(other);
  }

  private resetNow(wire: Wire): void {
    wire.reset();
    this.finish();
  }

  private finishWhenQuiet(): void {
    const { client, server } = this;
    if (server?.ended && server.finished && client.ended && client.finished) this.finish();
  }

  private finish(): void {
    if (this.done) return;
    this.done = true;
    if (this.refusalTimer !== null) clearTimeout(this.refusalTimer);
    this.dialled?.cancel();
    this.client.close();
    this.server?.close();
    this.held = [];
    this.owner.emit({ kind: 'closed', connection: this.id, at: this.owner.now() });
    this.owner.closed(this);
  }
}
