import type { ConnectionId, Endpoint } from '../model/connection.js';
import type { ByteStore, StoreChannel, StoreReader, StoreStatus } from './byte-store.js';
import { type Positioned, PositionedReader } from './positioned-reader.js';
import type { MakeRoom, Spool } from './spool.js';

/** Reads at positions of the capture itself: the origins of its connection events. */
export interface CaptureBytes {
  /** How many bytes from `origin` on were read into `into`; 0 when they are not there any more. Rejects as the system does. */
  readAt(origin: number, into: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

/** Where the positions of the other store begin: far above every origin, and well within what a number holds exactly. */
const ELSEWHERE = 2 ** 52;

/**
 * The store of a source that has its bytes in files: nothing is copied, an event's origin is its position. Only bytes that lie in no
 * file (a pipe's, what gzip packed) go to another store, which is made when the first of them comes.
 */
export class CaptureStore implements ByteStore {
  /** The session sets it: as Spool.makeRoom, for what is kept elsewhere. */
  makeRoom: MakeRoom | null = null;
  /** A chunk stays one event, however large. */
  readonly appendLimit = Number.POSITIVE_INFINITY;
  private elsewhere: Spool | null = null;
  private failure: string | null = null;

  /** @param eager bytes without an origin are sure to come */
  constructor(
    private readonly capture: CaptureBytes,
    private readonly makeSpool: () => Spool,
    eager: boolean,
  ) {
    if (eager) this.spool();
  }

  channel(connection: ConnectionId, client: Endpoint, server: Endpoint): StoreChannel {
    let other: StoreChannel | null = null;
    return {
      append: (side, offset, acknowledged, bytes, at, origin) => {
        if (origin >= 0) return origin;
        const spool = this.spool();
        if (bytes.length > spool.appendLimit) return -1;
        other ??= spool.channel(connection, client, server);
        const position = other.append(side, offset, acknowledged, bytes, at, -1);
        return position < 0 ? -1 : ELSEWHERE + position;
      },
    };
  }

  reader(): StoreReader {
    const files = new PositionedReader(this.positioned);
    let other: StoreReader | null = null;
    return {
      read: (position, length, until) => {
        if (position < ELSEWHERE) return files.read(position, length, until);
        other ??= this.elsewhere?.reader() ?? null;
        return other?.read(position - ELSEWHERE, length, until - ELSEWHERE) ?? null;
      },
    };
  }

  /** Not of a disk that has failed: waiting for it might never end. */
  get isFull(): boolean {
    const { elsewhere } = this;
    return elsewhere?.isFull === true && !elsewhere.hasFailed;
  }

  status(): StoreStatus {
    const status = this.elsewhere?.status() ?? { path: null, bytes: 0, lost: 0, error: null };
    return { ...status, error: this.failure ?? status.error };
  }

  async close(): Promise<void> {
    await this.elsewhere?.close();
    await this.capture.close();
  }

  private spool(): Spool {
    if (this.elsewhere === null) {
      this.elsewhere = this.makeSpool();
      this.elsewhere.makeRoom = async (from, to, hurry) => this.makeRoom?.(ELSEWHERE + from, ELSEWHERE + to, hurry);
    }
    return this.elsewhere;
  }

  private readonly positioned: Positioned = {
    read: async (position, needed, into) => {
      try {
        const length = await this.capture.readAt(position, into);
        if (length >= needed) return length;
        this.failure = 'the capture file has become shorter: what is missing now is shown as gaps';
        return 0;
      } catch (error) {
        // A file that cannot be read any more holds nothing for us: the reader marks a gap.
        this.failure = `the capture file cannot be read any more: ${(error as Error).message}`;
        return 0;
      }
    },
  };
}
