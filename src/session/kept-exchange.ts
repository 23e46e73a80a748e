import type { Exchange, ExchangeRow } from '../model/exchange.js';
import { rowOf } from '../model/exchange-row.js';
import type { Surroundings } from '../model/surroundings.js';
import type { Beginning } from './backend-watch.js';
import type { CleanPoint, ConnectionRecord } from './connection-record.js';
import type { Glance } from './in-flight.js';

/** An exchange as it is remembered: its row, and where its bytes are to be found. */
export class KeptExchange {
  /** The last event that changed it: a replay ends there. */
  lastEvent: number;
  /** Its place in the log of what settled and ended; -1 while it is open. */
  sequence = -1;
  /** How many exchanges had settled before it. */
  settledBefore = 0;
  evicted = false;
  /** What there was when it began; null once it has settled. */
  beginning: Beginning | null = null;
  /** Null while it is open, and where nothing is remarkable about it. */
  surroundings: Surroundings | null = null;
  /** While it is open, what was found on it when somebody asked last. */
  glance: Glance | null = null;
  /** Its neighbours among the kept ones of its connection. */
  next: KeptExchange | null = null;
  previous: KeptExchange | null = null;

  /**
   * @param opening the event that opened it, and `nth` how many were opened before it by the same event
   * @param state the builder's live object while it is open, its row afterwards
   */
  constructor(
    readonly n: number,
    readonly connection: ConnectionRecord,
    readonly clean: CleanPoint,
    readonly opening: number,
    readonly nth: number,
    private state: Exchange | ExchangeRow,
  ) {
    this.lastEvent = opening;
  }

  /** The builder's object; null when it has settled. */
  get live(): Exchange | null {
    return 'times' in this.state ? this.state : null;
  }

  /** As of now. */
  row(): ExchangeRow {
    const { state } = this;
    if (!('times' in state)) return state;
    return this.connection.live?.inFlight.row(this, state) ?? rowOf(state);
  }

  settle(row: ExchangeRow): void {
    this.state = row;
    this.glance = null;
  }

  /** Whether the store has bytes of it at the positions from `from` to `to`. */
  hasBytesIn(from: number, to: number): boolean {
    return this.someEvent((event) => {
      const position = this.connection.position(event);
      return position >= from && position < to;
    });
  }

  /** How many bytes of it the store has. */
  storedBytes(): number {
    let sum = 0;
    this.someEvent((event) => {
      const stored = this.connection.event(event);
      if (stored.kind === 'bytes' && stored.position >= 0) sum += stored.length;
      return false;
    });
    return sum;
  }

  private someEvent(test: (event: number) => boolean): boolean {
    const last = this.live === null ? this.lastEvent : this.connection.events - 1;
    for (let i = this.clean.event; i <= last; i += 1) if (this.connection.has(i) && test(i)) return true;
    return false;
  }

  /** Worth keeping longer than its neighbours: something went wrong, or it is not over. */
  get isRemarkable(): boolean {
    if ('times' in this.state) return true;
    const { outcome, severity, status } = this.state;
    return (
      outcome !== 'completed' || severity === 'error' || severity === 'warning' || (status !== null && status >= 500)
    );
  }
}
