import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionId, ConnectionSummary } from '../model/connection.js';
import type { CaptureSource } from '../model/connection-event.js';
import type { Exchange, StreamName } from '../model/exchange.js';
import type { Finding } from '../model/finding.js';
import type {
  BodyRange,
  Inspection,
  Overview,
  RecordBytes,
  RecordPage,
  RowPage,
  RowQuery,
  SettledPage,
  SettledRows,
} from '../model/inspection.js';
import type { LogLine } from '../model/log-line.js';
import type { Surroundings } from '../model/surroundings.js';
import type { Timestamp } from '../model/time.js';
import type { Protocol } from '../protocol/analyzer.js';
import type { ByteStore } from './byte-store.js';
import { ExchangeReader } from './exchange-reader.js';
import type { KeptExchange } from './kept-exchange.js';
import type { LogBook } from './log-book.js';
import { Pace } from './pace.js';
import { Recorder, summaryOf } from './recorder.js';
import { RowViews } from './row-views.js';

/** What is kept unless told otherwise: below a kilobyte each, some tens of megabytes. */
export const DEFAULT_MAX_REQUESTS = 100_000;
const WARNINGS_KEPT = 50;
/**
 * Milliseconds between two notices of change. Readers answer each with questions: without this the busiest traffic would be asked about
 * the most. Shorter than a frame of the terminal UI.
 */
const NOTICE_INTERVAL = 25;

export interface SessionOptions {
  readonly source: CaptureSource;
  readonly protocol: Protocol;
  readonly store: ByteStore;
  /** Microseconds since the epoch; of a capture, the time to which it has been read. */
  readonly clock: () => Timestamp;
  readonly maxRequests?: number;
  /** Called once as an exchange settles, and whenever it is made anew: the same exchange must give the same findings. */
  readonly diagnose?: (exchange: Exchange, surroundings: Surroundings | null) => readonly Finding[];
  /** Lines of logs that may be about its requests. */
  readonly logs?: LogBook;
  /** Severity and title of a finding that cannot be made anew because the bytes that it stood on are gone; null when nobody knows. */
  readonly describe?: (id: string) => Pick<Finding, 'severity' | 'title'> | null;
}

/**
 * A source's traffic as readers see it. Of each exchange memory holds a row and where its events begin and end; all else is made anew by
 * replaying those events through a fresh analyzer, which is exact because analyzers are deterministic.
 */
export class Session implements Inspection {
  private readonly recorder: Recorder;
  private readonly reader: ExchangeReader;
  private readonly views: RowViews;
  private readonly listeners = new Set<() => void>();
  private readonly notices: string[] = [];
  private noticeCount = 0;
  private readonly startedAt: Timestamp;
  /** A listener may be told once more. */
  private armed = false;
  /** By the clock of this process, in milliseconds: that of a capture says nothing of its readers. */
  private lastNotice = Number.NEGATIVE_INFINITY;
  private live = true;
  private storeError: string | null = null;
  /** Settled requests of which a log has told something; looked at anew at once. */
  private readonly told = new Set<number>();
  private waiting: NodeJS.Timeout | null = null;

  constructor(private readonly options: SessionOptions) {
    const { protocol, store, clock, maxRequests = DEFAULT_MAX_REQUESTS, describe = () => null } = options;
    const diagnose = (exchange: Exchange, surroundings: Surroundings | null) => this.diagnose(exchange, surroundings);
    const changed = () => this.changed();
    this.startedAt = clock();
    this.recorder = new Recorder({
      protocol,
      store,
      maxRequests,
      diagnose,
      clock,
      changed,
      settled: (kept, amended) => this.views.offer(kept, amended),
      awaited: (n) => this.isAwaited(n),
      warn: (text) => this.warn(text),
    });
    this.reader = new ExchangeReader(protocol, store, { diagnose, describe });
    const { index, open } = this.recorder;
    options.logs?.listen((n) => this.lookAgain(n));
    this.views = new RowViews({ index, open, reader: this.reader, pace: () => this.pace(), changed });
  }

  /** Resolves when traffic can arrive; rejects as the source does. */
  start(): Promise<void> {
    return this.options.source.start(this.recorder.accept);
  }

