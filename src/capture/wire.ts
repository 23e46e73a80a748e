import {
  END_OF_FILE,
  lastRead,
  lastReadOffset,
  lastWritePending,
  newShutdownRequest,
  newWriteRequest,
  type StreamHandle,
  type WriteRequest,
} from './stream-handle.js';

/** What a wire tells the relay that owns it. Never called after `close` or `reset`. */
export interface WireOwner {
  /** `bytes` is the owner's: nobody else writes to it. */
  onBytes(wire: Wire, bytes: Uint8Array): void;
  /** The peer has ended its sending: FIN (`status` 0), or a failed read (`status` its negative errno). */
  onEnd(wire: Wire, status: number): void;
  /** What we sent could not be delivered (negative errno). Reading goes on: what the peer had sent before is still there. */
  onBroken(wire: Wire, status: number): void;
  /** All that was written is in the kernel's hands. */
  onDrained(wire: Wire): void;
}

let spare: WriteRequest | null = null;

/**
 * One end of a relayed connection: a stream handle with the few states that the relay asks about.
 *
 * Invariants: `ended` is set before onEnd is called, and nothing is read afterwards; `broken` is the first failure of a write or of the
 * shutdown, after which nothing is written; `pending` counts writes that the kernel has not taken whole. The handle's shutdown is asked
 * for only when there are none (`shutting` from then until it is done, a turn of the loop later): a handle that still has bytes to send
 * before its FIN could not be reset any more, and a peer that does not read would keep it so for ever.
 */
export class Wire {
  ended = false;
  broken = 0;
  /** Our FIN is out. */
  finished = false;
  private pending = 0;
  private reading = false;
  private finWanted = false;
  private shutting = false;
  private confirmingEnd = false;
  private closed = false;
  private resetAfterShutdown = false;

  constructor(
    private readonly handle: StreamHandle,
    private readonly owner: WireOwner,
  ) {
    handle.setNoDelay?.(true);
    handle.onread = (buffer) => this.read(buffer);
  }

  get drained(): boolean {
    return this.pending === 0;
  }

  /** False when the handle can only be closed in order: RST exists on TCP alone. */
  get canReset(): boolean {
    return this.handle.reset !== undefined;
  }

  resume(): void {
    if (this.reading || this.ended || this.closed) return;
    this.reading = true;
    this.handle.readStart();
  }

  pause(): void {
    if (!this.reading || this.closed) return;
    this.reading = false;
    this.handle.readStop();
  }

  /** Returns false when the kernel has not taken it all: send no more before onDrained. The bytes must not change until then. */
  write(bytes: Uint8Array): boolean {
    // A request whose write is done at once, as most are, was not used: the next write, whoever's, may have it.
    const request = spare ?? newWriteRequest();
    spare = null;
    request.oncomplete = this.wrote;
    const status = this.handle.writeBuffer(request, bytes);
    if (status !== 0) {
      this.fail(status);
      return true;
    }
    if (!lastWritePending()) {
      spare = request;
      return true;
    }
    // The handle keeps the request alive, and nobody but the request the bytes: without this they could be collected while under way.
    request.buffer = bytes;
    this.pending++;
    return false;
  }

  /** Sends FIN after everything written. */
  shutdown(): void {
    if (this.finWanted || this.broken !== 0 || this.closed) return;
    this.finWanted = true;
    if (this.pending === 0) this.shutNow();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.handle.close();
  }

  /**
   * Closes with RST where that exists (`canReset`), else in order. What was written and is not out yet is dropped. A handle whose
   * shutdown is under way refuses a reset, and Node then takes it for closed without closing it: so the shutdown is waited for.
   */
  reset(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.handle.reset === undefined) this.handle.close();
    else if (this.shutting) this.resetAfterShutdown = true;
    else this.handle.reset();
  }

  private read(buffer: ArrayBuffer | undefined): void {
    if (this.closed) return;
    const count = lastRead();
    if (count > 0) {
      this.owner.onBytes(this, new Uint8Array(buffer!, lastReadOffset(), count));
    } else if (count === END_OF_FILE && !this.confirmingEnd) {
      // When the last bytes and a reset arrive together, libuv reports the hang-up after them as a plain end. Reading once more tells.
      this.confirmingEnd = true;
      this.handle.readStop();
      this.handle.readStart();
    } else if (count < 0) {
      this.ended = true;
      this.reading = false;
      this.owner.onEnd(this, count === END_OF_FILE ? 0 : count);
    }
  }

  // One closure a wire, not one a write.
  private readonly wrote = (status: number): void => {
    this.pending--;
    if (this.closed) return;
    if (status < 0) return this.fail(status);
    if (this.pending > 0 || this.broken !== 0) return;
    if (this.finWanted) this.shutNow();
    if (!this.closed && this.broken === 0) this.owner.onDrained(this);
  };

  private shutNow(): void {
    this.shutting = true;
    const request = newShutdownRequest();
    request.oncomplete = (status) => this.shut(status);
    const status = this.handle.shutdown(request);
    if (status !== 0) this.shut(status);
  }

  private shut(status: number): void {
    this.shutting = false;
    if (this.resetAfterShutdown) this.handle.reset!();
    if (this.closed) return;
    if (status < 0) return this.fail(status);
    this.finished = true;
    this.owner.onDrained(this);
  }

  private fail(status: number): void {
    if (this.broken !== 0) return;
    this.broken = status;
    this.owner.onBroken(this, status);
  }
}
