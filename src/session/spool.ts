import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionId, Endpoint, Side } from '../model/connection.js';
import type { Timestamp } from '../model/time.js';
import { encodeFileHead } from '../packet/pcapng-encoder.js';
import { PAYLOAD_LIMIT, StreamPackets } from '../packet/stream-packets.js';
import type { ByteStore, StoreChannel, StoreReader, StoreStatus } from './byte-store.js';
import { PositionedReader } from './positioned-reader.js';
import type { SpoolFile, SpoolFiles } from './spool-files.js';

/** What is kept on disk unless told otherwise: enough for hours of debugging, little enough for a laptop's temporary directory. */
export const DEFAULT_MAX_SPOOL = 1024 * 1024 * 1024;
/** Into how many segments the spool is cut: what goes at once is a sixteenth. */
export const SEGMENTS = 16;
/** How many segments ahead room is made: what is worth keeping is copied while they fill. */
const ROOM_AHEAD = 2;
/** Smaller segments would be mostly file heads and housekeeping. */
export const MIN_SEGMENT = 256 * 1024;
/** One write to the disk at most; large enough to be quick, small enough to be copied in well under a millisecond. */
const WRITE_BUFFER = 1024 * 1024;
/** What may wait for a slow disk. Beyond it, bytes are not recorded: memory is worth more than a recording. */
export const PENDING_LIMIT = 32 * 1024 * 1024;
/**
 * This part of what may wait is left for what is appended before anybody asks again whether there is room: a step of several captures read
 * as one can bring 16 MiB.
 */
const RESERVE = 1 / 2;
/** Written buffers kept for reuse; more are left to the collector. */
const SPARE_BUFFERS = 4;
/** How long bytes may stay in memory only (they can be read all the while). */
const FLUSH_AFTER = 50;
/** How long to wait after a failed write. */
const RETRY_AFTER = 250;

export interface SpoolOptions {
  readonly files: SpoolFiles;
  readonly maxBytes?: number;
  readonly pendingLimit?: number;
  /** Milliseconds. */
  readonly flushAfter?: number;
  readonly retryAfter?: number;
  /** What is recorded, in words; stands in each file's interface description. */
  readonly description?: string;
}

/**
 * Called before the oldest segment goes: the positions from `from` to `to` (exclusive) will not be there any more. What is worth keeping
 * may be appended anew. `hurry` turns true when the spool grows faster than that goes.
 */
export type MakeRoom = (from: number, to: number, hurry: () => boolean) => Promise<void>;

/**
 * The store of a live source: pcapng files of bounded size, written behind. An append copies into a buffer and returns a position; the
 * disk follows when it can. A disk that fails is tried again and again with the same buffers; nothing that was accepted is given up
 * before its segment is. When too much waits, appends answer -1.
 */
export class Spool implements ByteStore {
  readonly appendLimit = PAYLOAD_LIMIT;
  /** The session sets it. */
  makeRoom: MakeRoom | null = null;
  /**
   * Positions are offsets in the concatenation of all segments there ever were. `segments` are the living ones in order, the last is
   * being filled. `queue` holds, in order, all buffers with bytes not yet on disk, the last is being filled; a buffer belongs to one
   * segment, and a packet to one buffer.
   */
  private segments: Segment[] = [];
  private queue: WriteBuffer[] = [];
  private spare: Uint8Array[] = [];
  private writing: Promise<void> | null = null;
  private flushTimer: NodeJS.Timeout | null = null;
  private clearing: Promise<void> | null = null;
  private readonly stopped = new AbortController();
  private readonly head: Uint8Array;
  private readonly maxBytes: number;
  private readonly segmentSize: number;
  private readonly bufferSize: number;
  private readonly maxBuffers: number;
  private nextBase = 0;
  private count = 0;
  private failure: string | null = null;
  private congested = false;
  private total = 0;
  private lost = 0;

  constructor(private readonly options: SpoolOptions) {
    this.maxBytes = Math.max(options.maxBytes ?? DEFAULT_MAX_SPOOL, (ROOM_AHEAD + 2) * MIN_SEGMENT);
    this.segmentSize = Math.max(Math.floor(this.maxBytes / SEGMENTS), MIN_SEGMENT);
    this.bufferSize = Math.min(WRITE_BUFFER, this.segmentSize);
    this.maxBuffers = Math.max(2, Math.floor((options.pendingLimit ?? PENDING_LIMIT) / this.bufferSize));
    this.head = encodeFileHead('fcgi-inspect', 'proxy', options.description ?? '');
  }

  channel(connection: ConnectionId, client: Endpoint, server: Endpoint): StoreChannel {
    const packets = new StreamPackets(connection, client, server);
    return {
      append: (side, offset, acknowledged, bytes, at) => this.append(packets, side, offset, acknowledged, bytes, at),
    };
  }

