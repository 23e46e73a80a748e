import type { ConnectionEvent } from '../model/connection-event.js';
import type { Exchange, RecordEntry, StreamName } from '../model/exchange.js';
import { STREAM_NAMES } from '../model/exchange.js';
import type { Timestamp } from '../model/time.js';
import type { Analyzer, Protocol } from '../protocol/analyzer.js';
import type { ByteStore, StoreReader } from './byte-store.js';
import type { KeptExchange } from './kept-exchange.js';
import type { Pace } from './pace.js';
import { type Piece, readPieces, type Seen } from './raw-reader.js';

/** Timeline entries that a replay keeps; more are made anew for each page. */
export const ENTRIES_KEPT = 20_000;
/** Places of stream content that a replay keeps, 24 bytes each. */
export const PIECES_KEPT = 100_000;

export interface ReplayWish {
  /** The first timeline entry to keep. */
  readonly entriesFrom: number;
  /** Keep only places that overlap this range; null for all. */
  readonly range: { readonly stream: StreamName; readonly from: number; readonly to: number } | null;
}

const EVERYTHING: ReplayWish = { entriesFrom: 0, range: null };

/**
 * One exchange made anew: the stored events from its clean point on, pushed through a fresh analyzer. It can be advanced while the
 * exchange is open, and remembers the timeline and where each stream's content lies, both up to a limit.
 */
export class Replay {
  /** The analyzer's object; null when it has not been opened (yet), or its beginning is lost. */
  exchange: Exchange | null = null;
  /**
   * When the first bytes passed that are not there any more, or never were recorded; null when all are there. What is told of later
   * times may be less than what was seen, or other.
   */
  lostFrom: Timestamp | null = null;
  /** All records so far, those that are not in `entries` too. */
  records = 0;
  readonly entries: RecordEntry[] = [];
  /** True when there were more places than PIECES_KEPT. */
  overflowed = false;
  private readonly pieces = new Map<StreamName, number[]>();
  private readonly lengths = new Map<StreamName, number>();
  private count = 0;
  private readonly analyzer: Analyzer;
  /** For `push` only, which runs once at a time: who reads content at the same time has one of their own. */
  private readonly reader: StoreReader;
  private broken = false;
  /** The event to push next, and how many exchanges it has opened. */
  private next: number;
  private openedByEvent = 0;
  private tail: Promise<void> = Promise.resolve();

  constructor(
    private readonly kept: KeptExchange,
    protocol: Protocol,
    private readonly store: ByteStore,
    private readonly wish = EVERYTHING,
  ) {
    const { connection, clean } = kept;
    this.reader = store.reader();
    this.next = clean.event;
    this.analyzer = protocol.analyze({
      connection: connection.id,
      client: connection.client,
      server: connection.server,
      at: connection.at,
      midstream: connection.midstream && clean.event === 0,
      offsets: { client: clean.client, server: clean.server },
      opened: clean.opened,
      nextNumber: () => this.number(),
      sink: (event) => {
        if (event.exchange.n === kept.n) this.exchange = event.exchange;
      },
      observer: (exchange, entry) => {
        if (exchange?.n === kept.n) this.observe(entry);
      },
    });
  }

  /** Resolves when the event `last` has been taken in. Callers at the same time wait for one another. */
  advance(last: number, pace: Pace): Promise<void> {
    this.tail = this.tail.then(() => this.push(last, pace));
    return this.tail;
  }

  /** Reads content of a stream into `into`, which stands for the range that begins at `from`; says which parts of it are there. */
  read(stream: StreamName, from: number, into: Uint8Array, pace: Pace): Promise<readonly Seen[]> {
    const places = this.pieces.get(stream) ?? [];
    const wanted: Piece[] = [];
    for (let i = firstEndingAfter(places, from); i < places.length; i += STRIDE) {
      const begin = places[i]!;
      if (begin >= from + into.length) break;
      const skip = Math.max(0, from - begin);
      const end = Math.min(begin + places[i + 2]!, from + into.length);
      const place = places[i + 1]!;
      wanted.push({
        side: place % 2 === 0 ? 'client' : 'server',
        offset: Math.floor(place / 2) + skip,
        length: end - begin - skip,
        target: begin + skip - from,
      });
    }
    return readPieces(this.kept, this.next, wanted, into, this.store.reader(), pace);
  }

