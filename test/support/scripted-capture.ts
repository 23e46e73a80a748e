import { concatBytes } from '../../src/model/bytes.js';
import type { ConnectionId } from '../../src/model/connection.js';
import type { CaptureSource, ConnectionEvent, ConnectionSink } from '../../src/model/connection-event.js';
import type { SourceProgress } from '../../src/model/source-progress.js';
import { originOf, splitOrigin } from '../../src/packet/origin.js';
import type { CaptureBytes } from '../../src/session/capture-store.js';
import { FakeSource } from './fake-source.js';

const POISON = 0xa5;
/** What a capture has between two payloads. */
const HEADERS = new Uint8Array(40).fill(0xee);

/** What a source says while `talk` makes it speak. */
export function eventsOf(talk: (source: FakeSource) => void): ConnectionEvent[] {
  const source = new FakeSource();
  const events: ConnectionEvent[] = [];
  void source.start((event) => {
    events.push(event.kind === 'bytes' ? { ...event, bytes: event.bytes.slice() } : event);
  });
  talk(source);
  return events;
}

/**
 * Puts the events' bytes into files, with headers between them, and says where.
 * @param fileOf the number of the file; -1 for bytes that lie nowhere
 */
export function laidOut(
  events: readonly ConnectionEvent[],
  fileOf: (index: number) => number = () => 0,
): { readonly events: ConnectionEvent[]; readonly files: Uint8Array[] } {
  const parts: Uint8Array[][] = [];
  const lengths: number[] = [];
  const placed = events.map((event, index): ConnectionEvent => {
    const file = event.kind === 'bytes' ? fileOf(index) : -1;
    if (event.kind !== 'bytes' || file < 0) return event;
    while (parts.length <= file) {
      parts.push([]);
      lengths.push(0);
    }
    const offset = lengths[file]! + HEADERS.length;
    parts[file]!.push(HEADERS, event.bytes);
    lengths[file] = offset + event.bytes.length;
    return { ...event, origin: originOf(file, offset) };
  });
  return { events: placed, files: parts.map((each) => concatBytes(each)) };
}

/** A source with an end: says the events of a script in chunks, and has their bytes in files. */
export class ScriptedCapture implements CaptureSource, CaptureBytes {
  readonly description = ['test.pcap (pcap)'];
  readonly progress: SourceProgress = { read: 0, size: 1 };
  now = 0;
  advances = 0;
  reads = 0;
  closed = false;
  /** advance was called while a call was pending, or after the end. */
  misused = false;
  /** When set, every read fails with it. */
  failure: Error | null = null;
  private sink: ConnectionSink = () => undefined;
  private readonly open = new Set<ConnectionId>();
  private readonly chunks: Iterator<readonly ConnectionEvent[]>;
  private pending = false;
  private over = false;

  constructor(
    chunks: Iterable<readonly ConnectionEvent[]>,
    readonly files: Uint8Array[] = [],
  ) {
    this.chunks = chunks[Symbol.iterator]();
  }

  async start(sink: ConnectionSink): Promise<void> {
    this.sink = sink;
  }

  async advance(): Promise<boolean> {
    if (this.pending || this.over) this.misused = true;
    this.pending = true;
    this.advances += 1;
    await Promise.resolve();
    this.pending = false;
    const { value, done } = this.chunks.next();
    if (done) this.over = true;
    else for (const event of value) this.say(event);
    return !this.over;
  }

  /** What is open ends, as at the end of a capture. */
  async stop(): Promise<void> {
    this.over = true;
    for (const connection of [...this.open]) {
      this.say({ kind: 'end', connection, at: this.now, side: 'client', how: 'capture-end' });
      this.say({ kind: 'closed', connection, at: this.now });
    }
  }

  async readAt(origin: number, into: Uint8Array): Promise<number> {
    this.reads += 1;
    await Promise.resolve();
    if (this.failure !== null) throw this.failure;
    const place = splitOrigin(origin);
    const part = place === null ? undefined : this.files[place.file]?.subarray(place.offset);
    if (part === undefined) return 0;
    const found = part.subarray(0, into.length);
    into.set(found);
    return found.length;
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  private say(event: ConnectionEvent): void {
    this.now = event.at;
    if (event.kind === 'open') this.open.add(event.connection);
    if (event.kind === 'closed') this.open.delete(event.connection);
    if (event.kind !== 'bytes') return this.sink(event);
    const borrowed = event.bytes.slice();
    this.sink({ ...event, bytes: borrowed });
    borrowed.fill(POISON);
  }
}

export function* inChunks<T>(list: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < list.length; from += size) yield list.slice(from, from + size);
}
