import type { ConnectionId, Endpoint, Side } from '../model/connection.js';
import type { Timestamp } from '../model/time.js';

/** Where the bytes of the conversations are kept: a spool for live traffic, the capture file itself where there is one. */
export interface ByteStore {
  /** The most bytes that one append takes. */
  readonly appendLimit: number;
  channel(connection: ConnectionId, client: Endpoint, server: Endpoint): StoreChannel;
  reader(): StoreReader;
  /** An append now may be refused, and waiting may help: who is in no hurry waits. */
  readonly isFull: boolean;
  status(): StoreStatus;
  /** Forgets everything; the last call. */
  close(): Promise<void>;
}

/** One connection's way into the store. */
export interface StoreChannel {
  /**
   * Keeps a copy of `bytes` and says where, or -1 when it could not be recorded. Never blocks, never throws. `offset` is where the bytes
   * begin in that side's stream, `acknowledged` how much of the other side's has passed; `origin` as in the connection event.
   */
  append(side: Side, offset: number, acknowledged: number, bytes: Uint8Array, at: Timestamp, origin: number): number;
}

/** Reads back what was appended; for one reader at a time. */
export interface StoreReader {
  /**
   * The `length` bytes at `position`, null when they are not there any more. Borrowed: valid until the next call. `until` (exclusive) is
   * up to where the reader means to go on, so that neighbours come with one read.
   */
  read(position: number, length: number, until: number): Uint8Array | null | Promise<Uint8Array | null>;
}

export interface StoreStatus {
  readonly path: string | null;
  readonly bytes: number;
  readonly lost: number;
  readonly error: string | null;
}