  reader(): StoreReader {
    return new PositionedReader(this);
  }

  status(): StoreStatus {
    return { path: this.options.files.folder, bytes: this.total, lost: this.lost, error: this.error };
  }

  /** Why bytes are not being recorded, or are not on disk; null when all is well. */
  get error(): string | null {
    if (this.congested && this.failure === null) {
      return `the disk is too slow: ${this.pending >> 20} MiB wait to be written to ${this.options.files.folder}`;
    }
    return this.failure;
  }

  /** Bytes of memory that hold what is not yet on disk. */
  get pending(): number {
    return this.queue.length * this.bufferSize;
  }

  /** What is appended in one turn now may be refused. */
  get isFull(): boolean {
    return this.queue.length >= Math.max(1, Math.floor(this.maxBuffers * (1 - RESERVE)));
  }

  /** The last write did not succeed; it is tried again. */
  get hasFailed(): boolean {
    return this.failure !== null;
  }

  /** What a segment takes; the bound up to which the oldest goes at once. */
  get sizes(): { readonly segment: number; readonly total: number } {
    return { segment: this.segmentSize, total: this.maxBytes };
  }

  /**
   * Fills `into` from `position` on, at least `needed` bytes of it; what it returns is how many, 0 when they are not there any more.
   * Synchronous when they are still in memory.
   */
  read(position: number, needed: number, into: Uint8Array): number | Promise<number> {
    const segment = this.segmentAt(position);
    if (segment === null) return 0;
    const at = position - segment.base;
    if (at + needed <= segment.flushed && segment.file !== null) {
      return readFrom(segment, into.subarray(0, Math.min(into.length, segment.flushed - at)), at, needed);
    }
    for (const buffer of this.queue) {
      if (buffer.segment !== segment || at < buffer.start || at + needed > buffer.start + buffer.used) continue;
      const end = Math.min(buffer.used, at - buffer.start + into.length);
      into.set(buffer.bytes.subarray(at - buffer.start, end));
      return end - (at - buffer.start);
    }
    return 0;
  }

  /** Resolves when everything appended so far is on disk, or the disk has failed. */
  async flush(): Promise<void> {
    this.pump();
    while (this.writing !== null && this.failure === null && this.isBehind()) await sleep(1);
  }

  async close(): Promise<void> {
    this.stopped.abort();
    if (this.flushTimer !== null) clearTimeout(this.flushTimer);
    await this.writing;
    await this.clearing;
    for (const segment of this.segments) release(segment);
    this.segments = [];
    this.queue = [];
    this.spare = [];
    await this.options.files.removeAll();
  }

  private append(
    packets: StreamPackets,
    side: Side,
    offset: number,
    acknowledged: number,
    bytes: Uint8Array,
    at: Timestamp,
  ): number {
    const buffer = this.bufferFor(packets.blockLength(bytes.length));
    if (buffer === null) {
      this.lost += bytes.length;
      return -1;
    }
    const start = packets.write(buffer.bytes, buffer.view, buffer.used, side, offset, acknowledged, bytes, at);
    const end = buffer.used + packets.blockLength(bytes.length);
    this.total += end - buffer.used;
    buffer.used = end;
    buffer.segment.size = buffer.start + end;
    if (this.flushTimer === null && this.writing === null) this.flushLater();
    return buffer.segment.base + buffer.start + start;
  }

  /** The buffer being filled, with room for `length` bytes; null when nothing more may wait. */
  private bufferFor(length: number): WriteBuffer | null {
    const last = this.queue.at(-1);
    if (last !== undefined && !last.sealed) {
      if (last.used + length <= last.bytes.length && last.segment.size + length <= this.segmentSize) return last;
      last.sealed = true;
      this.pump();
    }
    if (this.stopped.signal.aborted) return null;
    if (this.queue.length >= this.maxBuffers) {
      this.congested = true;
      return null;
    }
    let segment = this.segments.at(-1);
    if (segment === undefined || segment.size + length > this.segmentSize) segment = this.newSegment();
    const bytes = this.spare.pop() ?? new Uint8Array(this.bufferSize);
    const view = new DataView(bytes.buffer);
    const buffer = { segment, bytes, view, start: segment.size, used: 0, written: 0, sealed: false };
    if (segment.size === 0) {
      bytes.set(this.head);
      buffer.used = this.head.length;
      this.total += this.head.length;
      segment.size = this.head.length;
    }
    this.queue.push(buffer);
    return buffer;
  }

  private newSegment(): Segment {
    this.count += 1;
    const name = `segment-${String(this.count).padStart(6, '0')}.pcapng`;
    const segment: Segment = { name, base: this.nextBase, size: 0, flushed: 0, file: null, readers: 0, dead: false };
    this.nextBase += this.segmentSize;
    this.segments.push(segment);
    if (this.clearing === null && this.isOver(ROOM_AHEAD * this.segmentSize)) {
      this.clearing = this.clear().finally(() => {
        this.clearing = null;
      });
    }
    return segment;
  }

