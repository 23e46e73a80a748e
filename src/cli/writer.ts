import { constants, fstatSync, openSync, write, writeSync } from 'node:fs';
import { Socket } from 'node:net';

/** How long after a full pipe or terminal we look again: short enough for smooth frames, long enough to cost nothing. */
const RETRY = 15;

/**
 * Standard output that never blocks the process. Node writes to terminals and pipes synchronously: one that nobody reads (Ctrl-S, a
 * stalled SSH session) would stop this thread, its signal handlers with it. So terminals and pipes are opened anew without blocking and
 * written with retries; files, which take everything at once, go through the thread pool.
 */
export class Writer {
  private queue: { bytes: Buffer; done: (error: Error | null) => void }[] = [];
  private busy = false;
  private failed: Error | null = null;
  private readonly send: (bytes: Buffer, taken: (error: NodeJS.ErrnoException | null, count: number) => void) => void;
  private readonly onDrains = new Set<() => void>();

  constructor(fd: number) {
    this.send = sender(fd);
  }

  /** Resolves when the system has taken it. Rejects when the reader has gone; so does every later call. */
  write(data: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.failed) return reject(this.failed);
      const bytes =
        typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      this.queue.push({ bytes, done: (error) => (error ? reject(error) : resolve()) });
      if (!this.busy) this.next();
    });
  }

  /** As `write` for those who cannot wait: false when the data waits behind a reader that is not keeping up. */
  offer(data: string): boolean {
    this.write(data).catch(() => {});
    return !this.busy;
  }

  /** Calls back each time that nothing is waiting any more. */
  onDrain(listener: () => void): () => void {
    this.onDrains.add(listener);
    return () => this.onDrains.delete(listener);
  }

  /** Resolves when everything written is out, at the latest after `limit` milliseconds. */
  async flush(limit: number): Promise<void> {
    if (!this.busy) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limit);
      const stop = this.onDrain(() => {
        clearTimeout(timer);
        stop();
        resolve();
      });
    });
  }

  private next(): void {
    const head = this.queue[0];
    this.busy = head !== undefined;
    if (!head) {
      for (const listener of [...this.onDrains]) listener();
      return;
    }
    this.send(head.bytes, (error, count) => {
      if (error?.code === 'EAGAIN') return void setTimeout(() => this.next(), RETRY);
      if (error) return this.fail(error);
      if (count < head.bytes.length) {
        head.bytes = head.bytes.subarray(count);
      } else {
        this.queue.shift();
        head.done(null);
      }
      this.next();
    });
  }

  private fail(error: Error): void {
    this.failed = error;
    this.busy = false;
    for (const each of this.queue.splice(0)) each.done(error);
    for (const listener of [...this.onDrains]) listener();
  }
}

type Sender = (bytes: Buffer, taken: (error: NodeJS.ErrnoException | null, count: number) => void) => void;

function sender(fd: number): Sender {
  const stat = fstatSync(fd);
  if (stat.isSocket()) {
    const socket = new Socket({ fd, readable: false, writable: true });
    socket.on('error', () => {});
    return (bytes, taken) => socket.write(bytes, (error) => taken(error ?? null, bytes.length));
  }
  if (stat.isCharacterDevice() || stat.isFIFO()) {
    try {
      const own = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
      return (bytes, taken) => {
        let count: number;
        try {
          count = writeSync(own, bytes);
        } catch (error) {
          return taken(error as NodeJS.ErrnoException, 0);
        }
        taken(null, count);
      };
    } catch {
      // Not ours to open (another user's terminal), or no /proc: the thread pool keeps a blocked write off this thread at least.
    }
  }
  return (bytes, taken) => write(fd, bytes, taken);
}
