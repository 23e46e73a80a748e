import type { ConnectionSummary, Side } from '../../model/connection.js';
import type { ConnectionEvent } from '../../model/connection-event.js';
import { assertNever } from '../../model/errors.js';
import type { Timestamp } from '../../model/time.js';
import type { Analyzer, AnalyzerOptions, Protocol } from '../analyzer.js';
import { RecordDecoder } from './decoder.js';
import type { Directions } from './open-requests.js';
import { endedByWord } from './outcome.js';
import { recogniseFastcgi } from './recogniser.js';
import { RequestTracker } from './tracker.js';

/**
 * Two decoders and a tracker. Most connections live for one request and some for none, so a decoder is made with the first byte of its
 * direction.
 */
export const fastcgi: Protocol = {
  name: 'fastcgi',
  recognise: recogniseFastcgi,
  analyze: (options) => new FastcgiAnalyzer(options),
};

/** A source may remark on a connection as often as it likes; people read the first few. */
const NOTES_KEPT = 20;

class FastcgiAnalyzer implements Analyzer, Directions {
  readonly #options: AnalyzerOptions;
  readonly #tracker: RequestTracker;
  #client: RecordDecoder | null = null;
  #server: RecordDecoder | null = null;
  #clientBytes = 0;
  #serverBytes = 0;
  /** Once a side has ended, or the source has let go, nothing can be made of what it sends. */
  #clientEnded = false;
  #serverEnded = false;
  #notes: string[] | null = null;

  constructor(options: AnalyzerOptions) {
    this.#options = options;
    this.#tracker = new RequestTracker(options, this);
  }

  push(event: ConnectionEvent): void {
    switch (event.kind) {
      case 'bytes':
        if (event.bytes.length === 0) break;
        if (event.side === 'client') {
          this.#clientBytes += event.bytes.length;
          if (this.#server !== null && !this.#server.atBoundary) this.#server.turn(event.at);
        } else {
          this.#serverBytes += event.bytes.length;
          this.#tracker.serverAt = event.at;
          if (this.#client !== null && !this.#client.atBoundary) this.#client.turn(event.at);
        }
        this.#decoder(event.side)?.push(event.bytes, event.at);
        break;
      case 'gap':
        if (event.side === 'server') this.#tracker.serverAt = event.at;
        this.#decoder(event.side)?.gap(event.length, event.at);
        break;
      case 'end':
        if (event.side === 'server') this.#tracker.serverAt = event.at;
        this.#end(event.side, event.at);
        this.#tracker.end(event.side, event.how, event.at);
        break;
      case 'failed':
        this.#tracker.requests.failed(event.failure);
        break;
      case 'note':
        this.#notes ??= [];
        if (this.#notes.length < NOTES_KEPT) this.#notes.push(event.text);
        break;
      case 'closed':
        this.#end('client', event.at);
        this.#end('server', event.at);
        this.#tracker.close(event.at, this.#touched);
        break;
      case 'open':
        break;
      default:
        assertNever(event);
    }
  }

  isLost(side: Side): boolean {
    const decoder = side === 'client' ? this.#client : this.#server;
    return decoder === null ? this.#options.midstream : decoder.isLost;
  }

  offset(side: Side): number {
    const decoder = side === 'client' ? this.#client : this.#server;
    return decoder === null ? (this.#options.offsets?.[side] ?? 0) : decoder.offset;
  }

  get idle(): boolean {
    // Before the first request everything that passes may yet have to be told of: a connection without a request gets a row with it.
    if (this.#tracker.requests.opened === 0) return !this.#touched && this.#tracker.idle;
    // A direction that was joined in the middle and has said nothing since is not in step.
    const unheard = !this.#options.midstream;
    return this.#tracker.idle && (this.#client?.atBoundary ?? unheard) && (this.#server?.atBoundary ?? unheard);
  }

  get quiet(): boolean {
    // Without a request what passed may be another protocol, of which nobody knows where its messages end.
    if (this.#tracker.requests.opened === 0) return !this.#touched;
    const unheard = !this.#options.midstream;
    return (this.#client?.atBoundary ?? unheard) && (this.#server?.atBoundary ?? unheard);
  }

  get offsets(): { readonly client: number; readonly server: number } {
    return { client: this.offset('client'), server: this.offset('server') };
  }

  get opened(): number {
    return this.#tracker.requests.opened;
  }

  summary(): ConnectionSummary {
    const { connection, client, server, at } = this.#options;
    const { managementRecords, requests } = this.#tracker;
    const { first, failure } = requests.state;
    return {
      connection,
      client,
      server,
      at,
      endedBy: first === null ? null : endedByWord(first.side, first.how),
      how: first === null ? null : first.how,
      endedAt: first === null ? null : first.at,
      requests: requests.begun,
      bytes: { client: this.#clientBytes, server: this.#serverBytes },
      managementRecords,
      problems: requests.problems,
      failure,
      undecoded: false,
      notes: this.#notes === null ? [] : [...this.#notes],
    };
  }

  /** Whether any byte passed, or was missed. */
  get #touched(): boolean {
    return this.#client !== null || this.#server !== null;
  }

  #decoder(side: Side): RecordDecoder | null {
    if (side === 'client') {
      if (this.#clientEnded) return null;
      this.#client ??= this.#makeDecoder('client');
      return this.#client;
    }
    if (this.#serverEnded) return null;
    this.#server ??= this.#makeDecoder('server');
    return this.#server;
  }

  #makeDecoder(side: Side): RecordDecoder {
    const { offsets, midstream } = this.#options;
    const tracker = this.#tracker;
    return new RecordDecoder(side, (event) => tracker.record(side, event), {
      offset: offsets?.[side],
      midstream,
      expects: (type, id, passed) => tracker.expects(side, type, id, passed),
      wants: this.#options.wholeContent
        ? undefined
        : (type, id, bytes, from, to, searched) => tracker.wants(side, type, id, bytes, from, to, searched),
    });
  }

  #end(side: Side, at: Timestamp): void {
    if (side === 'client') {
      if (this.#clientEnded) return;
      this.#clientEnded = true;
      this.#client?.end(at);
    } else {
      if (this.#serverEnded) return;
      this.#serverEnded = true;
      this.#server?.end(at);
    }
  }
}
