import type {
  ConnectFailure,
  ConnectionId,
  ConnectionSummary,
  EndedBy,
  EndKind,
  Endpoint,
  Side,
} from '../model/connection.js';
import type { ConnectionEvent } from '../model/connection-event.js';
import type { Timestamp } from '../model/time.js';
import type { Analyzer } from '../protocol/analyzer.js';
import type { StoreChannel } from './byte-store.js';
import type { ConnectionWatch } from './connection-watch.js';
import type { InFlight } from './in-flight.js';
import type { KeptExchange } from './kept-exchange.js';

/** Where a replay may start: before this event no request was open and both directions stood between records. */
export interface CleanPoint {
  readonly event: number;
  readonly client: number;
  readonly server: number;
  readonly opened: number;
}

/** The beginning of any connection; shared, as most need no other. */
export const BEGINNING: CleanPoint = { event: 0, client: 0, server: 0, opened: 0 };

/** An event as it is kept: bytes are replaced by their position in the store, -1 when they could not be recorded. */
export type StoredEvent =
  | StoredBytes
  | {
      readonly kind: 'gap';
      readonly at: Timestamp;
      readonly side: Side;
      readonly length: number;
    }
  | { readonly kind: 'end'; readonly at: Timestamp; readonly side: Side; readonly how: EndKind }
  | { readonly kind: 'failed'; readonly at: Timestamp; readonly failure: ConnectFailure }
  | { readonly kind: 'closed'; readonly at: Timestamp };

export interface StoredBytes {
  readonly kind: 'bytes';
  readonly at: Timestamp;
  readonly side: Side;
  readonly length: number;
  readonly position: number;
}

/** What only a connection that is not closed has. */
export interface LiveConnection {
  /** Null when our decoder failed on it. */
  analyzer: Analyzer | null;
  readonly channel: StoreChannel;
  /** The newest clean point. */
  clean: CleanPoint;
  /** Bytes passed so far, the gaps included: the stream offsets of what comes next. */
  readonly passed: { client: number; server: number };
  /** Exchanges of this connection that are open. */
  open: number;
  /** Exchanges opened by the event that is being taken in. */
  openedByEvent: number;
  readonly watch: ConnectionWatch;
  readonly inFlight: InFlight;
  /** What takes the place of the analyzer's summary once it has failed. */
  lost: ConnectionSummary | null;
}

const KINDS = ['bytes', 'gap', 'end', 'failed', 'closed'] as const;
const SIDES: readonly Side[] = ['client', 'server'];
const ENDINGS: readonly EndKind[] = ['fin', 'reset', 'timeout', 'capture-end'];
const ENDERS: readonly EndedBy[] = ['web-server', 'backend', 'timeout', 'capture-end'];
/** Numbers per event: when, where, and what (kind, side, ending and length in one). */
const STRIDE = 3;
/** Numbers of a packed summary. */
const TOTALS = 9;
/** Events that nobody needs are forgotten when that is worth the copying. */
const TRIM_AT_LEAST = 256;
/** All events, from the first on; shared, as most connections forget none. */
const ALL_EVENTS: readonly number[] = Object.freeze([0, 0]);

/** One connection as it is remembered: its events without their bytes. */
export class ConnectionRecord {
  /** Its place in the log of what settled and ended; -1 while it is not closed. */
  sequence = -1;
  /** How many exchanges had settled before it was closed. */
  settledBefore = 0;
  /** How many of its exchanges are in the index. */
  kept = 0;
  /** How many events there have been, while it is live; the number of the next. */
  events = 0;
  /** It is not in the session's table any more. */
  forgotten = false;
  /**
   * A plain array of doubles: 24 bytes an event, and no objects. When the connection is closed, its summary's numbers are put behind the
   * events. Events may be forgotten anywhere: `runs` has, for each run of events that are still there, the number of the first and how
   * many others stand before it. While the connection is live the last run goes on.
   */
  private numbers: number[] = [];
  private runs = ALL_EVENTS;
  private rare: Rare = NOTHING_RARE;
  /** Its kept exchanges in the order of their opening, linked by `next` and `previous`. */
  private first: KeptExchange | null = null;
  private last: KeptExchange | null = null;
  /** How many events were left, and how many exchanges were kept, when events were last forgotten. */
  private left = 0;
  private keptThen = 0;

  constructor(
    readonly id: ConnectionId,
    readonly client: Endpoint,
    readonly server: Endpoint,
    readonly at: Timestamp,
    readonly midstream: boolean,
    public live: LiveConnection | null,
  ) {}

  /** How many of them are still known. */
  get remembered(): number {
    return (this.numbers.length - (this.live === null ? TOTALS : 0)) / STRIDE;
  }

  /** Whether an event is still known. */
  has(index: number): boolean {
    return this.place(index) >= 0;
  }

  addBytes(at: Timestamp, side: Side, length: number, position: number): void {
    this.events += 1;
    this.numbers.push(at, position, 16 * 2 * length + (side === 'client' ? 0 : 16));
  }

  addOther(event: Extract<ConnectionEvent, { kind: 'gap' | 'end' | 'failed' | 'closed' }>): void {
    this.events += 1;
    let what = KINDS.indexOf(event.kind);
    let length = 0;
    if (event.kind === 'gap') length = event.length;
    if (event.kind === 'end') length = ENDINGS.indexOf(event.how);
    if ('side' in event && event.side === 'server') what += 16;
    this.numbers.push(event.at, -1, 16 * 2 * length + what);
    if (event.kind === 'failed') this.rare = { ...this.rare, failure: event.failure };
  }

