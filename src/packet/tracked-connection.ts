import { NO_BYTES } from '../model/bytes.js';
import type { ConnectFailure, ConnectionId, EndKind, Endpoint, Side } from '../model/connection.js';
import type { ConnectionSink } from '../model/connection-event.js';
import {
  type Party,
  RECOGNITION_WINDOW,
  type Recogniser,
  type Recognition,
  type StreamStart,
} from '../model/recognition.js';
import type { Timestamp } from '../model/time.js';
import { HeldStreams } from './held-streams.js';

/**
 * Strategy: between two ordered streams and the waist. Until it is known what the streams are, they are held; then they are either
 * shown, everything held first, or forgotten.
 */

/** Who the parties are; asked when the connection is shown. */
export interface Parties {
  endpoint(party: Party): Endpoint;
  /** The first byte of this party's stream was seen, or it has none so far. */
  fromStart(party: Party): boolean;
  /** Who sent the SYN; null when it was not seen. */
  readonly initiator: Party | null;
  /** Who has a port that was asked for; null when nobody does, or both. */
  readonly expectedServer: Party | null;
  /** Was asked for by its port: it is shown whatever it says. */
  readonly wanted: boolean;
}

/** What all connections of a table share. */
export interface ConnectionDesk {
  readonly sink: ConnectionSink;
  readonly recognise: Recogniser;
  nextConnection(): ConnectionId;
  /** Bytes held in all connections. */
  held: number;
  shown(): void;
  foreign(protocol: string | null): void;
  missing(bytes: number): void;
  discarded(segments: number, bytes: number): void;
}

export class TrackedConnection {
  readonly #desk: ConnectionDesk;
  readonly #parties: Parties;
  readonly #at: Timestamp;
  /** What is said in an event is never earlier than what was said before it. */
  #lastAt: Timestamp;
  #held: HeldStreams | null = null;
  #id: ConnectionId = 0;
  #client: Party = 0;
  /** What was discarded before it was shown. */
  #segmentsLost = 0;
  #bytesLost = 0;
  readonly #ended: [boolean, boolean] = [false, false];
  /** `foreign` and `closed` are final. */
  #state: 'held' | 'shown' | 'foreign' | 'closed' = 'held';

  constructor(desk: ConnectionDesk, parties: Parties, at: Timestamp) {
    this.#desk = desk;
    this.#parties = parties;
    this.#at = at;
    this.#lastAt = at;
  }

  get foreign(): boolean {
    return this.#state === 'foreign';
  }

  get shown(): boolean {
    return this.#state === 'shown';
  }

  /** Who asks, once it is shown. */
  get client(): Party {
    return this.#client;
  }

