import type { ConnectionId } from '../model/connection.js';
import type { ConnectionRecord } from './connection-record.js';
import { Deque } from './deque.js';

/** Closed connections without a kept request that can still be asked for. */
const BARE_KEPT = 1_000;
/** Forgotten records are swept out when they are this many, and half of all. */
const SWEEP_AT_LEAST = 1_024;

/** The connections: all that are live, and the closed ones that have kept exchanges or are among the newest without. */
export class ConnectionTable {
  readonly live = new Map<ConnectionId, ConnectionRecord>();
  total = 0;
  /** In the order of their numbers, the live and the forgotten ones too: a table of all would cost several times as much. */
  private readonly all = new Deque<ConnectionRecord>();
  private readonly bare = new Deque<ConnectionRecord>();
  private forgotten = 0;

  open(record: ConnectionRecord): void {
    this.total += 1;
    this.live.set(record.id, record);
    this.all.push(record);
  }

  close(record: ConnectionRecord): void {
    this.live.delete(record.id);
    if (record.kept > 0) return;
    this.bare.push(record);
    if (this.bare.length > BARE_KEPT) this.forget(this.bare.shift()!);
  }

  /** One of its exchanges is not kept any more. */
  released(record: ConnectionRecord): void {
    if (record.kept === 0 && record.live === null) this.forget(record);
  }

  /** Forgets the closed ones, because nobody will ask for them. What lives only for a moment costs the garbage collector nothing. */
  letGo(): void {
    for (let record = this.bare.shift(); record !== undefined; record = this.bare.shift()) this.forget(record);
    if (this.forgotten > 0) this.sweep();
  }

  find(id: ConnectionId): ConnectionRecord | null {
    const record = this.all.at(this.all.lowerBound(id, (each) => each.id));
    return record === undefined || record.id !== id || record.forgotten ? null : record;
  }

  private forget(record: ConnectionRecord): void {
    record.forgotten = true;
    this.forgotten += 1;
    if (this.forgotten >= SWEEP_AT_LEAST) this.sweep();
  }

  /** Sweeps when that is worth its while. */
  private sweep(): void {
    if (this.forgotten * 2 < this.all.length) return;
    this.all.retain((each) => !each.forgotten);
    this.forgotten = 0;
  }
}
