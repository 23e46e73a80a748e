import type { ConnectionEvent } from '../model/connection-event.js';
import type { Exchange } from '../model/exchange.js';
import type { IdleEnd, Surroundings } from '../model/surroundings.js';
import { milliseconds, type Timestamp } from '../model/time.js';
import { type BackendWatch, type Beginning, RIGHT_AFTER } from './backend-watch.js';
import type { KeptExchange } from './kept-exchange.js';
import type { Reseen } from './losses.js';

/** After that much idle time an end is one of an idle connection, and not of one that was just about to be used. */
const IDLE = 1_000;
/** How many others a backend ended though they were to be kept when that is worth a word; not of each of them. */
const NEVER_KEPT: readonly number[] = [2, 5, 11];

/** Such ends that are remembered: what was before them frees nobody any more. */
const ENDS_BESIDE_KEPT = 16;

const NO_TIMES: readonly Timestamp[] = Object.freeze([]);
const NONE: readonly Reseen[] = Object.freeze([]);

/** What one connection tells the watch of its backend. A connection counts as idle while it is kept and none of its requests is open. */
export class ConnectionWatch {
  /*
   * Invariant: #idles is true exactly while this connection is in the backend's count of idle ones.
   */
  #idles = false;
  #requests = 0;
  /** When its last request ended, while none is open; null before the first. */
  #idleSince: Timestamp | null = null;
  /** That request; null when nothing of it can change any more. */
  #last: Reseen | null = null;
  #idleEnd: IdleEnd | null = null;
  /** When requests ended while others of this connection were open, the last ones. */
  #endsBeside: readonly Timestamp[] = NO_TIMES;
  readonly #backend: BackendWatch;
  #openedAt: Timestamp | null;
  /** When bytes of it were missed last; null while it was seen whole. */
  #missedAt: Timestamp | null = null;

  /** @param openedAt the connection's first sign; null when its beginning was not seen */
  constructor(backend: BackendWatch, openedAt: Timestamp | null) {
    this.#backend = backend;
    this.#openedAt = openedAt;
  }

  /** Bytes were not captured: requests may have been in them, so that nobody knows how many there were, and since when it was idle. */
  missed(at: Timestamp): void {
    this.#missedAt = at;
    this.#openedAt = null;
    this.#idleSince = null;
  }

  missedSince(at: Timestamp): boolean {
    return this.#missedAt !== null && this.#missedAt >= at;
  }

  /** @param beside how many of its requests are open */
  began(at: Timestamp, beside: number): Beginning {
    const backend = this.#backend;
    if (this.#idles) {
      this.#idles = false;
      backend.idle -= 1;
    }
    const first = this.#requests === 0;
    if (!first) backend.reused = true;
    const beginning = {
      opening: first ? milliseconds(this.#openedAt, at) : null,
      openBefore: backend.open,
      openBeside: beside,
      idleConnections: backend.idle,
      idleBefore: milliseconds(this.#idleSince, at),
    };
    this.#requests += 1;
    this.#idleSince = null;
    this.#last = null;
    backend.open += 1;
    return beginning;
  }

  /** Around one of its requests that is open, as if it ended at the time of the end that is given with it. */
  around(exchange: Exchange, beginning: Beginning): Surroundings | null {
    return this.#backend.surroundings(exchange, beginning, this.#endsBeside, this.#idleEnd);
  }

  /**
   * Gives the exchange its surroundings, and tells which others are to be seen otherwise now.
   * @param beside how many others of its requests are open
   */
  settled(kept: KeptExchange, exchange: Exchange, beside: number): readonly Reseen[] {
    const { beginning } = kept;
    kept.beginning = null;
    const backend = this.#backend;
    const around =
      beginning === null ? null : backend.surroundings(exchange, beginning, this.#endsBeside, this.#idleEnd);
    kept.surroundings = around;
    backend.ended(exchange);
    const { end } = exchange.times;
    if (beside > 0 && end !== null) this.#endsBeside = [...this.#endsBeside.slice(1 - ENDS_BESIDE_KEPT), end];
    if (beside === 0 && exchange.connectionEnd === null && exchange.protocolStatus !== null) {
      this.#idleSince = end;
      this.#last = { kept, exchange };
      this.#idles = exchange.keepConnection === true;
      if (this.#idles) backend.idle += 1;
    }
    const { outcome } = exchange;
    if (around === null || (outcome !== 'backend-closed' && outcome !== 'backend-reset')) return NONE;
    return backend.lost(kept, exchange, around).filter((other) => other.kept !== kept);
  }

  /** A side has stopped sending. Only the first end of a connection without an open request says something here. */
  ended({ at, side, how }: Extract<ConnectionEvent, { kind: 'end' }>): readonly Reseen[] {
    const last = this.#last;
    const idle = milliseconds(this.#idleSince, at);
    this.#last = null;
    this.closed(at);
    if (last === null || idle === null || this.#missedAt !== null || last.exchange.keepConnection !== true) return NONE;
    if (side !== 'server' || (how !== 'fin' && how !== 'reset')) return NONE;
    const backend = this.#backend;
    const end = backend.idleEnded({ at, idle, requests: this.#requests });
    this.#idleEnd = end;
    const companions = idle > RIGHT_AFTER ? backend.idleLost(last.exchange.connection, at, idle) : NONE;
    if (!isRemarkable(end)) return companions;
    last.kept.surroundings = { ...(last.kept.surroundings ?? backend.quiet(last.exchange)), idleEnd: end };
    return [...companions, last];
  }

  /** The source has let go of it. */
  closed(at: Timestamp): void {
    if (!this.#idles) return;
    this.#idles = false;
    this.#backend.release(at);
  }
}

/** A habit of the backend shows: once may have been chance, or somebody's command. */
function isRemarkable({ idle, requests, alikeAge, alikeCount, neverReused }: IdleEnd): boolean {
  if (idle >= IDLE) return alikeAge > 0;
  if (idle > RIGHT_AFTER) return false;
  if (requests > 1) return alikeCount > 0;
  return neverReused && NEVER_KEPT.includes(alikeCount);
}
