import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { EntryLines } from '../diagnosis/logs/entry-lines.js';
import { FcgiInspectError } from '../model/errors.js';
import { visibleText } from '../model/visible-text.js';
import { LogLines } from './log-lines.js';

/** Milliseconds between two looks at a log that is followed: a reader of what failed waits for its lines a few times as long. */
const INTERVAL = 100;
/** What is read at one look: a flood of lines comes a little later, and does not hold up the traffic. */
const READ_AT_ONCE = 256 * 1024;

/**
 * Reads a log from its beginning to its end.
 * @param path of a file, or `-` for standard input
 * @param take is given each entry, of one line or several, and the number of its first line, from 1
 * @throws FcgiInspectError when it cannot be read
 */
export async function readLog(path: string, take: (text: string, line: number) => void): Promise<void> {
  let line = 0;
  const entries = new EntryLines((text, first) => take(text, first!));
  const lines = new LogLines((text) => entries.push(text, ++line));
  try {
    for await (const chunk of path === '-' ? process.stdin : createReadStream(path)) lines.push(chunk as Buffer);
  } catch (error) {
    throw unreadable(path, error as NodeJS.ErrnoException);
  }
  lines.end();
  entries.end();
}

/**
 * Follows a log from where it ends now, as `tail -F` does: through rotation (another file has its name), truncation, and times at which
 * there is none. Nobody waits for it.
 */
export class LogFollower {
  private readonly lines: LogLines;
  /** The last may go on: it is given out when another begins, or when nothing was added until the next look. */
  private readonly entries: EntryLines;
  private handle: FileHandle | null = null;
  private inode = -1;
  private position = 0;
  private timer: NodeJS.Timeout | null = null;
  private looking: Promise<void> | null = null;
  private stopped = false;
  /** What was warned of last: it is not said again as long as it lasts. */
  private trouble: string | null = null;
  private readonly buffer = Buffer.allocUnsafe(READ_AT_ONCE);

  constructor(
    private readonly path: string,
    take: (text: string) => void,
    private readonly warn: (text: string) => void,
  ) {
    this.entries = new EntryLines(take);
    this.lines = new LogLines((text) => this.entries.push(text, null));
  }

  /** Resolves when what is written from now on will be seen. */
  async start(): Promise<void> {
    await this.look(true);
    this.schedule();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    await this.looking;
    await this.handle?.close();
    this.handle = null;
  }

  private schedule(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.looking = this.look(false).then(() => this.schedule());
    }, INTERVAL);
    this.timer.unref();
  }

  /** @param first what is there already is passed over */
  private async look(first: boolean): Promise<void> {
    try {
      await this.follow(first);
      this.trouble = null;
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException;
      const trouble = code === 'ENOENT' ? 'it does not exist yet' : message;
      if (trouble !== this.trouble)
        this.warn(`the log ${visibleText(this.path)} cannot be read, and is tried again: ${trouble}`);
      this.trouble = trouble;
    }
  }

  private async follow(first: boolean): Promise<void> {
    const named = await stat(this.path).catch((error: NodeJS.ErrnoException) => error);
    if (this.handle !== null) {
      const isOther = 'ino' in named && named.ino !== this.inode;
      const isRead = await this.readOn();
      if (!isOther || !isRead) return;
      // Rotated: the old one was read to its end.
      this.lines.end();
      this.entries.end();
      await this.handle.close();
      this.handle = null;
    }
    if (named instanceof Error) throw named;
    if (!named.isFile()) throw new Error('it is no file');
    const handle = await open(this.path, 'r');
    const { ino, size } = await handle.stat();
    this.handle = handle;
    this.inode = ino;
    this.position = first ? size : 0;
    if (!first) await this.readOn();
  }

  /** @returns whether that was all there is */
  private async readOn(): Promise<boolean> {
    const handle = this.handle!;
    const { size } = await handle.stat();
    if (size < this.position) {
      this.position = 0;
      this.lines.drop();
      this.entries.end();
    }
    if (size === this.position) {
      this.entries.end();
      return true;
    }
    const { bytesRead } = await handle.read(this.buffer, 0, READ_AT_ONCE, this.position);
    this.position += bytesRead;
    this.lines.push(this.buffer.subarray(0, bytesRead));
    return this.position >= size;
  }
}

function unreadable(path: string, { code, message }: NodeJS.ErrnoException): FcgiInspectError {
  if (code === 'ENOENT') return new FcgiInspectError('not-found', `there is no log ${JSON.stringify(path)}`);
  if (code === 'EACCES')
    return new FcgiInspectError('permission', `the log ${JSON.stringify(path)} may not be read`, 'try again as root');
  return new FcgiInspectError('io', `the log ${JSON.stringify(path)} cannot be read: ${message}`);
}
