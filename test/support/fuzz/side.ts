import type { Socket } from 'node:net';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import type { Roll } from './pieces.js';

/** How one side of a connection behaves. */
export interface Manner {
  readonly says: Buffer;
  /** Where what it says is cut into writes. */
  readonly cuts: readonly number[];
  /** Milliseconds to wait before some of the writes; 0: a turn of the loop. */
  readonly pauses: ReadonlyMap<number, number>;
  /** It speaks when the other has said everything, and not before. */
  readonly listensFirst: boolean;
  /** How it takes what comes: at once, with a pause after each read, or all of it late. */
  readonly reads: 'at once' | 'slowly' | 'late';
  /** `fin`: in order, after everything. `reset`, `close`: after the write of this number, whatever else may be under way. */
  readonly end: { readonly how: 'fin' } | { readonly how: 'reset' | 'close'; readonly after: number };
}

export function manner(says: Buffer, roll: Roll, cut: boolean): Manner {
  const cuts = new Set<number>();
  const pieces = says.length === 0 ? 0 : [0, roll(4), roll(30), roll(200)][roll(4)]!;
  for (let i = 0; i < pieces; i++) cuts.add(1 + roll(says.length));
  // Headers that come byte by byte.
  if (roll(5) === 0) for (let at = 1; at < Math.min(says.length, 40); at++) cuts.add(at);
  const pauses = new Map<number, number>();
  for (let i = roll(6); i > 0; i--) pauses.set(roll(cuts.size + 1), roll(4));
  return {
    says,
    cuts: [...cuts].sort((a, b) => a - b),
    pauses,
    listensFirst: false,
    reads: (['at once', 'at once', 'slowly', 'late'] as const)[roll(4)]!,
    end: cut ? { how: roll(2) === 0 ? 'reset' : 'close', after: roll(cuts.size + 2) } : { how: 'fin' },
  };
}

/** How long a side that reads late stays away. */
const LATE = 30;

/** One side of a connection while it is played. */
export class FuzzedSide {
  /** How much of what the other says has come. */
  got = 0;
  sent = 0;
  /** Where what came first differs from what was said. */
  wrongAt: number | null = null;
  ended = false;
  error: string | null = null;
  readonly closed: Promise<void>;
  private heard: () => void = () => {};
  private readonly heardAll = new Promise<void>((resolve) => {
    this.heard = resolve;
  });

  constructor(
    private readonly socket: Socket,
    private readonly manner: Manner,
    private readonly expected: Buffer,
  ) {
    socket.setNoDelay(true);
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    void this.closed.then(() => this.heard());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message;
    });
    socket.on('end', () => {
      this.ended = true;
      this.heard();
    });
    socket.on('data', (bytes: Buffer) => this.take(bytes));
    if (expected.length === 0) this.heard();
    if (manner.reads === 'late') {
      socket.pause();
      setTimeout(() => socket.resume(), LATE);
    }
  }

  /** @param ready before it breaks the connection off */
  async play(ready: Promise<unknown>): Promise<void> {
    const { says, cuts, pauses, end, listensFirst } = this.manner;
    if (listensFirst) await this.heardAll;
    const places = [0, ...cuts.filter((cut) => cut < says.length), says.length];
    for (let i = 0; i + 1 < places.length; i++) {
      if (end.how !== 'fin' && end.after === i) break;
      const pause = pauses.get(i);
      if (pause !== undefined) await (pause === 0 ? turn() : delay(pause));
      if (this.socket.destroyed) return;
      await this.write(says.subarray(places[i]!, places[i + 1]!));
    }
    if (end.how === 'fin') {
      this.socket.end();
      return;
    }
    await ready;
    // A Unix socket cannot be reset: closed with something unread it does the same.
    if (end.how === 'reset' && this.socket.remoteFamily !== undefined) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Waits for room when there is none; not for a peer that has gone. */
  private write(bytes: Buffer): Promise<unknown> | undefined {
    this.sent += bytes.length;
    if (this.socket.write(bytes)) return;
    return Promise.race([new Promise((resolve) => this.socket.once('drain', resolve)), this.closed]);
  }

  private take(bytes: Buffer): void {
    const { expected, socket } = this;
    if (this.wrongAt === null && expected.compare(bytes, 0, bytes.length, this.got, this.got + bytes.length) !== 0)
      this.wrongAt = this.got;
    this.got += bytes.length;
    if (this.got >= expected.length) this.heard();
    if (this.manner.reads === 'slowly') {
      socket.pause();
      setTimeout(() => socket.resume(), 1);
    }
  }
}