  bytes(party: Party, bytes: Uint8Array, from: number, to: number, at: Timestamp, origin: number): void {
    if (this.#state === 'shown') this.#emitBytes(party, bytes.subarray(from, to), at, origin);
    else if (this.#state === 'held') this.#hold(party, bytes, from, to, at, origin);
  }

  gap(party: Party, length: number, at: Timestamp): void {
    if (this.#state === 'shown') this.#emitGap(party, length, at);
    else if (this.#state === 'held') {
      this.#holding().gap(party, length, at);
      this.#ask(false);
    }
  }

  end(party: Party, how: EndKind, at: Timestamp): void {
    if (this.#state === 'shown') this.#emitEnd(party, how, at);
    else if (this.#state === 'held') {
      this.#holding().end(party, how, at);
      this.#ask(false);
    }
  }

  /** Of its segments some belong nowhere. */
  discarded(segments: number, bytes: number): void {
    if (this.#state === 'shown') this.#desk.discarded(segments, bytes);
    else {
      this.#segmentsLost += segments;
      this.#bytesLost += bytes;
    }
  }

  /** The connection came to nothing; only shown when it was asked for. */
  fail(failure: ConnectFailure, at: Timestamp): void {
    if (this.#state !== 'held' || !this.#parties.wanted) return;
    this.#open(this.#likelyClient());
    this.#desk.sink({ kind: 'failed', connection: this.#id, at: this.#time(at), failure });
  }

  /** Nothing more will be seen. With `how`, the sides that have not ended end so. */
  close(at: Timestamp, how: EndKind | null): void {
    if (this.#state === 'held') {
      if (this.#held?.hasPayload === true) this.#ask(true);
      else if (this.#parties.wanted) this.#open(this.#likelyClient());
    }
    if (this.#state === 'shown') {
      if (how !== null) {
        const server = this.#client === 0 ? 1 : 0;
        if (!this.#ended[this.#client]) this.#emitEnd(this.#client, how, at);
        if (!this.#ended[server]) this.#emitEnd(server, how, at);
      }
      this.#desk.sink({ kind: 'closed', connection: this.#id, at: this.#time(at) });
    }
    this.#letGo();
    if (this.#state !== 'foreign') this.#state = 'closed';
  }

  note(text: string, at: Timestamp): void {
    if (this.#state === 'shown') this.#desk.sink({ kind: 'note', connection: this.#id, at: this.#time(at), text });
  }

  #holding(): HeldStreams {
    this.#held ??= new HeldStreams(this.#desk);
    return this.#held;
  }

  #hold(party: Party, bytes: Uint8Array, from: number, to: number, at: Timestamp, origin: number): void {
    // Most connections are known by what is said first, so that need not be copied.
    if (this.#held === null && to - from <= RECOGNITION_WINDOW) {
      const start = (each: Party): StreamStart => ({
        bytes: each === party ? bytes.subarray(from, to) : NO_BYTES,
        fromStart: this.#parties.fromStart(each),
        complete: false,
      });
      const answer = this.#desk.recognise(start(0), start(1));
      if (answer.kind !== 'undecided') {
        this.#decide(answer);
        this.bytes(party, bytes, from, to, at, origin);
        return;
      }
    }
    const taken = this.#holding().bytes(party, bytes, from, to, at, origin);
    this.#ask(taken < to - from);
    // Nothing can be held any longer, so that was decided.
    if (taken < to - from) this.bytes(party, bytes, from + taken, to, at, origin < 0 ? -1 : origin + taken);
  }

  /** Asks what the streams are; with `final` this is the last chance. */
  #ask(final: boolean): void {
    const held = this.#held;
    if (held === null) return;
    const last = final || held.full;
    if (!last && !held.worthAsking) return;
    const [a, b] = held.starts(this.#parties.fromStart(0), this.#parties.fromStart(1), last);
    const answer = this.#desk.recognise(a, b);
    if (answer.kind !== 'undecided') this.#decide(answer);
    else if (last || (a.complete && b.complete)) this.#decide({ kind: 'foreign', protocol: null });
  }

  #decide(answer: Exclude<Recognition, { kind: 'undecided' }>): void {
    if (answer.kind === 'recognised') this.#open(answer.client);
    else if (this.#parties.wanted) {
      this.#open(this.#likelyClient());
      if (answer.protocol !== null) this.note(`what was said looks like ${answer.protocol}`, this.#lastAt);
    } else {
      this.#state = 'foreign';
      this.#letGo();
      this.#desk.foreign(answer.protocol);
    }
  }

  /** When the streams do not tell: the SYN does, then the port, then who was heard first. */
  #likelyClient(): Party {
    const { initiator, expectedServer } = this.#parties;
    if (initiator !== null) return initiator;
    return expectedServer === 0 ? 1 : 0;
  }

  #open(client: Party): void {
    const server = client === 0 ? 1 : 0;
    this.#state = 'shown';
    this.#client = client;
    this.#id = this.#desk.nextConnection();
    this.#desk.shown();
    this.#desk.discarded(this.#segmentsLost, this.#bytesLost);
    this.#lastAt = this.#at;
    this.#desk.sink({
      kind: 'open',
      connection: this.#id,
      at: this.#at,
      client: this.#parties.endpoint(client),
      server: this.#parties.endpoint(server),
      midstream: !this.#parties.fromStart(0) || !this.#parties.fromStart(1),
    });
    const held = this.#held;
    if (held === null) return;
    held.replay({
      bytes: (party, bytes, at, origin) => this.#emitBytes(party, bytes, at, origin),
      gap: (party, length, at) => this.#emitGap(party, length, at),
      end: (party, how, at) => this.#emitEnd(party, how, at),
    });
    this.#letGo();
  }

  #letGo(): void {
    this.#held?.release();
    this.#held = null;
  }

  #emitBytes(party: Party, bytes: Uint8Array, at: Timestamp, origin: number): void {
    this.#desk.sink({
      kind: 'bytes',
      connection: this.#id,
      at: this.#time(at),
      side: this.#side(party),
      bytes,
      origin,
    });
  }

  #emitGap(party: Party, length: number, at: Timestamp): void {
    this.#desk.missing(length);
    this.#desk.sink({ kind: 'gap', connection: this.#id, at: this.#time(at), side: this.#side(party), length });
  }

  #emitEnd(party: Party, how: EndKind, at: Timestamp): void {
    this.#ended[party] = true;
    this.#desk.sink({ kind: 'end', connection: this.#id, at: this.#time(at), side: this.#side(party), how });
  }

  #side(party: Party): Side {
    return party === this.#client ? 'client' : 'server';
  }

  #time(at: Timestamp): Timestamp {
    if (at > this.#lastAt) this.#lastAt = at;
    return this.#lastAt;
  }
}