  /** Reads a record from its header on, as it passed. */
  readRaw(entry: RecordEntry, into: Uint8Array, pace: Pace): Promise<readonly Seen[]> {
    const piece = { side: entry.side, offset: entry.offset, length: into.length, target: 0 };
    return readPieces(this.kept, this.next, [piece], into, this.store.reader(), pace);
  }

  /** How long a stream is so far, the missing bytes included. */
  lengthOf(stream: StreamName): number {
    return this.lengths.get(stream) ?? 0;
  }

  private async push(last: number, pace: Pace): Promise<void> {
    const { connection } = this.kept;
    const until = endOfStored(this.kept, this.next, last);
    for (; this.next <= last && !this.broken; this.next += 1) {
      if (!connection.has(this.next)) {
        this.lostFrom ??= Number.POSITIVE_INFINITY;
        this.broken = true;
        return;
      }
      if (pace.isOver) await pace.turn();
      this.openedByEvent = 0;
      const event = connection.event(this.next);
      if (event.kind !== 'bytes') this.analyze({ ...event, connection: connection.id });
      else {
        const { at, side, length, position } = event;
        const read = position < 0 ? null : this.reader.read(position, length, until);
        const bytes = read instanceof Promise ? await read : read;
        if (bytes === null) {
          this.lostFrom ??= at;
          this.analyze({ kind: 'gap', connection: connection.id, at, side, length });
        } else this.analyze({ kind: 'bytes', connection: connection.id, at, side, bytes, origin: position });
      }
    }
  }

  /** Where the analyzer failed on the live traffic, it fails again: what it had until then is what there is. */
  private analyze(event: ConnectionEvent): void {
    try {
      this.analyzer.push(event);
    } catch {
      this.broken = true;
    }
  }

  private number(): number {
    const isIt = this.next === this.kept.opening && this.openedByEvent === this.kept.nth;
    this.openedByEvent += 1;
    return isIt ? this.kept.n : 0;
  }

  private observe(entry: RecordEntry): void {
    this.records = entry.index + 1;
    if (entry.index >= this.wish.entriesFrom && this.entries.length < ENTRIES_KEPT) this.entries.push(entry);
    if (entry.streamOffset === null || entry.contentLength === 0) return;
    const stream = STREAM_OF_TYPE.get(entry.type);
    if (stream === undefined) return;
    const { range } = this.wish;
    const end = entry.streamOffset + entry.contentLength;
    this.lengths.set(stream, end);
    if (range !== null && (range.stream !== stream || entry.streamOffset >= range.to || end <= range.from)) return;
    if (this.count >= PIECES_KEPT && range === null) {
      this.overflowed = true;
      return;
    }
    this.count += 1;
    const places = this.pieces.get(stream) ?? [];
    if (places.length === 0) this.pieces.set(stream, places);
    places.push(
      entry.streamOffset,
      (entry.offset + RECORD_HEADER) * 2 + (entry.side === 'client' ? 0 : 1),
      entry.contentLength,
    );
  }
}

/** The header before each record's content (specification section 3.3). */
export const RECORD_HEADER = 8;
/** Numbers per place: where it begins in the stream, where in its side's stream (twice that, and 1 for the server's), its length. */
const STRIDE = 3;
const STREAM_OF_TYPE: ReadonlyMap<string, StreamName> = new Map(STREAM_NAMES.map((name) => [name.toUpperCase(), name]));

/** The index of the first place that ends after `offset`. */
function firstEndingAfter(places: readonly number[], offset: number): number {
  let low = 0;
  let high = places.length / STRIDE;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (places[middle * STRIDE]! + places[middle * STRIDE + 2]! <= offset) low = middle + 1;
    else high = middle;
  }
  return low * STRIDE;
}

/** Up to where the store will be read: the end of the last event's bytes. */
function endOfStored(kept: KeptExchange, first: number, last: number): number {
  for (let i = last; i >= first && kept.connection.has(i); i -= 1) {
    const event = kept.connection.event(i);
    if (event.kind === 'bytes' && event.position >= 0) return event.position + event.length;
  }
  return 0;
}
