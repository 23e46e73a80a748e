import type { ConnectionId, ConnectionSummary } from '../model/connection.js';
import type { CaptureSource, ConnectionEvent } from '../model/connection-event.js';
import type { Exchange, StreamName } from '../model/exchange.js';
import type { ExchangeEvent } from '../model/exchange-event.js';
import { rowOf } from '../model/exchange-row.js';
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
} from '../model/inspection.js';
import type { Timestamp } from '../model/time.js';
import type { Analyzer, Protocol } from '../protocol/analyzer.js';
import type { ByteStore } from './byte-store.js';
import { BEGINNING, ConnectionRecord, type LiveConnection } from './connection-record.js';
import { ConnectionTable } from './connection-table.js';
import { ExchangeIndex } from './exchange-index.js';
import { ExchangeReader } from './exchange-reader.js';
import { snapshot } from './exchange-snapshot.js';
import { Interned } from './interned.js';
import { KeptExchange } from './kept-exchange.js';
import { Pace } from './pace.js';
import { RowViews } from './row-views.js';
import { SettledLog } from './settled-log.js';
import { TrafficGauge } from './traffic-gauge.js';

/** What is kept unless told otherwise: below a kilobyte each, some tens of megabytes. */
export const DEFAULT_MAX_REQUESTS = 100_000;
const WARNINGS_KEPT = 50;

export interface SessionOptions {
  readonly source: CaptureSource;
  readonly protocol: Protocol;
  readonly store: ByteStore;
  /** Microseconds since the epoch. */
  readonly clock: () => Timestamp;
  readonly maxRequests?: number;
  /** Called once as an exchange settles, and whenever it is made anew: the same exchange must give the same findings. */
  readonly diagnose?: (exchange: Exchange) => readonly Finding[];
}

/**
 * Takes in what a source says and answers readers. Of each exchange memory holds a row and where its events begin and end; all else is
 * made anew by replaying those events through a fresh analyzer, which is exact because analyzers are deterministic.
 *
 * `accept` runs in the relay's turn, after the bytes have been forwarded: it does no I/O, and nothing that goes wrong in it leaves it.
 */
export class Session implements Inspection {
  private readonly connections = new ConnectionTable();
  private readonly interned = new Interned();
  /** The open exchanges, in the order of their numbers; kept ones and such that had to be evicted before they settled. */
  private readonly open = new Map<number, KeptExchange>();
  private readonly index: ExchangeIndex;
  private readonly log = new SettledLog();
  private readonly gauge = new TrafficGauge();
  private readonly views: RowViews;
  private readonly reader: ExchangeReader;
  private readonly listeners = new Set<() => void>();
  private readonly notices: string[] = [];
  private readonly findings = { error: 0, warning: 0, note: 0 };
  private armed = false;
  private live = true;
  private readonly startedAt: Timestamp;
  private events = 0;
  private total = 0;
  private completed = 0;
  private storeError: string | null = null;

  constructor(private readonly options: SessionOptions) {
    this.startedAt = options.clock();
    this.index = new ExchangeIndex(options.maxRequests ?? DEFAULT_MAX_REQUESTS, (kept) => this.evicted(kept));
    this.reader = new ExchangeReader(options.protocol, options.store, (exchange) => this.diagnose(exchange));
    this.views = new RowViews({
      index: this.index,
      open: this.open,
      reader: this.reader,
      pace: () => this.pace(),
      changed: () => this.changed(),
    });
  }

  /** Resolves when traffic can arrive; rejects as the source does. */
  start(): Promise<void> {
    return this.options.source.start(this.accept);
  }

  /** Something people should know that is not said of a connection; for whoever wires the session. */
  warn(text: string): void {
    this.notices.push(text);
    if (this.notices.length > WARNINGS_KEPT) this.notices.shift();
    this.changed();
  }

  /** The source's sink. */
  readonly accept = (event: ConnectionEvent): void => {
    try {
      this.events += 1;
      this.take(event);
      this.changed();
    } catch (error) {
      this.lose(event, error as Error);
    }
  };

  async overview(): Promise<Overview> {
    this.armed = true;
    const { store, source, clock } = this.options;
    const spool = store.status();
    if (spool.error !== this.storeError) {
      this.storeError = spool.error;
      this.warn(spool.error ?? 'bytes are being recorded again');
    }
    return {
      sources: source.description,
      startedAt: this.startedAt,
      live: this.live,
      connections: { total: this.connections.total, open: this.connections.live.size },
      exchanges: {
        total: this.total,
        open: this.open.size,
        kept: this.index.length,
        completed: this.completed,
      },
      evicted: this.index.evicted,
      findings: { ...this.findings },
      requestsPerSecond: this.gauge.perSecond(clock()),
      ...this.gauge.percentiles(),
      spool,
      warnings: [...this.notices],
    };
  }

  async rows(query: RowQuery): Promise<RowPage> {
    this.armed = true;
    return this.views.page(query);
  }

  async exchange(n: number): Promise<Exchange | null> {
    this.armed = true;
    const kept = this.index.get(n);
    return kept === null ? null : this.whole(kept);
  }

