import { NO_BYTES } from '../model/bytes.js';
import { FcgiInspectError } from '../model/errors.js';
import {
  type CaptureComment,
  type CaptureFormat,
  type FormatParser,
  SNIFF_LENGTH,
  sniffFormat,
} from '../packet/formats/index.js';
import { originOf } from '../packet/origin.js';
import type { PacketSink } from '../packet/packet.js';
import { CaptureBuffer } from './capture-buffer.js';
import { type ByteSource, type OpenedBytes, openBytes, type ReadAt, STANDARD_INPUT } from './capture-bytes.js';
import { foreignError, openingError, wordsOf } from './capture-failure.js';
import { GZIP_MAGIC, GzipBytes } from './capture-gzip.js';
import { CaptureWarnings } from './capture-warnings.js';

/** What an input says beside packets: one line each, with the input's name in it. */
export interface CaptureReports {
  warn(line: string): void;
  comment?(comment: CaptureComment, input: CaptureInput): void;
}

export interface CaptureInputOptions {
  /** Which of several files it is, for the origins of its packets. */
  readonly file?: number;
  /** How many bytes are read at once. */
  readonly chunkLength?: number;
  /** Gives up an `open` that waits for a pipe. */
  readonly signal?: AbortSignal;
}

/** A chunk that keeps the loop over it in the processor's cache, and is worth the trip to the thread pool. */
export const CHUNK_LENGTH = 1024 * 1024;
/** Enough to tell what a file is, also what else it is. */
const HEAD_LENGTH = 4096;

/**
 * One capture that is being read: a file, a FIFO or standard input, packed by gzip or not, of any format there is a parser for. It is pulled: each
 * `next` reads and hands out a chunk's worth, so the caller decides about pace, and may stop at any time.
 */
export class CaptureInput {
  // Invariants: `parser` got everything before bytes[start] of `ahead`; `state` only goes from open over done to closed.
  private state: 'open' | 'done' | 'closed' = 'open';

  private constructor(
    /** The path, or "standard input". */
    readonly name: string,
    readonly format: CaptureFormat['name'],
    readonly isGzip: boolean,
    /** Reads anywhere in the file, until it is closed; null when packets have no origin in it, because it is packed or a pipe. */
    readonly readAt: ReadAt | null,
    /** The file's length when it was opened, in bytes as they are stored; null when it has none. */
    readonly size: number | null,
    private readonly source: ByteSource,
    private readonly packed: ByteSource,
    private readonly ahead: CaptureBuffer,
    private readonly parser: FormatParser,
    private readonly warnings: CaptureWarnings,
  ) {}

  /**
   * Opens a path, or standard input for "-", and waits for as much as tells the format.
   * Rejects with an FcgiInspectError: not-found, permission, unsupported (no capture), io.
   */
  static async open(path: string, reports: CaptureReports, options: CaptureInputOptions = {}): Promise<CaptureInput> {
    const name = path === STANDARD_INPUT ? 'standard input' : path;
    const warnings = new CaptureWarnings(name, (line) => reports.warn(line));
    let opened: OpenedBytes | null = null;
    let giveUp = (): void => {};
    try {
      opened = await openBytes(path);
      const { bytes } = opened;
      giveUp = () => void bytes.close();
      options.signal?.addEventListener('abort', giveUp);
      if (options.signal?.aborted) giveUp();
      const chunkLength = options.chunkLength ?? CHUNK_LENGTH;
      const head = await headOf(bytes);
      const isGzip = GZIP_MAGIC.every((byte, i) => head[i] === byte);
      const source = isGzip
        ? new GzipBytes(bytes, head, opened.again, (what, offset) => warnings.warn(what, offset))
        : bytes;
      const ahead = new CaptureBuffer(source, chunkLength, isGzip ? NO_BYTES : head);
      const format = await formatOf(name, ahead, isGzip);
      const readAt = isGzip ? null : opened.readAt;
      let input: CaptureInput | null = null;
      const parser = format.open(readAt ? originOf(options.file ?? 0, 0) : -1, {
        warn: (text, offset) => warnings.warn(text, offset),
        comment: (comment) => reports.comment?.(comment, input!),
      });
      input = new CaptureInput(name, format.name, isGzip, readAt, opened.size, source, bytes, ahead, parser, warnings);
      return input;
    } catch (error) {
      await opened?.bytes.close();
      if (options.signal?.aborted) throw new FcgiInspectError('io', `${name} was given up before it began`);
      throw openingError(name, error);
    } finally {
      options.signal?.removeEventListener('abort', giveUp);
    }
  }

  /** How much of `size` was read; what waits in memory counts. */
  get bytesRead(): number {
    return this.packed.bytesRead;
  }

  /** How many packets were handed out. */
  get packets(): number {
    return this.parser.packets;
  }

  /**
   * Reads a chunk and hands out the packets that are complete. Resolves to false at the end, which may have brought packets, too; and after close.
   * The bytes of the packets stay as they are until the next call; one after the end lets go of all memory. Never rejects: what cannot be read any more is a warning and the end.
   */
  async next(sink: PacketSink): Promise<boolean> {
    if (this.state !== 'open') {
      this.ahead.release();
      return false;
    }
    const { ahead, parser } = this;
    let more = false;
    let readable = true;
    try {
      more = await ahead.want(parser.needed);
    } catch (error) {
      readable = false;
      this.warnings.warn(`reading failed: ${wordsOf(error)}`, this.bytesRead);
    }
    if (this.isClosed()) return false;
    if (more) {
      ahead.start += parser.parse(ahead.bytes, ahead.start, ahead.end, sink);
      return true;
    }
    this.state = 'done';
    parser.finish(ahead.bytes, ahead.start, ahead.end, sink);
    if (readable && !this.isGzip && this.size !== null && this.bytesRead < this.size) {
      this.warnings.warn(`the file became shorter while it was read, it had ${this.size} bytes`, this.bytesRead);
    }
    this.warnings.end();
    return false;
  }

  /** Lets go of the file. A `next` that waits resolves to false. */
  async close(): Promise<void> {
    if (this.state === 'closed') return;
    this.state = 'closed';
    await this.source.close();
  }

  private isClosed(): boolean {
    return this.state === 'closed';
  }
}

/** The first bytes, as many as tell what they are, if there are so many. */
async function headOf(bytes: ByteSource): Promise<Uint8Array> {
  const head = new Uint8Array(HEAD_LENGTH);
  let length = 0;
  while (length < SNIFF_LENGTH) {
    const got = await bytes.read(head, length, HEAD_LENGTH);
    if (got === 0) break;
    length += got;
  }
  return head.slice(0, length);
}

async function formatOf(name: string, ahead: CaptureBuffer, isGzip: boolean): Promise<CaptureFormat> {
  await ahead.want(SNIFF_LENGTH);
  const head = ahead.bytes.subarray(ahead.start, ahead.end);
  if (head.length === 0) {
    throw new FcgiInspectError(
      'unsupported',
      isGzip ? `${name} unpacks to nothing` : `${name} is empty`,
      'was the capture stopped in order? tcpdump -U writes each packet at once',
    );
  }
  const format = sniffFormat(head);
  if (!format) throw foreignError(name, head, isGzip ? ' after unpacking' : '');
  if (!(await ahead.want(format.smallest))) {
    throw new FcgiInspectError(
      'unsupported',
      `${name} is cut off inside its file header: ${ahead.length} of ${format.smallest} bytes`,
      'was the capture stopped in order? tcpdump -U writes each packet at once',
    );
  }
  return format;
}
