import type { Exchange } from '../model/exchange.js';
import type { Settled, SettledPage, SettledRows } from '../model/inspection.js';
import { ConnectionRecord } from './connection-record.js';
import { Deque } from './deque.js';
import { weightOf } from './exchange-snapshot.js';
import type { KeptExchange } from './kept-exchange.js';

/** Whole exchanges held for readers that keep up, estimated bytes: some seconds of busy traffic. */
const RECENT_LIMIT = 16 * 1024 * 1024;
/** The log is swept of what was evicted when it has grown by half and by this. */
const SWEEP_AT_LEAST = 4_096;
/** Cursors of which is remembered how many exchanges came before them: more readers than there will be. */
const CURSORS_KEPT = 64;

type Item = KeptExchange | ConnectionRecord;

/**
 * What settled and ended, in that order, for readers that want each exactly once. Until somebody reads, it is a list of pointers to what
 * is kept anyway; from then on, what has just settled is held whole, so that a reader who keeps up costs no replay, and loses nothing
 * to eviction.
 */
export class SettledLog {
  /** In the order of `sequence`. Evicted items linger until a sweep. */
  private readonly items = new Deque<Item>();
  private next = 0;
  private sweepAt = SWEEP_AT_LEAST;
  private settled = 0;
  private active = false;
  private inStep = false;
  private recent = new Map<KeptExchange, { readonly exchange: Exchange; readonly weight: number }>();
  private recentWeight = 0;
  /** For cursors that were given out: how many exchanges come before them. */
  private readonly cursors = new Map<number, number>([[0, 0]]);

  /** @param waits whether readers should wait for an exchange a little longer, and for all that comes after it */
  constructor(private readonly waits: (n: number) => boolean = () => false) {}

  /** @param whole makes the exchange as it is now; only called when somebody reads */
  addExchange(kept: KeptExchange, whole: () => Exchange): void {
    this.add(kept);
    this.settled += 1;
    if (this.active) this.hold(kept, whole());
  }

  addConnection(record: ConnectionRecord): void {
    this.add(record);
  }

  /** A settled exchange has changed once more. */
  amend(kept: KeptExchange, whole: () => Exchange): void {
    if (this.recent.has(kept)) this.hold(kept, whole());
  }

  /** The whole exchange, when it is still held. */
  held(kept: KeptExchange): Exchange | null {
    return this.recent.get(kept)?.exchange ?? null;
  }

  /**
   * Forgets all there is so far: every reader has been given it. Readers go in step with the traffic then, and are given all that comes
   * until the next call, whatever has been evicted meanwhile.
   */
  letGo(): void {
    this.inStep = true;
    this.items.clear();
    // Not clear(): the engine's old table would point to the new one, and once it is old itself, keep all that comes after it alive.
    this.recent = new Map();
    this.recentWeight = 0;
  }

  /** As `page`, of rows, which are there in any case: nothing is held for a reader of them. */
  rows(cursor: number, max: number, ended: boolean): SettledRows {
    const { chosen, to, settled, atEnd } = this.choose(
      cursor,
      max,
      (item) => !(item instanceof ConnectionRecord) && (this.inStep || !item.evicted),
    );
    const rows = chosen.map((item) => (item as KeptExchange).row());
    return { rows, cursor: to, skipped: settled - rows.length, done: ended && atEnd };
  }

  /** @param load makes an exchange that is not held any more; null when its row is gone too */
  async page(
    cursor: number,
    max: number,
    ended: boolean,
    load: (kept: KeptExchange) => Promise<Exchange | null>,
  ): Promise<SettledPage> {
    this.active = true;
    const { chosen, to, settled, atEnd } = this.choose(
      cursor,
      max,
      (item) => item instanceof ConnectionRecord || this.inStep || !item.evicted || this.recent.has(item),
    );
    const held = chosen.map((item) => (item instanceof ConnectionRecord ? null : this.held(item)));
    const items: Settled[] = [];
    let exchanges = 0;
    for (let index = 0; index < chosen.length; index += 1) {
      const item = chosen[index]!;
      if (item instanceof ConnectionRecord) {
        items.push({ kind: 'connection', connection: item.summary() });
        continue;
      }
      const exchange = held[index] ?? (await load(item));
      if (exchange === null) continue;
      exchanges += 1;
      items.push({ kind: 'exchange', exchange });
    }
    return { items, cursor: to, skipped: settled - exchanges, done: ended && atEnd };
  }

  /** At most `max` items from a cursor on; `settled` counts the exchanges passed on the way, chosen or not. */
  private choose(
    cursor: number,
    max: number,
    wanted: (item: Item) => boolean,
  ): { readonly chosen: Item[]; readonly to: number; readonly settled: number; readonly atEnd: boolean } {
    const chosen: Item[] = [];
    let i = this.items.lowerBound(cursor, (item) => item.sequence);
    const before = this.cursors.get(cursor) ?? this.items.at(i)?.settledBefore ?? this.settled;
    for (; i < this.items.length && chosen.length < max; i += 1) {
      const item = this.items.at(i)!;
      if (!wanted(item)) continue;
      if (!(item instanceof ConnectionRecord) && this.waits(item.n)) break;
      chosen.push(item);
    }
    const last = chosen.at(-1);
    const atEnd = i === this.items.length;
    const to = atEnd ? this.next : last === undefined ? cursor : last.sequence + 1;
    const after = atEnd ? this.settled : last === undefined ? before : settledAfter(last);
    this.remember(to, after);
    return { chosen, to, settled: after - before, atEnd };
  }

  private add(item: Item): void {
    item.sequence = this.next;
    item.settledBefore = this.settled;
    this.next += 1;
    this.items.push(item);
    if (!this.inStep && this.items.length >= this.sweepAt) this.sweep();
  }

  /** Who reads late finds the connections of this time still there, like the exchanges. */
  private sweep(): void {
    const first = this.recent.keys().next();
    const oldest = first.done ? this.next : first.value.sequence;
    this.items.retain((item) =>
      item instanceof ConnectionRecord
        ? !item.forgotten || (this.active && item.sequence >= oldest)
        : !item.evicted || this.recent.has(item),
    );
    this.sweepAt = Math.max(SWEEP_AT_LEAST, this.items.length * 1.5);
  }

  private hold(kept: KeptExchange, exchange: Exchange): void {
    const before = this.recent.get(kept);
    const weight = weightOf(exchange);
    this.recent.set(kept, { exchange, weight });
    this.recentWeight += weight - (before?.weight ?? 0);
    if (this.recentWeight <= RECENT_LIMIT) return;
    for (const [oldest, { weight: freed }] of this.recent) {
      if (this.recentWeight <= RECENT_LIMIT) break;
      this.recent.delete(oldest);
      this.recentWeight -= freed;
    }
  }

  private remember(cursor: number, before: number): void {
    this.cursors.delete(cursor);
    this.cursors.set(cursor, before);
    for (const old of this.cursors.keys()) {
      if (this.cursors.size <= CURSORS_KEPT) break;
      if (old !== 0) this.cursors.delete(old);
    }
  }
}

function settledAfter(item: Item): number {
  return item.settledBefore + (item instanceof ConnectionRecord ? 0 : 1);
}
