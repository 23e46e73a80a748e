import type { ConnectionId, ConnectionSummary } from '../../src/model/connection.js';
import type { Exchange, ExchangeRow, StreamName } from '../../src/model/exchange.js';
import { rowOf } from '../../src/model/exchange-row.js';
import type {
  BodyRange,
  Inspection,
  Overview,
  RecordBytes,
  RecordPage,
  RowOrder,
  RowPage,
  RowQuery,
  Settled,
  SettledPage,
  SettledRows,
} from '../../src/model/inspection.js';
import { BODY_PER_READ, RECORDS_PER_PAGE } from '../../src/model/inspection.js';
import type { LogLine } from '../../src/model/log-line.js';
import { parseFilter } from '../../src/session/filter.js';
import type { StoredExchange } from './exchange-fixture.js';

/**
 * A whole Inspection in memory, for readers' tests. Put exchanges into it (open ones too: putting the same number again replaces it),
 * end it with `finish`. What comes out has crossed a structured clone, as it would from a worker.
 */
export class FakeInspection implements Inspection {
  /** What was asked for, newest last: `body 1 stdout 0+65536`. */
  readonly calls: string[] = [];
  stopped: number | null = null;
  closed = false;

  readonly #stored = new Map<number, StoredExchange>();
  readonly #connections = new Map<ConnectionId, ConnectionSummary>();
  readonly #settled: Settled[] = [];
  readonly #logs = new Map<number, readonly LogLine[]>();
  readonly #listeners = new Set<() => void>();
  #live = true;
  #evicted = 0;
  #overview: Partial<Overview> = {};

  put(...stored: StoredExchange[]): this {
    for (const one of stored) {
      const before = this.#stored.get(one.exchange.n)?.exchange.outcome ?? null;
      this.#stored.set(one.exchange.n, one);
      if (one.exchange.outcome !== null && before === null) {
        this.#settled.push({ kind: 'exchange', exchange: one.exchange });
      }
    }
    return this.changed();
  }

  putConnection(summary: ConnectionSummary): this {
    this.#connections.set(summary.connection, summary);
    if (summary.endedBy !== null || summary.failure !== null) {
      this.#settled.push({ kind: 'connection', connection: summary });
    }
    return this.changed();
  }

  /** The log lines about an exchange. */
  putLogs(n: number, ...lines: LogLine[]): this {
    this.#logs.set(n, lines);
    return this.changed();
  }

