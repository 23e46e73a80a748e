import type { Socket } from 'node:net';
import type { Side } from '../model/connection.js';
import { VERSION } from '../protocol/fastcgi/constants.js';
import { RecordDecoder } from '../protocol/fastcgi/decoder.js';
import type { RecordEvent } from '../protocol/fastcgi/record-event.js';

/**
 * One end of a FastCGI connection on a socket: records in, bytes out. Both of the demo's programs stand on it. It respects
 * back-pressure (`send` waits for the drain), writes what is sent in one turn in one segment, as servers do, and takes a half-close for
 * what it is. The socket must allow half-open connections.
 */

/** The connection has ended, so nothing can be sent any more: an ordinary end of whatever was under way. */
export class PeerGone extends Error {
  override readonly name = 'PeerGone';

  constructor() {
    super('the connection has ended');
  }
}

export interface PeerListener {
  record(event: RecordEvent): void;
  /** The other side stopped sending, in order or not. After `reset` nothing can be sent either. Said once. */
  end(how: 'fin' | 'reset'): void;
}

export class Peer {
  /** Resolves when the socket is closed for good; never rejects. */
  readonly closed: Promise<void>;
  private readonly waiting: (() => void)[] = [];
  private readonly tcp: boolean;
  private ended = false;
  private corked = false;

  /** @param other whose records these are */
  constructor(
    private readonly socket: Socket,
    other: Side,
    private readonly listener: PeerListener,
  ) {
    const decoder = new RecordDecoder(other, (event) => listener.record(event));
    this.tcp = socket.remoteAddress !== undefined;
    socket.setNoDelay(true);
    socket.once('data', (chunk) => {
      // The decoder would go on looking for a record; a peer has nothing to say to what is not FastCGI.
      if (chunk[0] !== VERSION) this.destroy();
    });
    socket.on('data', (chunk) => {
      if (!socket.destroyed) decoder.push(chunk, 0);
    });
    socket.on('end', () => this.end('fin'));
    // The system's reason is the same for both of us: the connection is no more.
    socket.on('error', () => this.end('reset'));
    socket.on('drain', () => this.release());
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.end('reset');
        this.release();
        resolve();
      });
    });
  }

  get gone(): boolean {
    return this.socket.destroyed || this.socket.writableEnded;
  }

  /** Resolves when more may be sent. Rejects with PeerGone. */
  async send(bytes: Uint8Array): Promise<void> {
    if (this.gone) throw new PeerGone();
    if (!this.corked) {
      this.corked = true;
      this.socket.cork();
      setImmediate(() => {
        this.corked = false;
        this.socket.uncork();
      });
    }
    if (this.socket.write(bytes)) return;
    await new Promise<void>((resolve) => this.waiting.push(resolve));
    if (this.socket.destroyed) throw new PeerGone();
  }

  /** Sends FIN after what was sent; the other side may go on. */
  finish(): void {
    this.socket.end();
  }

  /** RST on TCP. Unix sockets have none: there the other side sees a plain end. */
  reset(): void {
    if (this.tcp) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  /** Closes both directions at once: FIN, and RST for what the other side still sends. */
  destroy(): void {
    this.socket.destroy();
  }

  private end(how: 'fin' | 'reset'): void {
    if (this.ended) return;
    this.ended = true;
    this.listener.end(how);
  }

  private release(): void {
    for (const resume of this.waiting.splice(0)) resume();
  }
}
