import type { Exchange, StreamName } from '../model/exchange.js';
import {
  BODY_PER_READ,
  type BodyRange,
  RECORDS_PER_PAGE,
  type RecordBytes,
  type RecordPage,
} from '../model/inspection.js';
import type { Protocol } from '../protocol/analyzer.js';
import type { ByteStore } from './byte-store.js';
import { snapshot } from './exchange-snapshot.js';
import { type Diagnosis, fromRow, later } from './incomplete-exchange.js';
import type { KeptExchange } from './kept-exchange.js';
import type { Pace } from './pace.js';
import { gapsBetween } from './raw-reader.js';
import { ENTRIES_KEPT, RECORD_HEADER, Replay, type ReplayWish } from './replay.js';

/** Replays kept for the next question about the same exchange: what a screen and an exporter look at, and a few to come back to. */
const REPLAYS_KEPT = 8;
/** A slice of a stream that is searched. */
const SLICE = 256 * 1024;

/** Makes exchanges, timelines and bodies anew from what is stored. */
export class ExchangeReader {
  /** The last used is the last. */
  private readonly replays = new Map<KeptExchange, Replay>();

  constructor(
    private readonly protocol: Protocol,
    private readonly store: ByteStore,
    private readonly diagnosis: Diagnosis,
  ) {}

  async exchange(kept: KeptExchange, pace: Pace): Promise<Exchange> {
    const { live } = kept;
    if (live !== null) return kept.connection.live?.inFlight.exchange(kept, live) ?? snapshot(live, live.findings);
    return this.finish(kept, await this.replay(kept, pace));
  }

  /** Like exchange(), without keeping the replay: for those who go through all. */
  async exchangeOnce(kept: KeptExchange, pace: Pace): Promise<Exchange> {
    const replay = this.fresh(kept);
    await replay.advance(lastEventOf(kept), pace);
    return this.finish(kept, replay);
  }

  async records(kept: KeptExchange, from: number, count: number, pace: Pace): Promise<RecordPage> {
    const first = Math.max(0, from);
    const last = first + Math.min(Math.max(0, count), RECORDS_PER_PAGE);
    let replay = await this.replay(kept, pace);
    let skipped = 0;
    if (replay.records > ENTRIES_KEPT && last > ENTRIES_KEPT) {
      replay = await this.special(kept, { entriesFrom: first, range: null }, pace);
      skipped = first;
    }
    return { records: replay.entries.slice(first - skipped, last - skipped), from: first, total: replay.records };
  }

  async recordBytes(kept: KeptExchange, index: number, pace: Pace): Promise<RecordBytes | null> {
    const page = await this.records(kept, index, 1, pace);
    const entry = page.records[0];
    if (entry === undefined || index < 0) return null;
    const replay = await this.replay(kept, pace);
    const bytes = new Uint8Array(RECORD_HEADER + entry.contentLength);
    const seen = await replay.readRaw(entry, bytes, pace);
    const content = seen.map(([from, to]) =>
      bytes.subarray(Math.max(RECORD_HEADER, from), Math.max(RECORD_HEADER, to)),
    );
    const length = content.reduce((sum, part) => sum + part.length, 0);
    return {
      header: bytes.slice(0, RECORD_HEADER),
      content: new Uint8Array(Buffer.concat(content)),
      missing: entry.contentLength - length,
    };
  }

  async body(kept: KeptExchange, stream: StreamName, from: number, length: number, pace: Pace): Promise<BodyRange> {
    return this.range(kept, await this.replay(kept, pace), stream, from, length, pace);
  }

  /** A stream from its beginning in slices, each borrowed until the next; bytes that are not there are left out. */
  async *slices(kept: KeptExchange, stream: StreamName, pace: Pace): AsyncGenerator<Uint8Array> {
    const replay = this.fresh(kept);
    await replay.advance(lastEventOf(kept), pace);
    for (let from = 0; ; ) {
      const { bytes, gaps } = await this.range(kept, replay, stream, from, SLICE, pace);
      if (bytes.length === 0) return;
      let at = 0;
      for (const [begin, end] of gaps) {
        if (begin - from > at) yield bytes.subarray(at, begin - from);
        at = end - from;
      }
      if (at < bytes.length) yield bytes.subarray(at);
      from += bytes.length;
    }
  }