  private isOver(reserve: number): boolean {
    return this.segments.length > 1 && this.total + reserve > this.maxBytes;
  }

  /** Gives the oldest segments up until there is room for new ones. */
  private async clear(): Promise<void> {
    const hurry = () => this.isOver(0) || this.stopped.signal.aborted;
    while (this.isOver(ROOM_AHEAD * this.segmentSize) && !this.stopped.signal.aborted) {
      const oldest = this.segments[0]!;
      await this.makeRoom?.(oldest.base, oldest.base + this.segmentSize, hurry);
      this.segments.shift();
      this.total -= oldest.size;
      oldest.dead = true;
      release(oldest);
      await this.options.files.remove(oldest.name).catch(() => undefined);
    }
  }

  private segmentAt(position: number): Segment | null {
    for (let i = this.segments.length - 1; i >= 0; i -= 1) {
      const segment = this.segments[i]!;
      if (position >= segment.base) return position < segment.base + segment.size ? segment : null;
    }
    return null;
  }

  private flushLater(): void {
    this.flushTimer = setTimeout(() => {
      this.flushTimer = null;
      this.pump();
    }, this.options.flushAfter ?? FLUSH_AFTER);
    this.flushTimer.unref();
  }

  private isBehind(): boolean {
    return this.queue.some((buffer) => buffer.written < buffer.used);
  }

  private pump(): void {
    if (this.writing !== null || this.stopped.signal.aborted) return;
    this.writing = this.writeBehind().finally(() => {
      this.writing = null;
      if (!this.stopped.signal.aborted && this.isBehind()) this.flushLater();
    });
  }

  /** Writes until a buffer that is not full yet has been written as far as it goes. */
  private async writeBehind(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      const buffer = this.queue[0];
      if (buffer === undefined) return;
      if (buffer.segment.dead || (buffer.sealed && buffer.written === buffer.used)) {
        this.recycle();
        continue;
      }
      if (buffer.written === buffer.used) return;
      try {
        await this.writeSome(buffer);
        this.failure = null;
      } catch (error) {
        this.failure = inWords(error, this.options.files.folder);
        await sleep(this.options.retryAfter ?? RETRY_AFTER, undefined, {
          signal: this.stopped.signal,
          ref: false,
        }).catch(() => undefined);
      }
    }
  }

  private async writeSome(buffer: WriteBuffer): Promise<void> {
    const { segment } = buffer;
    if (segment.file === null) {
      const file = await this.options.files.create(segment.name);
      if (segment.dead) return void (await file.close());
      segment.file = file;
    }
    const part = buffer.bytes.subarray(buffer.written, buffer.used);
    const length = await segment.file.write(part, buffer.start + buffer.written);
    if (length <= 0) throw new Error('the disk took no bytes');
    buffer.written += length;
    segment.flushed = buffer.start + buffer.written;
  }

  private recycle(): void {
    const buffer = this.queue.shift()!;
    if (this.spare.length < SPARE_BUFFERS) this.spare.push(buffer.bytes);
    if (this.congested && this.queue.length <= this.maxBuffers / 2) this.congested = false;
  }
}

interface Segment {
  readonly name: string;
  readonly base: number;
  /** Bytes encoded so far; the first `flushed` of them are in the file. */
  size: number;
  flushed: number;
  file: SpoolFile | null;
  readers: number;
  dead: boolean;
}

interface WriteBuffer {
  readonly segment: Segment;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where its first byte lies in the segment. */
  readonly start: number;
  used: number;
  written: number;
  sealed: boolean;
}

async function readFrom(segment: Segment, into: Uint8Array, at: number, needed: number): Promise<number> {
  segment.readers += 1;
  try {
    let done = 0;
    while (done < into.length) {
      const length = await segment.file!.read(into.subarray(done), at + done);
      if (length === 0) break;
      done += length;
    }
    return done >= needed ? done : 0;
  } catch {
    // A file that cannot be read any more holds nothing for us: the reader marks a gap.
    return 0;
  } finally {
    segment.readers -= 1;
    if (segment.dead) release(segment);
  }
}

/** Closes the file when nobody reads from it (any more). */
function release(segment: Segment): void {
  segment.dead = true;
  if (segment.readers > 0 || segment.file === null) return;
  const file = segment.file;
  segment.file = null;
  file.close().catch(() => undefined);
}

function inWords(error: unknown, folder: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC') return `the disk is full: ${folder} takes no more bytes`;
  if (code === 'EDQUOT') return `the disk quota is used up: ${folder} takes no more bytes`;
  return `cannot write to ${folder}: ${message}`;
}