  /**
   * For the driver of a source with an end: takes in some more of it. False when it has ended, by itself or because it was stopped.
   * @param inStep all readers were given everything so far and will not come back to it: it is forgotten, which is not evicting
   */
  async advance(inStep = false): Promise<boolean> {
    const { source, store } = this.options;
    if (!this.live || source.advance === undefined) return false;
    if (inStep) this.recorder.letGo();
    // A capture can wait for the disk, other than traffic.
    while (store.isFull && this.live) await sleep(1);
    const more = await source.advance();
    if (!more) this.ended();
    return more;
  }

  /** Something people should know that is not said of a connection; for whoever wires the session. */
  warn(text: string): void {
    this.notices.push(text);
    this.noticeCount += 1;
    if (this.notices.length > WARNINGS_KEPT) this.notices.shift();
    this.changed();
  }

  async overview(): Promise<Overview> {
    this.armed = true;
    const { store, source, clock } = this.options;
    const { connections, open, index, total, completed, findings, gauge } = this.recorder;
    const spool = store.status();
    if (spool.error !== this.storeError) {
      this.storeError = spool.error;
      this.warn(spool.error ?? 'bytes are being recorded again');
    }
    return {
      sources: source.description,
      startedAt: source.advance === undefined ? this.startedAt : (this.recorder.since ?? this.startedAt),
      live: this.live,
      progress: source.progress ?? null,
      connections: { total: connections.total, open: connections.live.size },
      exchanges: {
        total,
        open: open.size,
        kept: index.length,
        completed,
      },
      evicted: index.evicted,
      findings: { ...findings },
      requestsPerSecond: gauge.perSecond(clock()),
      ...gauge.percentiles(),
      spool,
      logLines: this.options.logs?.lines ?? 0,
      warnings: [...this.notices],
      warningCount: this.noticeCount,
    };
  }

  async rows(query: RowQuery): Promise<RowPage> {
    this.armed = true;
    return this.views.page(query);
  }

  async exchange(n: number): Promise<Exchange | null> {
    this.armed = true;
    const kept = this.recorder.index.get(n);
    return kept === null ? null : this.whole(kept);
  }

  async records(n: number, from: number, count: number): Promise<RecordPage> {
    this.armed = true;
    const kept = this.recorder.index.get(n);
    return kept === null ? { records: [], from, total: 0 } : this.reader.records(kept, from, count, this.pace());
  }

  async recordBytes(n: number, index: number): Promise<RecordBytes | null> {
    this.armed = true;
    const kept = this.recorder.index.get(n);
    return kept === null ? null : this.reader.recordBytes(kept, index, this.pace());
  }

  async body(n: number, stream: StreamName, from: number, length: number): Promise<BodyRange> {
    this.armed = true;
    const kept = this.recorder.index.get(n);
    if (kept === null) return { bytes: new Uint8Array(0), from, gaps: [], total: 0 };
    return this.reader.body(kept, stream, from, length, this.pace());
  }

  async logs(n: number): Promise<readonly LogLine[]> {
    this.armed = true;
    const { logs } = this.options;
    const exchange = logs === undefined ? null : await this.exchange(n);
    return exchange === null ? [] : logs!.linesOf(exchange);
  }

  async connection(id: ConnectionId): Promise<ConnectionSummary | null> {
    this.armed = true;
    const record = this.recorder.connections.find(id);
    return record === null ? null : summaryOf(record);
  }

  async settledRows(cursor: number, max: number): Promise<SettledRows> {
    this.armed = true;
    return this.recorder.log.rows(cursor, max, !this.live);
  }

