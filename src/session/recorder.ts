import type { ConnectionSummary } from '../model/connection.js';
import type { ConnectionEvent } from '../model/connection-event.js';
import type { Exchange } from '../model/exchange.js';
import type { ExchangeEvent } from '../model/exchange-event.js';
import { rowOf } from '../model/exchange-row.js';
import type { Finding } from '../model/finding.js';
import type { Surroundings } from '../model/surroundings.js';
import type { Timestamp } from '../model/time.js';
import type { Analyzer, Protocol } from '../protocol/analyzer.js';
import { BackendWatches } from './backend-watch.js';
import type { ByteStore } from './byte-store.js';
import { BEGINNING, ConnectionRecord, type LiveConnection } from './connection-record.js';
import { ConnectionTable } from './connection-table.js';
import { ConnectionWatch } from './connection-watch.js';
import { ExchangeIndex } from './exchange-index.js';
import { snapshot } from './exchange-snapshot.js';
import { InFlight } from './in-flight.js';
import { Interned } from './interned.js';
import { KeptExchange } from './kept-exchange.js';
import type { Reseen } from './losses.js';
import { SettledLog } from './settled-log.js';
import { TrafficGauge } from './traffic-gauge.js';

export interface RecorderOptions {
  readonly protocol: Protocol;
  readonly store: ByteStore;
  readonly maxRequests: number;
  readonly diagnose: (exchange: Exchange, surroundings: Surroundings | null) => readonly Finding[];
  /** Microseconds since the epoch; of a capture, the time to which it has been read. */
  readonly clock: () => Timestamp;
  /** Something is not as it was. */
  readonly changed: () => void;
  /** An exchange has settled, or (`amended`) has changed once more after that. */
  readonly settled: (kept: KeptExchange, amended: boolean) => void;
  /** Whether readers should wait for a settled exchange a little longer. */
  readonly awaited: (n: number) => boolean;
  /** Something people should know. */
  readonly warn: (text: string) => void;
}

/**
 * Takes in what a source says, and remembers of each exchange a row and where its events begin and end. `accept` runs in the relay's
 * turn, after the bytes have been forwarded: it does no I/O, and nothing that goes wrong in it leaves it.
 */
export class Recorder {
  readonly connections = new ConnectionTable();
  /** The open exchanges, in the order of their numbers; kept ones and such that had to be evicted before they settled. */
  readonly open = new Map<number, KeptExchange>();
  readonly index: ExchangeIndex;
  readonly log: SettledLog;
  readonly gauge = new TrafficGauge();
  readonly findings = { error: 0, warning: 0, note: 0 };
  /** Events taken in, exchanges opened, exchanges completed. */
  events = 0;
  total = 0;
  completed = 0;
  /** When the first connection was met; null before it. */
  since: Timestamp | null = null;
  private readonly interned = new Interned();
  private latest: ConnectionRecord | null = null;
  private readonly watches = new BackendWatches();
  private readonly inFlight: InFlight;

  constructor(private readonly options: RecorderOptions) {
    this.inFlight = new InFlight(options.clock, options.diagnose);
    this.index = new ExchangeIndex(options.maxRequests, (kept) => this.removed(kept));
    this.log = new SettledLog(options.awaited);
  }

  /** The source's sink. */
  readonly accept = (event: ConnectionEvent): void => {
    try {
      this.events += 1;
      this.take(event);
      this.options.changed();
    } catch (error) {
      this.lose(event, error as Error);
    }
  };

  /** Every reader has been given all that has settled, and none will come back to it. */
  letGo(): void {
    this.log.letGo();
    this.index.letGo();
    this.connections.letGo();
  }

  private take(event: ConnectionEvent): void {
    if (event.kind === 'open') return this.opened(event);
    // Most events are of the same connection as the one before.
    const record = this.latest?.id === event.connection ? this.latest : this.connections.live.get(event.connection);
    const live = record?.live;
    if (record === undefined || live === undefined || live === null) return;
    this.latest = record;
    live.openedByEvent = 0;
    switch (event.kind) {
      case 'bytes':
        return this.bytes(record, live, event);
      case 'note':
        live.analyzer?.push(event);
        return;
      case 'gap':
        live.passed[event.side] += event.length;
        live.watch.missed(event.at);
    }
    if (live.analyzer !== null) {
      record.addOther(event);
      live.analyzer.push(event);
      if (event.kind === 'end') this.lookAgain(live.watch.ended(event));
    }
    if (event.kind === 'closed') this.closed(record, live, event.at);
  }

