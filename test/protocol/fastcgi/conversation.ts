import { concatBytes } from '../../../src/model/bytes.js';
import type { ConnectFailure, ConnectionSummary, EndKind, Side } from '../../../src/model/connection.js';
import type { ConnectionEvent } from '../../../src/model/connection-event.js';
import type { Exchange, RecordEntry } from '../../../src/model/exchange.js';
import type { ExchangeEvent } from '../../../src/model/exchange-event.js';
import type { Analyzer, AnalyzerOptions } from '../../../src/protocol/analyzer.js';
import { fastcgi } from '../../../src/protocol/fastcgi/analyzer.js';
import { RecordType, Role } from '../../../src/protocol/fastcgi/constants.js';
import {
  encodeBeginRequest,
  encodeEndRequest,
  encodeParams,
  encodeRecord,
  encodeStream,
} from '../../../src/protocol/fastcgi/encoder.js';

/** A connection as a script: what each side sends, in the order in which it is seen. */
type EventBody = ConnectionEvent extends infer E
  ? E extends ConnectionEvent
    ? Omit<E, 'connection' | 'at'>
    : never
  : never;
export type Step = EventBody & { readonly at?: number };

export function web(...records: Uint8Array[]): Step {
  return { kind: 'bytes', side: 'client', bytes: concatBytes(records), origin: -1 };
}

export function backend(...records: Uint8Array[]): Step {
  return { kind: 'bytes', side: 'server', bytes: concatBytes(records), origin: -1 };
}

export function end(side: Side, how: EndKind): Step {
  return { kind: 'end', side, how };
}

export function gap(side: Side, length: number): Step {
  return { kind: 'gap', side, length };
}

export const closed: Step = { kind: 'closed' };

export function failed(failure: ConnectFailure): Step {
  return { kind: 'failed', failure };
}

export const REFUSED: ConnectFailure = { reason: 'refused', errno: 'ECONNREFUSED', message: 'connect ECONNREFUSED' };

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

export function begin(id = 1, role: number = Role.RESPONDER, flags = 0): Uint8Array {
  return encodeBeginRequest(id, role, flags);
}

export const GET_PARAMS = [
  ['REQUEST_METHOD', 'GET'],
  ['REQUEST_URI', '/a?b=c'],
  ['HTTP_HOST', 'example.org'],
  ['SCRIPT_FILENAME', '/srv/a.php'],
] as const;

export function params(id = 1): Uint8Array {
  return encodeParams(id, GET_PARAMS);
}

/** A stream record with content, or the one that ends the stream. */
export function part(stream: 'params' | 'stdin' | 'stdout' | 'stderr' | 'data', content = '', id = 1): Uint8Array {
  const bytes = text(content);
  return bytes.length === 0 ? encodeStream(stream, id, bytes) : encodeStream(stream, id, bytes, { close: false });
}

/** BEGIN_REQUEST, PARAMS and the empty STDIN: what a web server sends for a GET. */
export function get(id = 1, role: number = Role.RESPONDER, flags = 0): Uint8Array {
  return concatBytes([begin(id, role, flags), params(id), part('stdin', '', id)]);
}

export const PAGE = 'Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\nno such page';

export function page(id = 1): Uint8Array {
  return part('stdout', PAGE, id);
}

export function finish(id = 1, appStatus = 0, protocolStatus = 0): Uint8Array {
  return encodeEndRequest(id, appStatus, protocolStatus);
}

export function abort(id = 1): Uint8Array {
  return encodeRecord({ type: RecordType.ABORT_REQUEST, requestId: id });
}

export interface Seen {
  /** As they came, each with the exchange as it was. */
  readonly events: readonly ExchangeEvent[];
  /** The last state of each exchange, by n. */
  readonly exchanges: readonly Exchange[];
  readonly summary: ConnectionSummary;
  readonly records: readonly { readonly n: number | null; readonly entry: RecordEntry; readonly content: Uint8Array }[];
}

const FIXED = {
  connection: 7,
  client: { kind: 'tcp', host: '127.0.0.1', port: 40000 },
  server: { kind: 'tcp', host: '127.0.0.1', port: 9000 },
  at: 1,
  midstream: false,
} as const;

/** An analyzer and everything it says. Every chunk is overwritten after its push when `poison` is set. */
export class Watcher {
  readonly analyzer: Analyzer;
  readonly events: ExchangeEvent[] = [];
  readonly records: { n: number | null; entry: RecordEntry; content: Uint8Array }[] = [];
  readonly #last = new Map<number, Exchange>();
  #n: number;

  constructor(options: Partial<AnalyzerOptions> = {}, firstNumber = 1) {
    this.#n = firstNumber;
    this.analyzer = fastcgi.analyze({
      ...FIXED,
      nextNumber: () => this.#n++,
      sink: ({ kind, exchange }) => {
        this.#last.set(exchange.n, exchange);
        this.events.push({ kind, exchange: structuredClone(exchange) });
      },
      wholeContent: true,
      observer: (exchange, entry, content) =>
        this.records.push({ n: exchange?.n ?? null, entry, content: content.slice() }),
      ...options,
    });
  }

  push(step: Step, at: number, poison = false): void {
    const event = { connection: FIXED.connection, at, ...step } as ConnectionEvent;
    if (event.kind !== 'bytes') {
      this.analyzer.push(event);
      return;
    }
    const bytes = event.bytes.slice();
    this.analyzer.push({ ...event, bytes });
    if (poison) bytes.fill(0xa5);
  }

  get seen(): Seen {
    const exchanges = [...this.#last.values()].map((exchange) => structuredClone(exchange));
    return { events: this.events, exchanges, summary: this.analyzer.summary(), records: this.records };
  }
}

/** Plays a script; the n-th step happens at 1000 n. */
export function play(steps: readonly Step[], options: Partial<AnalyzerOptions> = {}): Seen {
  const watcher = new Watcher(options);
  steps.forEach((step, i) => {
    watcher.push(step, 1000 * (i + 1));
  });
  return watcher.seen;
}

/** The one exchange of a script. */
export function only(seen: Seen): Exchange {
  if (seen.exchanges.length !== 1) throw new Error(`${seen.exchanges.length} exchanges in place of one`);
  return seen.exchanges[0]!;
}
