import { constants, fstat, read, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
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

/** A source that was opened, and what is known of it. */
export interface OpenedBytes {
  readonly bytes: ByteSource;
  /** The length of a file when it was opened; null when it has none. */
  readonly size: number | null;
  /** Whether positions in the source are positions in the file of that path. */
  readonly isPlainFile: boolean;
  /** The same bytes from the beginning, valid until `bytes` is closed; null when they come only once. */
  readonly again: (() => ByteSource) | null;
}

/** The path that stands for standard input. */
export const STANDARD_INPUT = '-';

const statDescriptor = promisify(fstat);
const readDescriptor = promisify(read);
const nothingToClose = async (): Promise<void> => {};

/** Opens a path (a FIFO, too) or standard input. Rejects with an FcgiInspectError or the system's error. */
export async function openBytes(path: string): Promise<OpenedBytes> {
  const descriptor = descriptorOf(path);
  if (descriptor !== null) {
    return opened(path, descriptor, await statDescriptor(descriptor), null, nothingToClose);
  }
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return opened(path, file.fd, await file.stat(), 0, () => file.close());
  } catch (error) {
    await file.close();
    throw error;
  }
}

function opened(
  path: string,
  descriptor: number,
  stats: Stats,
  position: number | null,
  close: () => Promise<void>,
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
    return { bytes: new PipeBytes(descriptor), size: null, isPlainFile: false, again: null };
  }
  return {
    bytes: new FileBytes(descriptor, position, close),
    size: stats.isFile() ? stats.size : null,
    isPlainFile: stats.isFile() && position !== null,
    again: stats.isFile() && position !== null ? () => new FileBytes(descriptor, position, nothingToClose) : null,
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
  private closed = false;
  private pending: Promise<unknown> = Promise.resolve();

  /** @param position of the first byte; null reads where the descriptor stands */
  constructor(
    private readonly descriptor: number,
    private readonly position: number | null,
    private readonly closeDescriptor: () => Promise<void>,
  ) {}

  async read(into: Uint8Array, from: number, to: number): Promise<number> {
    if (this.closed) return 0;
    const position = this.position === null ? null : this.position + this.bytesRead;
    const reading = readDescriptor(this.descriptor, into, from, to - from, position);
    this.pending = reading.catch(() => {});
    const { bytesRead } = await reading;
    this.bytesRead += bytesRead;
    return this.closed ? 0 : bytesRead;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.pending;
    await this.closeDescriptor();
  }
}
