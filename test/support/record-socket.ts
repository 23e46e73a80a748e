import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** One whole record as it was on the wire. Split here by hand, so that tests do not judge the decoder by itself. */
export interface WireRecord {
  readonly type: number;
  readonly requestId: number;
  readonly content: Buffer;
  readonly padding: number;
}

export interface SlowSend {
  /** Bytes per write. */
  readonly chunk: number;
  /** Milliseconds between writes. */
  readonly delay?: number;
}

/** The records at the head of `bytes`, and how many bytes they take. */
export function splitRecords(bytes: Buffer): { readonly records: WireRecord[]; readonly length: number } {
  const records: WireRecord[] = [];
  let at = 0;
  while (bytes.length - at >= 8) {
    const contentEnd = at + 8 + bytes.readUInt16BE(at + 4);
    const padding = bytes[at + 6]!;
    if (contentEnd + padding > bytes.length) break;
    records.push({
      type: bytes[at + 1]!,
      requestId: bytes.readUInt16BE(at + 2),
      content: bytes.subarray(at + 8, contentEnd),
      padding,
    });
    at = contentEnd + padding;
  }
  return { records, length: at };
}

/** Either end of a connection in a test: collects all that comes, and does to the connection what is asked. Never throws for its end. */
export class RecordSocket {
  /** Whole records so far. */
  readonly records: WireRecord[] = [];
  /** How the other side stopped sending, and that it did. */
  readonly ended: Promise<'fin' | 'reset'>;
  readonly closed: Promise<void>;
  /** The end, as soon as it has come. */
  how: 'fin' | 'reset' | null = null;
  private readonly chunks: Buffer[] = [];
  private rest: Buffer = Buffer.alloc(0);
  private readonly watchers = new Set<() => void>();

  /** @param socket connected, with allowHalfOpen */
  constructor(readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.chunks.push(chunk);
      const joined = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
      const { records, length } = splitRecords(joined);
      this.records.push(...records);
      this.rest = joined.subarray(length);
      this.changed();
    });
    this.ended = new Promise((resolve) => {
      const end = (how: 'fin' | 'reset') => {
        this.how ??= how;
        resolve(how);
        this.changed();
      };
      socket.on('end', () => end('fin'));
      socket.on('error', () => end('reset'));
      socket.on('close', () => end('fin'));
    });
    this.closed = new Promise((resolve) => socket.on('close', () => resolve()));
  }

  /** Every byte that came, in order. */
  get received(): Buffer {
    return Buffer.concat(this.chunks);
  }

  /** The content of one stream of one request so far. */
  stream(type: number, requestId = 1): Buffer {
    return Buffer.concat(
      this.records.filter((r) => r.type === type && r.requestId === requestId).map((r) => r.content),
    );
  }

  /** Resolves when the bytes are with the system, or the connection has ended. */
  async send(bytes: Uint8Array, slowly?: SlowSend): Promise<void> {
    const chunk = slowly?.chunk ?? Math.max(1, bytes.length);
    for (let at = 0; at < bytes.length; at += chunk) {
      if (this.socket.destroyed) return;
      await new Promise<void>((resolve) => this.socket.write(bytes.subarray(at, at + chunk), () => resolve()));
      if (slowly !== undefined) await sleep(slowly.delay ?? 1);
    }
  }

  /** Resolves with what `find` finds; rejects when the other side ends without it, with what there was. */
  async until<Found>(find: (records: readonly WireRecord[]) => Found | undefined, what = 'it'): Promise<Found> {
    for (;;) {
      const found = find(this.records);
      if (found !== undefined) return found;
      if (this.how !== null) {
        const seen = this.records.map((r) => `${r.type}/${r.requestId}:${r.content.length}`).join(' ');
        throw new Error(`${what} never came: the other side ended (${this.how}) after ${seen || 'nothing'}`);
      }
      await new Promise<void>((resolve) => this.watchers.add(resolve));
    }
  }

  /** Resolves when `length` bytes have come, or the other side ended. */
  async bytes(length: number): Promise<Buffer> {
    while (this.chunks.reduce((sum, chunk) => sum + chunk.length, 0) < length && this.how === null) {
      await new Promise<void>((resolve) => this.watchers.add(resolve));
    }
    return this.received;
  }

  /** FIN; what the other side still sends is taken. */
  halfClose(): void {
    this.socket.end();
  }

  /** RST; on a Unix socket just a close. */
  reset(): void {
    if (this.socket.remoteAddress === undefined) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  /** Closes both directions. */
  close(): void {
    this.socket.destroy();
  }

  private changed(): void {
    const waiting = [...this.watchers];
    this.watchers.clear();
    for (const wake of waiting) wake();
  }
}
