import type { EndKind } from '../model/connection.js';
import { type Party, RECOGNITION_WINDOW, type StreamStart } from '../model/recognition.js';
import type { Timestamp } from '../model/time.js';

/**
 * Strategy: what two parties said before it is known what they speak. Each party's bytes lie in one buffer, which is what a recogniser
 * wants to see; the order of events is a list of places in the buffers. All of it is bounded: a party's bytes by RECOGNITION_WINDOW, the
 * events by HELD_EVENTS, everything that is held by HELD_TOTAL. What does not fit forces the decision.
 */

/** A FastCGI header and a BEGIN record are known after three segments or so; who sends byte by byte is decided on by then. */
export const HELD_EVENTS = 2_048;
/** In all connections. An undecided connection rarely holds more than a record. */
export const HELD_TOTAL = 64 * 1024 * 1024;

const FIRST_SIZE = 2_048;
/** Above this a recogniser is only asked again when the bytes have grown by a quarter, so that asking stays linear. */
const ASK_ALWAYS = 4_096;

/** What of the shared account is ours. */
export interface HeldAccount {
  held: number;
}

/** Where held events go when the decision is made. */
export interface HeldSink {
  /** Borrowed. */
  bytes(party: Party, bytes: Uint8Array, at: Timestamp, origin: number): void;
  gap(party: Party, length: number, at: Timestamp): void;
  end(party: Party, how: EndKind, at: Timestamp): void;
}

interface HeldEvent {
  readonly party: Party;
  readonly at: Timestamp;
  /** Of bytes the place in the party's buffer, else -1. */
  readonly start: number;
  /** Of bytes and gaps; 0 says that this is an end. */
  readonly length: number;
  readonly origin: number;
  readonly how: EndKind | null;
}

export class HeldStreams {
  readonly #account: HeldAccount;
  readonly #streams: readonly [HeldStream, HeldStream] = [new HeldStream(), new HeldStream()];
  readonly #events: HeldEvent[] = [];
  #askedAt = 0;
  /** Something other than bytes has come since it was last asked. */
  #changed = false;

  constructor(account: HeldAccount) {
    this.#account = account;
  }

  get hasPayload(): boolean {
    return this.#events.some((event) => event.length > 0);
  }

  get full(): boolean {
    return this.#events.length >= HELD_EVENTS || this.#account.held >= HELD_TOTAL;
  }

  /** Enough has been added since the recogniser was asked. Asking is what `starts` is for. */
  get worthAsking(): boolean {
    const seen = this.#streams[0].visible + this.#streams[1].visible;
    return this.#changed || seen < ASK_ALWAYS || seen >= this.#askedAt + this.#askedAt / 4;
  }

  /** Copies as much as fits; returns how much that was. */
  bytes(party: Party, bytes: Uint8Array, from: number, to: number, at: Timestamp, origin: number): number {
    const stream = this.#streams[party];
    const length = Math.min(to - from, RECOGNITION_WINDOW - stream.length);
    if (length > 0) {
      this.#changed ||= stream.length === 0;
      const before = stream.capacity;
      this.#events.push({ party, at, start: stream.length, length, origin, how: null });
      stream.append(bytes, from, from + length);
      this.#account.held += stream.capacity - before;
    }
    return length;
  }

  gap(party: Party, length: number, at: Timestamp): void {
    this.#streams[party].complete = true;
    this.#changed = true;
    this.#events.push({ party, at, start: -1, length, origin: -1, how: null });
  }

  end(party: Party, how: EndKind, at: Timestamp): void {
    this.#streams[party].complete = true;
    this.#changed = true;
    this.#events.push({ party, at, start: -1, length: 0, origin: -1, how });
  }

  /** What a recogniser is shown. With `final` nothing more will come. */
  starts(first: boolean, second: boolean, final: boolean): readonly [StreamStart, StreamStart] {
    this.#askedAt = this.#streams[0].visible + this.#streams[1].visible;
    this.#changed = false;
    return [this.#streams[0].start(first, final), this.#streams[1].start(second, final)];
  }

  replay(sink: HeldSink): void {
    for (const { party, at, start, length, origin, how } of this.#events) {
      if (how !== null) sink.end(party, how, at);
      else if (start < 0) sink.gap(party, length, at);
      else sink.bytes(party, this.#streams[party].part(start, start + length), at, origin);
    }
  }

  /** Gives back what it took of the account; nothing is held afterwards. */
  release(): void {
    this.#account.held -= this.#streams[0].capacity + this.#streams[1].capacity;
    this.#events.length = 0;
  }
}

class HeldStream {
  length = 0;
  /** How much of it a recogniser may see: up to the first gap. */
  visible = 0;
  /** After a gap or an end nothing more becomes visible. */
  complete = false;
  #bytes = new Uint8Array(0);

  get capacity(): number {
    return this.#bytes.length;
  }

  append(bytes: Uint8Array, from: number, to: number): void {
    const length = this.length + to - from;
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.min(RECOGNITION_WINDOW, Math.max(FIRST_SIZE, length, 2 * this.#bytes.length)));
      larger.set(this.#bytes.subarray(0, this.length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes.subarray(from, to), this.length);
    this.length = length;
    if (!this.complete) this.visible = length;
  }

  part(from: number, to: number): Uint8Array {
    return this.#bytes.subarray(from, to);
  }

  start(fromStart: boolean, final: boolean): StreamStart {
    const complete = final || this.complete || this.visible >= RECOGNITION_WINDOW;
    return { bytes: this.part(0, this.visible), fromStart, complete };
  }
}