  /** Of an event that is still known. */
  event(index: number): StoredEvent {
    const i = this.place(index);
    const at = this.numbers[i]!;
    const what = this.numbers[i + 2]!;
    const kind = KINDS[what % 16]!;
    const side = SIDES[Math.floor(what / 16) % 2]!;
    const length = Math.floor(what / 32);
    switch (kind) {
      case 'bytes':
        return { kind, at, side, length, position: this.numbers[i + 1]! };
      case 'gap':
        return { kind, at, side, length };
      case 'end':
        return { kind, at, side, how: ENDINGS[length]! };
      case 'failed':
        return { kind, at, failure: this.rare.failure! };
      case 'closed':
        return { kind, at };
    }
  }

  /** The position of an event's bytes; -1 when it has none. */
  position(index: number): number {
    return this.numbers[this.place(index) + 1]!;
  }

  move(index: number, position: number): void {
    this.numbers[this.place(index) + 1] = position;
  }

  keep(exchange: KeptExchange): void {
    this.kept += 1;
    exchange.previous = this.last;
    if (this.last === null) this.first = exchange;
    else this.last.next = exchange;
    this.last = exchange;
  }

  /** One of the kept exchanges has been evicted: lets go of it, and, when there are many, of the events that only it needed. */
  release(exchange: KeptExchange): void {
    this.kept -= 1;
    const { previous, next } = exchange;
    if (previous === null) this.first = next;
    else previous.next = next;
    if (next === null) this.last = previous;
    else next.previous = previous;
    exchange.previous = null;
    exchange.next = null;
    // When they are twice as many as were left, or half of the exchanges have gone: each event is copied a few times at most.
    if (this.remembered < TRIM_AT_LEAST) return;
    if (this.remembered >= 2 * this.left || this.kept * 2 < this.keptThen) this.forget();
  }

  /** Keeps the events of the kept exchanges, and of a live connection those that the next one may need. */
  private forget(): void {
    const end = this.events;
    const runs: number[] = [];
    const numbers: number[] = [];
    let next = 0;
    const need = (from: number, to: number) => {
      for (let event = Math.max(from, next); event < to; event += 1) {
        const i = this.place(event);
        if (i < 0) continue;
        if (event !== next || runs.length === 0) runs.push(event, numbers.length / STRIDE);
        numbers.push(this.numbers[i]!, this.numbers[i + 1]!, this.numbers[i + 2]!);
        next = event + 1;
      }
    };
    for (let kept = this.first; kept !== null; kept = kept.next) {
      need(kept.clean.event, kept.live === null ? kept.lastEvent + 1 : end);
    }
    if (this.live !== null) need(this.live.clean.event, end);
    this.left = numbers.length / STRIDE;
    this.keptThen = this.kept;
    if (next !== end || runs.length === 0) runs.push(end, this.left);
    if (this.live === null) numbers.push(...this.numbers.slice(-TOTALS));
    this.numbers = numbers;
    this.runs = runs;
  }

  /** Where an event's numbers begin; -1 when it is not known any more. */
  private place(index: number): number {
    const { runs } = this;
    let low = 0;
    let high = runs.length / 2 - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (runs[middle * 2]! <= index) low = middle;
      else high = middle - 1;
    }
    const within = index - runs[low * 2]!;
    const after = runs[low * 2 + 3] ?? this.remembered;
    const at = runs[low * 2 + 1]! + within;
    return within < 0 || at >= after ? -1 : at * STRIDE;
  }

  /** The source has let go: keeps the summary's numbers only. */
  close(summary: ConnectionSummary): void {
    this.numbers.push(
      summary.endedAt ?? -1,
      summary.endedBy === null ? -1 : ENDERS.indexOf(summary.endedBy),
      summary.how === null ? -1 : ENDINGS.indexOf(summary.how),
      summary.requests,
      summary.bytes.client,
      summary.bytes.server,
      summary.managementRecords,
      summary.problems,
      summary.undecoded ? 1 : 0,
    );
    // A copy has no room to grow.
    this.numbers = this.numbers.slice();
    if (summary.notes.length > 0) this.rare = { ...this.rare, notes: summary.notes };
    if (summary.failure !== null) this.rare = { ...this.rare, failure: summary.failure };
    this.live = null;
  }

  /** Of a closed connection. */
  summary(): ConnectionSummary {
    const [endedAt, endedBy, how, requests, client, server, managementRecords, problems, undecoded] =
      this.numbers.slice(-TOTALS) as [number, number, number, number, number, number, number, number, number];
    return {
      connection: this.id,
      client: this.client,
      server: this.server,
      at: this.at,
      endedBy: ENDERS[endedBy] ?? null,
      how: ENDINGS[how] ?? null,
      endedAt: endedAt < 0 ? null : endedAt,
      requests,
      bytes: { client, server },
      managementRecords,
      problems,
      failure: this.rare.failure,
      undecoded: undecoded === 1,
      notes: this.rare.notes,
    };
  }
}

interface Rare {
  readonly failure: ConnectFailure | null;
  readonly notes: readonly string[];
}
const NOTHING_RARE: Rare = { failure: null, notes: [] };
