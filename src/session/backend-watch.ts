import type { Endpoint } from '../model/connection.js';
import type { Exchange } from '../model/exchange.js';
import { LOST_TOGETHER, type Surroundings } from '../model/surroundings.js';
import { MICROSECONDS_PER_MILLISECOND, milliseconds, type Timestamp } from '../model/time.js';
import type { KeptExchange } from './kept-exchange.js';

/** Ends of requests that are remembered: a request that waited for more has waited for a pool in any case. */
const ENDS_KEPT = 256;
/** Lost requests that may yet turn out to have been lost together with another. */
const LOSSES_KEPT = 64;
/** Backend addresses that are watched: more have no pool worth the name. */
const BACKENDS_KEPT = 1_024;
/** Milliseconds to the first byte from which on a request has been waiting. */
const SLOW = 500;

/** What there was when a request began; its surroundings are made of it when it has ended. */
export interface Beginning {
  readonly openBefore: number;
  readonly idleConnections: number;
  readonly idleBefore: number | null;
}

interface Loss {
  readonly kept: KeptExchange;
  readonly exchange: Exchange;
  readonly at: Timestamp;
  readonly surroundings: Surroundings;
}

/**
 * What goes on at one backend, over all connections to it: enough to tell a request that waited for a worker from one that is slow, and
 * the death of one worker from that of all. Costs a healthy request two counts and an entry in a ring.
 */
export class BackendWatch {
  /** Requests that are open. */
  private open = 0;
  /** Connections on which requests have ended and none is open. */
  private idle = 0;
  private readonly ends = new Float64Array(ENDS_KEPT).fill(Number.NEGATIVE_INFINITY);
  private ended = 0;
  private losses: Loss[] = [];

  /** @param lastEnd when the request before it on its connection ended, if none is open there */
  began(at: Timestamp, lastEnd: Timestamp | null): Beginning {
    const idleBefore = lastEnd === null ? null : milliseconds(lastEnd, at);
    if (lastEnd !== null) this.idle -= 1;
    const beginning = { openBefore: this.open, idleConnections: this.idle, idleBefore };
    this.open += 1;
    return beginning;
  }

  /** @param idles its connection stays open without a request */
  settled(exchange: Exchange, idles: boolean): void {
    this.open -= 1;
    if (idles) this.idle += 1;
    // Only what was answered has freed a worker.
    if (exchange.protocolStatus !== null && exchange.times.end !== null) {
      this.ends[this.ended % ENDS_KEPT] = exchange.times.end;
      this.ended += 1;
    }
  }

  /** An idle connection is not there any more. */
  idleClosed(): void {
    this.idle -= 1;
  }

  /** Before `settled`. Null where nothing is remarkable about the request. */
  surroundings(exchange: Exchange, beginning: Beginning): Surroundings | null {
    const { times, outcome } = exchange;
    const ttfb = milliseconds(times.begin, times.firstStdout);
    if (outcome === 'completed' && (ttfb ?? 0) < SLOW) return null;
    const until = times.firstStdout ?? times.end ?? times.begin;
    let servedMeanwhile = 0;
    let last = Number.NEGATIVE_INFINITY;
    for (const end of this.ends) {
      if (end > until) continue;
      if (end > times.begin) servedMeanwhile += 1;
      if (end > last) last = end;
    }
    const freedBefore = times.firstStdout === null || last < times.begin ? null : milliseconds(last, until);
    return { ...beginning, servedMeanwhile, freedBefore, lostTogether: 0 };
  }

  /**
   * The backend ended the connection of a request. Gives all that were lost at that moment, the new one among them, as they are to be
   * seen now.
   */
  lost(kept: KeptExchange, exchange: Exchange, surroundings: Surroundings): readonly Loss[] {
    const at = exchange.connectionEnd?.at ?? exchange.times.end ?? exchange.times.begin;
    const earliest = at - LOST_TOGETHER * MICROSECONDS_PER_MILLISECOND;
    this.losses = this.losses.filter((loss) => loss.at >= earliest).slice(1 - LOSSES_KEPT);
    this.losses.push({ kept, exchange, at, surroundings });
    const lostTogether = this.losses.length - 1;
    if (lostTogether > 0) {
      this.losses = this.losses.map((loss) => ({ ...loss, surroundings: { ...loss.surroundings, lostTogether } }));
    }
    return this.losses;
  }
}

/** The watches, by the backend's address. */
export class BackendWatches {
  private readonly watches = new Map<Endpoint, BackendWatch>();

  /** @param server the same object for the same address */
  of(server: Endpoint): BackendWatch {
    let watch = this.watches.get(server);
    if (watch === undefined) {
      if (this.watches.size >= BACKENDS_KEPT) this.watches.clear();
      watch = new BackendWatch();
      this.watches.set(server, watch);
    }
    return watch;
  }
}