  /** Takes an exchange away as the store does when it is full; `settled` has then lost it too. */
  evict(n: number): this {
    if (this.#stored.delete(n)) this.#evicted++;
    return this.changed();
  }

  /** Last word on any figure of the overview. */
  setOverview(overview: Partial<Overview>): this {
    this.#overview = { ...this.#overview, ...overview };
    return this.changed();
  }

  /** The source has ended. */
  finish(): this {
    this.#live = false;
    return this.changed();
  }

  changed(): this {
    for (const listener of [...this.#listeners]) listener();
    return this;
  }

  async overview(): Promise<Overview> {
    const exchanges = [...this.#stored.values()].map((stored) => stored.exchange);
    const count = (severity: string) =>
      exchanges.reduce((sum, one) => sum + one.findings.filter((finding) => finding.severity === severity).length, 0);
    const totals = exchanges
      .map((exchange) => rowOf(exchange).total)
      .filter((total) => total !== null)
      .sort((a, b) => a - b);
    const connections = new Set([...exchanges.map((one) => one.connection), ...this.#connections.keys()]);
    return {
      sources: ['127.0.0.1:9001 → 127.0.0.1:9000'],
      startedAt: Math.min(...exchanges.map((one) => one.times.begin), 1_789_000_000_000_000),
      live: this.#live,
      progress: null,
      connections: { total: connections.size, open: 0 },
      exchanges: {
        total: exchanges.length + this.#evicted,
        open: exchanges.filter((one) => one.outcome === null).length,
        kept: exchanges.length,
        completed: exchanges.filter((one) => one.outcome === 'completed').length,
      },
      evicted: this.#evicted,
      findings: { error: count('error'), warning: count('warning'), note: count('note') },
      requestsPerSecond: 0,
      p50: totals[Math.floor(totals.length / 2)] ?? null,
      p95: totals[Math.floor(totals.length * 0.95)] ?? null,
      spool: { path: null, bytes: 0, lost: 0, error: null },
      logLines: [...this.#logs.values()].flat().length,
      warnings: [],
      warningCount: this.#overview.warnings?.length ?? 0,
      ...this.#overview,
    };
  }

  async rows(query: RowQuery): Promise<RowPage> {
    const filter = parseFilter(query.filter);
    const rows: ExchangeRow[] = [];
    for (const stored of this.#stored.values()) {
      const row = rowOf(stored.exchange);
      const subject = {
        row,
        exchange: () => stored.exchange,
        body: async function* (stream: StreamName) {
          yield stored.bodies[stream];
        },
      };
      if (await filter.test(subject)) rows.push(row);
    }
    rows.sort((a, b) => compare(key(a, query.order), key(b, query.order)) || a.n - b.n);
    if (query.reverse) rows.reverse();
    const position = query.around === undefined ? -1 : rows.findIndex((row) => row.n === query.around);
    const wanted = position >= 0 ? position + query.from : query.from < 0 ? rows.length + query.from : query.from;
    const from = Math.max(0, Math.min(wanted, rows.length));
    return structuredClone({
      rows: rows.slice(from, from + query.count),
      from,
      shown: rows.length,
      position,
      searching: false,
    });
  }

  async exchange(n: number): Promise<Exchange | null> {
    this.calls.push(`exchange ${n}`);
    return structuredClone(this.#stored.get(n)?.exchange ?? null);
  }

  async records(n: number, from: number, count: number): Promise<RecordPage> {
    this.calls.push(`records ${n} ${from}+${count}`);
    const records = this.#stored.get(n)?.records ?? [];
    const page = records.slice(from, from + Math.min(count, RECORDS_PER_PAGE)).map((record) => record.entry);
    return structuredClone({ records: page, from, total: records.length });
  }

  async recordBytes(n: number, index: number): Promise<RecordBytes | null> {
    const record = this.#stored.get(n)?.records[index];
    if (record === undefined) return null;
    const { version, typeCode, requestId, contentLength, paddingLength, missing } = record.entry;
    const header = [version, typeCode, requestId >> 8, requestId & 0xff];
    header.push(contentLength >> 8, contentLength & 0xff, paddingLength, 0);
    return structuredClone({ header: Uint8Array.from(header), content: record.content, missing });
  }

  async body(n: number, stream: StreamName, from: number, length: number): Promise<BodyRange> {
    this.calls.push(`body ${n} ${stream} ${from}+${length}`);
    const stored = this.#stored.get(n);
    const whole = stored?.bodies[stream] ?? new Uint8Array(0);
    const bytes = whole.slice(from, from + Math.min(length, BODY_PER_READ));
    const gaps: [number, number][] = [];
    for (const [start, end] of stored?.gaps[stream] ?? []) {
      const a = Math.max(start, from);
      const b = Math.min(end, from + bytes.length);
      if (a >= b) continue;
      bytes.fill(0, a - from, b - from);
      gaps.push([a, b]);
    }
    return { bytes, from, gaps, total: whole.length };
  }

  async logs(n: number): Promise<readonly LogLine[]> {
    return structuredClone(this.#logs.get(n) ?? []);
  }

  async connection(id: ConnectionId): Promise<ConnectionSummary | null> {
    return structuredClone(this.#connections.get(id) ?? null);
  }

  async settled(cursor: number, max: number): Promise<SettledPage> {
    const items: Settled[] = [];
    let skipped = 0;
    let at = cursor;
    for (; at < this.#settled.length && items.length < max; at++) {
      const item = this.#settled[at]!;
      if (item.kind === 'exchange' && !this.#stored.has(item.exchange.n)) skipped++;
      else items.push(item);
    }
    return structuredClone({ items, cursor: at, skipped, done: !this.#live && at >= this.#settled.length });
  }

  async settledRows(cursor: number, max: number): Promise<SettledRows> {
    const { items, ...progress } = await this.settled(cursor, max);
    return { rows: items.flatMap((item) => (item.kind === 'exchange' ? [rowOf(item.exchange)] : [])), ...progress };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async stop(grace: number): Promise<void> {
    this.stopped = grace;
    this.finish();
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

function key(row: ExchangeRow, order: RowOrder): number | string {
  switch (order) {
    case 'n':
      return row.n;
    case 'time':
      return row.at;
    case 'duration':
      return row.total ?? -1;
    case 'ttfb':
      return row.ttfb ?? -1;
    case 'status':
      return row.status ?? -1;
    case 'method':
      return row.method ?? '';
    case 'url':
      return row.url ?? '';
    case 'size.in':
      return row.sizeIn;
    case 'size.out':
      return row.sizeOut;
    case 'finding':
      return row.findings[0] ?? '';
  }
}

function compare(a: number | string, b: number | string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