  async settled(cursor: number, max: number): Promise<SettledPage> {
    this.armed = true;
    return this.recorder.log.page(cursor, max, !this.live, (kept) =>
      kept.evicted ? Promise.resolve(null) : this.whole(kept),
    );
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async stop(grace: number): Promise<void> {
    this.armed = true;
    await this.options.source.stop(grace, (id) => {
      const live = this.recorder.connections.live.get(id)?.live ?? null;
      if (live === null) return true;
      // What is not decoded, or not whole, may be half of a request or of an answer. A half-close is all one: no request waits for it.
      return live.open === 0 && (live.analyzer?.quiet ?? false);
    });
    this.ended();
  }

  async close(): Promise<void> {
    if (this.live) await this.stop(0);
    if (this.waiting !== null) clearTimeout(this.waiting);
    this.listeners.clear();
    this.views.clear();
    await this.options.store.close();
  }

  /**
   * The store gives the positions from `from` to `to` up. Unremarkable exchanges with bytes there are evicted. The bytes of remarkable
   * ones are stored anew, unless time is short; of those that take more than `budget` together, the largest become gaps: one long download
   * must not cost a hundred small failures theirs.
   */
  async makeRoom(from: number, to: number, budget: number, hurry: () => boolean): Promise<void> {
    const pace = this.pace();
    const doomed = new Set<KeptExchange>();
    const remarkable: { readonly kept: KeptExchange; readonly bytes: number }[] = [];
    for (const kept of this.recorder.index.all()) {
      if (pace.isOver) await pace.turn();
      if (kept.isRemarkable) remarkable.push({ kept, bytes: kept.storedBytes() });
      else if (kept.hasBytesIn(from, to)) doomed.add(kept);
    }
    this.recorder.index.evictAll(doomed);
    this.changed();
    // Of equal ones the newest first: they are looked at soonest.
    remarkable.sort((a, b) => a.bytes - b.bytes || b.kept.n - a.kept.n);
    let left = budget;
    for (const { kept, bytes } of remarkable) {
      left -= bytes;
      if (left < 0 || hurry()) return;
      if (pace.isOver) await pace.turn();
      if (!kept.evicted && kept.hasBytesIn(from, to)) await this.reader.storeAnew(kept, from, to, hurry, pace);
    }
  }

  /** The source has said its last: what it has not closed is closed. */
  private ended(): void {
    if (!this.live) return;
    const at = this.options.clock();
    for (const id of [...this.recorder.connections.live.keys()])
      this.recorder.accept({ kind: 'closed', connection: id, at });
    this.live = false;
    this.changed();
  }

  private async whole(kept: KeptExchange): Promise<Exchange | null> {
    return this.recorder.log.held(kept) ?? this.reader.exchange(kept, this.pace());
  }

  private diagnose(exchange: Exchange, surroundings: Surroundings | null): readonly Finding[] {
    const { logs } = this.options;
    if (this.options.diagnose === undefined) return exchange.findings;
    try {
      const findings = this.options.diagnose(exchange, surroundings);
      return logs === undefined ? findings : logs.diagnose(exchange, findings);
    } catch (error) {
      this.warn(`request ${exchange.n} could not be diagnosed: ${(error as Error).message}`);
      return [];
    }
  }

  /** For whoever reads logs: a line of one. @param arrival when it was read; null when it may be old */
  log(file: string, line: number | null, text: string, arrival: Timestamp | null): void {
    this.options.logs?.add(file, line, text, arrival);
    this.changed();
  }

  private isAwaited(n: number): boolean {
    const { logs } = this.options;
    if (logs === undefined || !logs.isAwaited(n)) return false;
    // Readers ask again when they are told of a change: without any they would wait for ever.
    this.waiting ??= setTimeout(() => {
      this.waiting = null;
      this.changed();
    }, logs.patience);
    return true;
  }

  /** A log says something of a settled request. */
  private lookAgain(n: number): void {
    if (this.told.has(n)) return;
    this.told.add(n);
    setImmediate(() => {
      this.told.delete(n);
      this.lookedAt(n).catch((error: Error) =>
        this.warn(`request ${n} could not be looked at again: ${error.message}`),
      );
    });
  }

  private async lookedAt(n: number): Promise<void> {
    const kept = this.recorder.index.get(n);
    if (kept === null || kept.live !== null) return;
    const exchange = await this.whole(kept);
    if (exchange === null || kept.evicted) return;
    this.recorder.amend(kept, exchange);
    this.changed();
  }

  private pace(): Pace {
    return new Pace(() => this.recorder.events);
  }

  /** Tells listeners once, after the relay's turn and not too often; the next question arms it again. */
  private changed(): void {
    if (!this.armed || this.listeners.size === 0) return;
    this.armed = false;
    const sinceLast = performance.now() - this.lastNotice;
    if (sinceLast >= NOTICE_INTERVAL) setImmediate(this.tell);
    else setTimeout(this.tell, NOTICE_INTERVAL - Math.max(0, sinceLast)).unref();
  }

  private readonly tell = (): void => {
    this.lastNotice = performance.now();
    for (const listener of this.listeners) listener();
  };
}