  private opened(event: Extract<ConnectionEvent, { kind: 'open' }>): void {
    const { connection, client, at, midstream } = event;
    this.since ??= at;
    const server = this.interned.endpoint(event.server);
    const live: LiveConnection = {
      analyzer: null,
      channel: this.options.store.channel(connection, client, server),
      clean: BEGINNING,
      passed: { client: 0, server: 0 },
      open: 0,
      openedByEvent: 0,
      watch: new ConnectionWatch(this.watches.of(server), midstream ? null : at),
      inFlight: this.inFlight,
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
    if (live.open === 0 && record.events > 0 && analyzer.idle) {
      live.clean = {
        event: record.events,
        client: passed.client,
        server: passed.server,
        opened: analyzer.opened,
      };
    }
    const other = side === 'client' ? passed.server : passed.client;
    const limit = this.options.store.appendLimit;
    if (bytes.length > 0 && bytes.length <= limit) {
      const position = channel.append(side, passed[side], other, bytes, at, origin);
      record.addBytes(at, side, bytes.length, position);
      passed[side] += bytes.length;
      analyzer.push(event);
      return;
    }
    for (let from = 0; from < bytes.length; from += limit) {
      const part = bytes.subarray(from, from + limit);
      const position = channel.append(side, passed[side], other, part, at, origin < 0 ? -1 : origin + from);
      record.addBytes(at, side, part.length, position);
      passed[side] += part.length;
      live.openedByEvent = 0;
      analyzer.push({ ...event, bytes: part });
    }
  }

  private closed(record: ConnectionRecord, live: LiveConnection, at: Timestamp): void {
    // An analyzer settles all it opened; one that has failed does not.
    if (live.open > 0) this.abandon(record);
    live.watch.closed(at);
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
        kept.beginning = live.watch.began(exchange.times.begin, live.open);
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
        kept.lastEvent = record.events - 1;
        this.amend(kept, exchange);
        return;
      }
    }
  }

  /** A settled exchange has changed once more, or is to be seen otherwise. */
  amend(kept: KeptExchange, exchange: Exchange): void {
    const findings = this.options.diagnose(exchange, kept.surroundings);
    kept.settle(this.interned.row(rowOf(exchange, findings)));
    this.log.amend(kept, () => snapshot(exchange, findings));
    this.options.settled(kept, true);
  }

  private settle(kept: KeptExchange, live: LiveConnection, exchange: Exchange): void {
    this.lookAgain(live.watch.settled(kept, exchange, live.open - 1));
    const findings = this.options.diagnose(exchange, kept.surroundings);
    const row = this.interned.row(rowOf(exchange, findings));
    this.open.delete(kept.n);
    live.open -= 1;
    kept.lastEvent = kept.connection.events - 1;
    kept.settle(row);
    for (const { severity } of findings) this.findings[severity] += 1;
    if (row.outcome === 'completed') this.completed += 1;
    this.gauge.settled(exchange.times.end ?? row.at, row.total);
    this.log.addExchange(kept, () => snapshot(exchange, findings));
    if (!kept.evicted) this.options.settled(kept, false);
  }

  /** Exchanges that have settled and are to be seen in a new light. */
  private lookAgain(others: readonly Reseen[]): void {
    for (const { kept, exchange } of others) if (!kept.evicted) this.amend(kept, exchange);
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
    this.options.warn(`connection ${event.connection} is not decoded any more: ${error.message}`);
    const record = this.connections.live.get(event.connection);
    if (record === undefined || record.live === null) return;
    try {
      record.live.lost = undecodedSummary(record, error);
      record.live.analyzer = null;
      this.abandon(record);
      if (event.kind === 'closed') this.closed(record, record.live, event.at);
    } catch (second) {
      this.options.warn(`connection ${event.connection} is lost: ${(second as Error).message}`);
    }
  }

  private removed(kept: KeptExchange): void {
    kept.connection.release(kept);
    this.connections.released(kept.connection);
  }
}

/** As of now, or as it was when the connection was closed. */
export function summaryOf(record: ConnectionRecord): ConnectionSummary {
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
