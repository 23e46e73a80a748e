import { createGunzip, type Gunzip } from 'node:zlib';
import type { ByteSource } from './capture-bytes.js';

/**
 * Strategy: zlib gets one small piece after the other, and the next one when all that came out of it was taken; so the most that waits here is what
 * one piece unpacks to (deflate's ratio ends at 1032). When zlib finds the data broken it forgets what it had unpacked of the last piece; a
 * file is then unpacked once more up to that piece, and that one byte by byte.
 */

const PIECE = 16 * 1024;
/** What zlib hands over at once. */
const OUTPUT = 128 * 1024;

export const GZIP_MAGIC = [0x1f, 0x8b] as const;

/** What gzip packed, several members after one another among them. Broken data is the end, and is reported. */
export class GzipBytes implements ByteSource {
  // Invariants: `produced` counts what zlib handed over, `fed` what it was given in whole pieces; `waiting` is what was produced but not read.
  private readonly member = createMember((bytes) => {
    this.produced += bytes.length;
    this.waiting.push(bytes);
  });
  private readonly piece = Buffer.alloc(PIECE);
  private waiting: Buffer[] = [];
  private taken = 0;
  private fed = 0;
  private produced = 0;
  private over = false;
  private closed = false;

  /**
   * @param packed the compressed bytes
   * @param head of them what was read already
   * @param again gives them from the beginning, or null
   * @param broken is told what is wrong, and where in the compressed bytes
   */
  constructor(
    private readonly packed: ByteSource,
    private head: Uint8Array,
    private readonly again: (() => ByteSource) | null,
    private readonly broken: (what: string, offset: number) => void,
  ) {}

  get bytesRead(): number {
    return this.packed.bytesRead;
  }

  async read(into: Uint8Array, from: number, to: number): Promise<number> {
    while (this.waiting.length === 0 && !this.over) await this.unpack();
    let at = from;
    while (at < to && this.waiting.length > 0 && !this.closed) {
      const first = this.waiting[0]!;
      const length = Math.min(to - at, first.length - this.taken);
      into.set(first.subarray(this.taken, this.taken + length), at);
      at += length;
      this.taken += length;
      if (this.taken === first.length) {
        this.waiting.shift();
        this.taken = 0;
      }
    }
    return at - from;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.over = true;
    this.member.destroy();
    await this.packed.close();
  }

  private async unpack(): Promise<void> {
    const length = await this.nextPiece();
    if (this.closed) return;
    const result = await (length === 0 ? finish(this.member) : feed(this.member, this.piece.subarray(0, length)));
    if (this.closed) return;
    if (result instanceof Error) {
      const offset = length === 0 ? this.fed : ((await this.salvage(length)) ?? this.fed);
      this.over = true;
      return this.broken(
        length === 0 ? 'the gzip data is cut off' : `the gzip data is broken: ${result.message}`,
        offset,
      );
    }
    this.fed += length;
    if (length === 0 || result === 'ended') this.over = true;
  }

  private async nextPiece(): Promise<number> {
    if (this.head.length > 0) {
      const length = Math.min(this.head.length, PIECE);
      this.piece.set(this.head.subarray(0, length));
      this.head = this.head.subarray(length);
      return length;
    }
    return this.packed.read(this.piece, 0, PIECE);
  }

  /** Unpacks what zlib forgot. Returns where the break is, or null when there is no going back. */
  private async salvage(length: number): Promise<number | null> {
    const packed = this.again?.();
    if (!packed) return null;
    let known = this.produced;
    const member = createMember((bytes) => {
      const fresh = known >= bytes.length ? null : bytes.subarray(known);
      known = Math.max(0, known - bytes.length);
      if (fresh) this.waiting.push(fresh);
    });
    const end = this.fed + length;
    const piece = Buffer.alloc(PIECE);
    try {
      while (packed.bytesRead < end && !this.closed) {
        const at = packed.bytesRead;
        const step = at < this.fed ? Math.min(PIECE, this.fed - at) : 1;
        const got = await packed.read(piece, 0, Math.min(step, end - at));
        if (got === 0) return at;
        if ((await feed(member, piece.subarray(0, got))) !== 'more') return at;
      }
      return packed.bytesRead;
    } catch {
      return null;
    } finally {
      member.destroy();
      await packed.close();
    }
  }
}

type Fed = 'more' | 'ended' | Error;

/** Resolves when everything that the piece unpacks to was handed over. */
function feed(member: Gunzip, piece: Buffer): Promise<Fed> {
  return settled(member, (settle) => member.write(piece, (error) => settle(error ?? 'more')));
}

function finish(member: Gunzip): Promise<Fed> {
  return settled(member, () => member.end());
}

function settled(member: Gunzip, act: (settle: (result: Fed) => void) => void): Promise<Fed> {
  return new Promise((resolve) => {
    const settle = (result: Fed): void => {
      member.off('end', ended).off('error', settle).off('close', ended);
      resolve(result);
    };
    const ended = (): void => settle('ended');
    member.on('end', ended).on('error', settle).on('close', ended);
    act(settle);
  });
}

function createMember(output: (bytes: Buffer) => void): Gunzip {
  // Errors are asked for by `settled`; one that comes while nobody asks is said again to the next who does.
  return createGunzip({ chunkSize: OUTPUT })
    .on('data', output)
    .on('error', () => {});
}
