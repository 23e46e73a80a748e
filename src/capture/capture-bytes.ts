import { close, constants, fstat, open, read, type Stats } from 'node:fs';
import { isatty } from 'node:tty';
import { promisify } from 'node:util';
import { FcgiInspectError } from '../model/errors.js';
import { PipeBytes } from './capture-pipe.js';

/**
 * Strategy: two ways to read, by what the descriptor is. Files are read at positions of ours, so that nobody else moves them; pipes by the
 * event loop, because a read that waits in the thread pool cannot be given up, not even by process.exit. For the same reason everything is
 * opened without blocking: a FIFO that nobody writes to yet would hold a thread.
 */

/** The bytes of a capture, in order, from wherever. */
export interface ByteSource {
  /** How many bytes of the source were taken. */
  readonly bytesRead: number;
  /**
   * Fills into[from, to) with what there is, and waits for at least one byte. Resolves to how many came; 0 is the end, also after close.
   * Rejects with the system's error. One call at a time.
   */
  read(into: Uint8Array, from: number, to: number): Promise<number>;
  /** No read is under way when it resolves. */
  close(): Promise<void>;
}

/** Fills `into` from `offset` on; resolves to how many bytes there were. Rejects with the system's error. */
export type ReadAt = (offset: number, into: Uint8Array) => Promise<number>;

/** A source that was opened, and what is known of it. */
export interface OpenedBytes {
  readonly bytes: ByteSource;
  /** The length of a file when it was opened; null when it has none. */
  readonly size: number | null;
  /** Reads anywhere in a file that has a path, until `bytes` is closed; null for everything else. */
  readonly readAt: ReadAt | null;
  /** The same bytes from the beginning, valid until `bytes` is closed; null when they come only once. */
  readonly again: (() => ByteSource) | null;
}

/** The path that stands for standard input. */
export const STANDARD_INPUT = '-';

const openDescriptor = promisify(open);
const closeDescriptor = promisify(close);
const statDescriptor = promisify(fstat);
const readDescriptor = promisify(read);
const nothingToClose = async (): Promise<void> => {};

/** Opens a path (a FIFO, too) or standard input. Rejects with an FcgiInspectError or the system's error. */
export async function openBytes(path: string): Promise<OpenedBytes> {
  const descriptor = descriptorOf(path);
  if (descriptor !== null) {
    return opened(path, descriptor, await statDescriptor(descriptor), null, nothingToClose);
  }
  // Not a FileHandle: it closes its descriptor when it is collected, and a pipe has no use for anything but the descriptor.
  const file = await openDescriptor(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return opened(path, file, await statDescriptor(file), 0, () => closeDescriptor(file));
  } catch (error) {
    await closeDescriptor(file);
    throw error;
  }
}

function opened(
  path: string,
  descriptor: number,
  stats: Stats,
  position: number | null,
  letGo: () => Promise<void>,
): OpenedBytes {
  if (stats.isDirectory()) {
    throw new FcgiInspectError('unsupported', `${path} is a directory`, 'name the capture files in it');
  }
  if (isatty(descriptor)) {
    throw new FcgiInspectError(
      'unsupported',
      `${path === STANDARD_INPUT ? 'standard input' : path} is a terminal, not a capture`,
      'pipe a capture into it: tcpdump -U -w - port 9000 | fcgi-inspect -',
    );
  }
  if (stats.isFIFO() || stats.isSocket()) {
    return { bytes: new PipeBytes(descriptor), size: null, readAt: null, again: null };
  }
  const bytes = new FileBytes(descriptor, position, letGo);
  if (!stats.isFile()) return { bytes, size: null, readAt: null, again: null };
  if (position === null) return { bytes, size: stats.size, readAt: null, again: null };
  return {
    bytes,
    size: stats.size,
    readAt: (offset, into) => bytes.readAt(offset, into),
    again: () => new FileBytes(descriptor, position, nothingToClose),
  };
}

/** Standard input, and the names under which a shell hands over pipes: opened anew these would not tell that their writer is gone. */
function descriptorOf(path: string): number | null {
  if (path === STANDARD_INPUT || path === '/dev/stdin') return 0;
  const number = /^\/(?:dev|proc\/self)\/fd\/(\d{1,6})$/.exec(path)?.[1];
  return number === undefined ? null : Number(number);
}

/** A file, or what is read like one. */
class FileBytes implements ByteSource {
  bytesRead = 0;
  private closing: Promise<void> | null = null;
  private readonly pending = new Set<Promise<unknown>>();

  /** @param position of the first byte; null reads where the descriptor stands */
  constructor(
    private readonly descriptor: number,
    private readonly position: number | null,
    private readonly letGo: () => Promise<void>,
  ) {}

  async read(into: Uint8Array, from: number, to: number): Promise<number> {
    if (this.closed) return 0;
    const position = this.position === null ? null : this.position + this.bytesRead;
    const { bytesRead } = await this.started(into, from, to - from, position);
    this.bytesRead += bytesRead;
    return this.closed ? 0 : bytesRead;
  }

  async readAt(offset: number, into: Uint8Array): Promise<number> {
    let filled = 0;
    while (filled < into.length && !this.closed) {
      const { bytesRead } = await this.started(into, filled, into.length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private get closed(): boolean {
    return this.closing !== null;
  }

  private async end(): Promise<void> {
    // A descriptor must not be another file's when a read comes to it.
    await Promise.allSettled(this.pending);
    await this.letGo();
  }

  private async started(
    into: Uint8Array,
    from: number,
    length: number,
    position: number | null,
  ): Promise<{ readonly bytesRead: number }> {
    const reading = readDescriptor(this.descriptor, into, from, length, position);
    this.pending.add(reading);
    try {
      return await reading;
    } finally {
      this.pending.delete(reading);
    }
  }
}