  /** Appends the bytes of an exchange that lie at the positions from `from` to `to` anew, as long as there is no hurry. */
  async storeAnew(kept: KeptExchange, from: number, to: number, hurry: () => boolean, pace: Pace): Promise<void> {
    const { connection, clean } = kept;
    const channel = connection.live?.channel ?? this.store.channel(connection.id, connection.client, connection.server);
    const reader = this.store.reader();
    const passed = { client: clean.client, server: clean.server };
    for (let i = clean.event; i <= lastEventOf(kept) && !kept.evicted && connection.has(i); i += 1) {
      const event = connection.event(i);
      if (event.kind !== 'bytes' && event.kind !== 'gap') continue;
      const { side, length, at } = event;
      const offset = passed[side];
      passed[side] += length;
      if (event.kind === 'gap' || event.position < from || event.position >= to) continue;
      if (pace.isOver) await pace.turn();
      while (this.store.isFull && !hurry()) await pace.turn();
      if (hurry()) return;
      const bytes = await reader.read(event.position, length, to);
      if (bytes === null || !connection.has(i)) continue;
      const position = channel.append(side, offset, side === 'client' ? passed.server : passed.client, bytes, at, -1);
      if (position >= 0) connection.move(i, position);
    }
  }

  private async range(
    kept: KeptExchange,
    general: Replay,
    stream: StreamName,
    from: number,
    length: number,
    pace: Pace,
  ): Promise<BodyRange> {
    const total = general.lengthOf(stream);
    const begin = Math.min(Math.max(0, from), total);
    const bytes = new Uint8Array(Math.max(0, Math.min(length, BODY_PER_READ, total - begin)));
    if (bytes.length === 0) return { bytes, from: begin, gaps: [], total };
    const range = { stream, from: begin, to: begin + bytes.length };
    const replay = general.overflowed ? await this.special(kept, { entriesFrom: 0, range }, pace) : general;
    const seen = await replay.read(stream, begin, bytes, pace);
    return { bytes, from: begin, gaps: gapsBetween(seen, bytes.length, begin), total };
  }

  private async replay(kept: KeptExchange, pace: Pace): Promise<Replay> {
    const replay = this.replays.get(kept) ?? this.fresh(kept);
    this.replays.delete(kept);
    this.replays.set(kept, replay);
    for (const oldest of this.replays.keys()) {
      if (this.replays.size <= REPLAYS_KEPT) break;
      this.replays.delete(oldest);
    }
    await replay.advance(lastEventOf(kept), pace);
    return replay;
  }

  private async special(kept: KeptExchange, wish: ReplayWish, pace: Pace): Promise<Replay> {
    const replay = new Replay(kept, this.protocol, this.store, wish);
    await replay.advance(lastEventOf(kept), pace);
    return replay;
  }

  private fresh(kept: KeptExchange): Replay {
    return new Replay(kept, this.protocol, this.store);
  }

  private finish(kept: KeptExchange, replay: Replay): Exchange {
    const made = replay.exchange;
    if (made === null || replay.lostFrom !== null) return fromRow(kept, replay, this.diagnosis);
    if (made.outcome !== null) return snapshot(made, this.diagnosis.diagnose(made, kept.surroundings));
    // Our decoder failed on it, then and now.
    const { outcome, total, at } = kept.row();
    const exchange = snapshot({ ...made, outcome, times: { ...made.times, end: later(at, total) } }, []);
    return { ...exchange, findings: this.diagnosis.diagnose(exchange, kept.surroundings) };
  }
}

function lastEventOf(kept: KeptExchange): number {
  return kept.live === null ? kept.lastEvent : kept.connection.events - 1;
}
