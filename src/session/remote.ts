import type { MessagePort } from 'node:worker_threads';
import type { ConnectionId, ConnectionSummary } from '../model/connection.js';
import { type ErrorCode, FcgiInspectError } from '../model/errors.js';
import type { Exchange, StreamName } from '../model/exchange.js';
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
import { type PackedRows, packRows, unpackRows } from './packed-rows.js';

/**
 * An Inspection in another thread: numbered questions and answers over a message port. The only thing that comes unasked is one notice
 * that something changed, which the next question arms again, so that a reader that does not keep up is sent nothing.
 */

type Method = Exclude<keyof Inspection, 'onChange'>;

interface Question {
  readonly id: number;
  readonly method: Method;
  readonly args: readonly unknown[];
}

type Answer =
  | { readonly kind: 'value'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: SentError }
  | { readonly kind: 'changed' };

type PackedSettledRows = Omit<SettledRows, 'rows'> & { readonly rows: PackedRows };

function packed({ rows, ...progress }: SettledRows): PackedSettledRows {
  return { rows: packRows(rows), ...progress };
}

/** What a structured clone would drop of our errors: the class, the code and the advice. */
interface SentError {
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly advice: string | null;
}

/** Answers what comes through `port`, until close() was asked. For the thread that has the session. */
export function serve(port: MessagePort, inspection: Inspection): void {
  const silence = inspection.onChange(() => port.postMessage({ kind: 'changed' } satisfies Answer));
  port.on('message', ({ id, method, args }: Question) => {
    answer(inspection, method, args)
      .then(
        (value): Answer => ({
          kind: 'value',
          id,
          value: method === 'settledRows' ? packed(value as SettledRows) : value,
        }),
        (error: unknown): Answer => ({ kind: 'error', id, error: toSend(error) }),
      )
      .then((said) => {
        port.postMessage(said);
        if (method !== 'close') return;
        silence();
        port.close();
      });
  });
}

/** The session as the main thread sees it. Rejects everything, with the reason, once the other thread is gone. */
export class RemoteInspection implements Inspection {
  private readonly pending = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  private readonly listeners = new Set<() => void>();
  private asked = 0;
  /** Why nothing can be asked any more. */
  private end: Error | null = null;

  constructor(private readonly port: MessagePort) {
    port.on('message', (said: Answer) => this.take(said));
    port.on('messageerror', (error) => this.fail(error));
    port.on('close', () => this.fail(new Error("the relay's thread has ended")));
  }

  /** Gives everything up: pending and later questions reject with `error`. For whoever watches the thread. */
  fail(error: Error): void {
    if (this.end !== null) return;
    this.end = error;
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }

  overview(): Promise<Overview> {
    return this.ask('overview');
  }

  rows(query: RowQuery): Promise<RowPage> {
    return this.ask('rows', query);
  }

  exchange(n: number): Promise<Exchange | null> {
    return this.ask('exchange', n);
  }

  records(n: number, from: number, count: number): Promise<RecordPage> {
    return this.ask('records', n, from, count);
  }

  recordBytes(n: number, index: number): Promise<RecordBytes | null> {
    return this.ask('recordBytes', n, index);
  }

  body(n: number, stream: StreamName, from: number, length: number): Promise<BodyRange> {
    return this.ask('body', n, stream, from, length);
  }

  logs(n: number): Promise<readonly LogLine[]> {
    return this.ask('logs', n);
  }

  connection(id: ConnectionId): Promise<ConnectionSummary | null> {
    return this.ask('connection', id);
  }

  settled(cursor: number, max: number): Promise<SettledPage> {
    return this.ask('settled', cursor, max);
  }

  async settledRows(cursor: number, max: number): Promise<SettledRows> {
    const { rows, ...progress } = await this.ask<PackedSettledRows>('settledRows', cursor, max);
    return { rows: unpackRows(rows), ...progress };
  }

  stop(grace: number): Promise<void> {
    return this.ask('stop', grace);
  }

  async close(): Promise<void> {
    await this.ask('close');
    this.fail(new Error('the session is closed'));
    this.listeners.clear();
    this.port.close();
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private ask<T>(method: Method, ...args: unknown[]): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.end !== null) {
        reject(this.end);
        return;
      }
      this.asked += 1;
      this.pending.set(this.asked, { resolve, reject });
      this.port.postMessage({ id: this.asked, method, args } satisfies Question);
    });
  }

  private take(said: Answer): void {
    if (said.kind === 'changed') {
      for (const listener of this.listeners) listener();
      return;
    }
    const waiting = this.pending.get(said.id);
    this.pending.delete(said.id);
    if (said.kind === 'value') waiting?.resolve(said.value as never);
    else waiting?.reject(received(said.error));
  }
}

async function answer(inspection: Inspection, method: Method, args: readonly unknown[]): Promise<unknown> {
  const asked = inspection[method] as (...args: readonly unknown[]) => Promise<unknown>;
  return asked.apply(inspection, [...args]);
}

function toSend(error: unknown): SentError {
  if (error instanceof FcgiInspectError) return { code: error.code, message: error.message, advice: error.advice };
  return { code: null, message: error instanceof Error ? error.message : String(error), advice: null };
}

function received({ code, message, advice }: SentError): Error {
  return code === null ? new Error(message) : new FcgiInspectError(code, message, advice);
}