  async records(n: number, from: number, count: number): Promise<RecordPage> {
    this.armed = true;
    const kept = this.index.get(n);
    return kept === null ? { records: [], from, total: 0 } : this.reader.records(kept, from, count, this.pace());
  }

  async recordBytes(n: number, index: number): Promise<RecordBytes | null> {
    this.armed = true;
    const kept = this.index.get(n);
    return kept === null ? null : this.reader.recordBytes(kept, index, this.pace());
  }

  async body(n: number, stream: StreamName, from: number, length: number): Promise<BodyRange> {
    this.armed = true;
    const kept = this.index.get(n);
    if (kept === null) return { bytes: new Uint8Array(0), from, gaps: [], total: 0 };
    return this.reader.body(kept, stream, from, length, this.pace());
  }

  async connection(id: ConnectionId): Promise<ConnectionSummary | null> {
    this.armed = true;
    const record = this.connections.find(id);
    return record === null ? null : summaryOf(record);
  }

  async settled(cursor: number, max: number): Promise<SettledPage> {
    this.armed = true;
    return this.log.page(cursor, max, !this.live, (kept) => (kept.evicted ? Promise.resolve(null) : this.whole(kept)));
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async stop(grace: number): Promise<void> {
    this.armed = true;
    await this.options.source.stop(grace, (id) => {
      const live = this.connections.live.get(id)?.live ?? null;
      return live === null || (live.open === 0 && (live.analyzer?.idle ?? true));
    });
    const at = this.options.clock();
    for (const id of [...this.connections.live.keys()]) this.accept({ kind: 'closed', connection: id, at });
    if (!this.live) return;
    this.live = false;
    this.changed();
  }

  async close(): Promise<void> {
    if (this.live) await this.stop(0);
    this.listeners.clear();
    this.views.clear();
    await this.options.store.close();
  }

  /**
   * The store gives the positions from `from` to `to` up. Unremarkable exchanges with bytes there are evicted. The bytes of remarkable
   * ones are stored anew, unless all of theirs together take more than `budget`, or time is short: then they become gaps.
   */
  async makeRoom(from: number, to: number, budget: number, hurry: () => boolean): Promise<void> {
    const pace = this.pace();
    const doomed = new Set<KeptExchange>();
    const worthy: KeptExchange[] = [];
    let remarkable = 0;
    for (const kept of this.index.all()) {
      if (pace.isOver) await pace.turn();
      if (kept.isRemarkable) {
        remarkable += kept.storedBytes();
        if (kept.hasBytesIn(from, to)) worthy.push(kept);
      } else if (kept.hasBytesIn(from, to)) doomed.add(kept);
    }
    this.index.evictAll(doomed);
    this.changed();
    if (remarkable > budget) return;
    for (const kept of worthy) {
      if (hurry()) return;
      if (!kept.evicted) await this.reader.storeAnew(kept, from, to, hurry, pace);
    }
  }

  private take(event: ConnectionEvent): void {
    if (event.kind === 'open') return this.opened(event);
    const record = this.connections.live.get(event.connection);
    const live = record?.live;
    if (record === undefined || live === undefined || live === null) return;
    live.openedByEvent = 0;
    switch (event.kind) {
      case 'bytes':
        return this.bytes(record, live, event);
      case 'note':
        live.analyzer?.push(event);
        return;
      case 'gap':
        live.passed[event.side] += event.length;
    }
    if (live.analyzer !== null) {
      record.addOther(event);
      live.analyzer.push(event);
    }
    if (event.kind === 'closed') this.closed(record, live);
  }

  private opened(event: Extract<ConnectionEvent, { kind: 'open' }>): void {
    const { connection, client, at, midstream } = event;
    const server = this.interned.endpoint(event.server);
    const live: LiveConnection = {
      analyzer: null,
      channel: this.options.store.channel(connection, client, server),
      clean: BEGINNING,
      passed: { client: 0, server: 0 },
      open: 0,
      openedByEvent: 0,
      lost: null,
    };
    const record = new ConnectionRecord(connection, client, server, at, midstream, live);
    this.connections.open(record);
    live.analyzer = this.options.protocol.analyze({
      connection,
      client,
      server,
      at,
      midstream,
      nextNumber: () => {
        this.total += 1;
        return this.total;
      },
      sink: (said) => this.exchangeEvent(record, live, said),
    });
  }

  private bytes(
    record: ConnectionRecord,
    live: LiveConnection,
    event: Extract<ConnectionEvent, { kind: 'bytes' }>,
  ): void {
    const { analyzer, passed, channel } = live;
    const { side, bytes, at, origin } = event;
    if (analyzer === null) {
      passed[side] += bytes.length;
      return;
    }
    if (record.events > 0 && analyzer.idle) {
      live.clean = {
        event: record.events,
        client: passed.client,
        server: passed.server,
        opened: analyzer.opened,
      };
    }
    const other = side === 'client' ? passed.server : passed.client;
    const limit = this.options.store.appendLimit;
    for (let from = 0; from < bytes.length; from += limit) {
      const part = bytes.length <= limit ? bytes : bytes.subarray(from, from + limit);
      const position = channel.append(side, passed[side], other, part, at, origin < 0 ? -1 : origin + from);
      record.addBytes(at, side, part.length, position);
      passed[side] += part.length;
      live.openedByEvent = 0;
      analyzer.push(part === bytes ? event : { ...event, bytes: part });
    }
  }

  private closed(record: ConnectionRecord, live: LiveConnection): void {
    // An analyzer settles all it opened; one that has failed does not.
    if (live.open > 0) this.abandon(record);
    record.close(summaryOf(record));
    this.connections.close(record);
    this.log.addConnection(record);
  }

  private exchangeEvent(record: ConnectionRecord, live: LiveConnection, said: ExchangeEvent): void {
    const { exchange } = said;
    switch (said.kind) {
      case 'opened': {
        const event = record.events - 1;
        const kept = new KeptExchange(exchange.n, record, live.clean, event, live.openedByEvent, exchange);
        live.openedByEvent += 1;
        live.open += 1;
        this.open.set(exchange.n, kept);
        record.keep(kept);
        this.index.add(kept);
        return;
      }
      case 'settled': {
        const kept = this.open.get(exchange.n);
        if (kept !== undefined) this.settle(kept, live, exchange);
        return;
      }
      case 'amended': {
        const kept = this.index.get(exchange.n);
        if (kept === null || kept.live !== null) return;
        const findings = this.diagnose(exchange);
        kept.lastEvent = record.events - 1;
        kept.settle(this.interned.row(rowOf(exchange, findings)));
        this.log.amend(kept, () => snapshot(exchange, findings));
        this.views.offer(kept, true);
        return;
      }
    }
  }

  private settle(kept: KeptExchange, live: LiveConnection, exchange: Exchange): void {
    const findings = this.diagnose(exchange);
    const row = this.interned.row(rowOf(exchange, findings));
    this.open.delete(kept.n);
    live.open -= 1;
    kept.lastEvent = kept.connection.events - 1;
    kept.settle(row);
    for (const { severity } of findings) this.findings[severity] += 1;
    if (row.outcome === 'completed') this.completed += 1;
    this.gauge.settled(exchange.times.end ?? row.at, row.total);
    this.log.addExchange(kept, () => snapshot(exchange, findings));
    if (!kept.evicted) this.views.offer(kept, false);
  }

  private async whole(kept: KeptExchange): Promise<Exchange | null> {
    return this.log.held(kept) ?? this.reader.exchange(kept, this.pace());
  }

  /** Settles what a failed analyzer has left open. */
  private abandon(record: ConnectionRecord): void {
    for (const kept of [...this.open.values()]) {
      const exchange = kept.live;
      if (kept.connection !== record || exchange === null) continue;
      this.settle(kept, record.live!, snapshot({ ...exchange, outcome: 'undecodable' }, []));
    }
  }

  /** We have failed: the connection goes on undecoded, all others as before. */
  private lose(event: ConnectionEvent, error: Error): void {
    this.warn(`connection ${event.connection} is not decoded any more: ${error.message}`);
    const record = this.connections.live.get(event.connection);
    if (record === undefined || record.live === null) return;
    try {
      record.live.lost = undecodedSummary(record, error);
      record.live.analyzer = null;
      this.abandon(record);
      if (event.kind === 'closed') this.closed(record, record.live);
    } catch (second) {
      this.warn(`connection ${event.connection} is lost: ${(second as Error).message}`);
    }
  }

  private evicted(kept: KeptExchange): void {
    kept.connection.release();
    this.connections.released(kept.connection);
  }

  private diagnose(exchange: Exchange): readonly Finding[] {
    if (this.options.diagnose === undefined) return exchange.findings;
    try {
      return this.options.diagnose(exchange);
    } catch (error) {
      this.warn(`request ${exchange.n} could not be diagnosed: ${(error as Error).message}`);
      return [];
    }
  }

  private pace(): Pace {
    return new Pace(() => this.events);
  }

  /** Tells listeners once, after the relay's turn; the next question arms it again. */
  private changed(): void {
    if (!this.armed || this.listeners.size === 0) return;
    this.armed = false;
    setImmediate(() => {
      for (const listener of this.listeners) listener();
    });
  }
}

function summaryOf(record: ConnectionRecord): ConnectionSummary {
  if (record.live === null) return record.summary();
  return record.live.lost ?? (record.live.analyzer as Analyzer).summary();
}

/** What is still known when our decoder has failed. */
function undecodedSummary(record: ConnectionRecord, error: Error): ConnectionSummary {
  const { live } = record;
  let before: Partial<ConnectionSummary> = {};
  try {
    before = live?.analyzer?.summary() ?? {};
  } catch {
    // The analyzer cannot even say that any more.
  }
  return {
    connection: record.id,
    client: record.client,
    server: record.server,
    at: record.at,
    endedBy: null,
    how: null,
    endedAt: null,
    requests: record.kept,
    bytes: { client: live?.passed.client ?? 0, server: live?.passed.server ?? 0 },
    managementRecords: 0,
    problems: 0,
    failure: null,
    ...before,
    undecoded: true,
    notes: [...(before.notes ?? []), `our decoder failed: ${error.message}`],
  };
}
