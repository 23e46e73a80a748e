import type { ConnectionId } from '../model/connection.js';
import type { Exchange } from '../model/exchange.js';
import { LOST_TOGETHER, type Surroundings } from '../model/surroundings.js';
import { MICROSECONDS_PER_MILLISECOND, type Timestamp } from '../model/time.js';
import type { KeptExchange } from './kept-exchange.js';

/** Ends that may yet turn out to have come together with another. */
const KEPT = 64;

export interface Moment {
  readonly at: Timestamp;
}

/** A settled exchange whose surroundings have changed: it is to be looked at anew. */
export interface Reseen {
  readonly kept: KeptExchange;
  readonly exchange: Exchange;
}

export interface Loss extends Moment {
  readonly connection: ConnectionId;
  /** How long the request had been under way, or the connection idle, in milliseconds: PHP-FPM’s limit counts both. */
  readonly age: number;
  /** Null for an idle connection. */
  readonly lost: (Reseen & { readonly surroundings: Surroundings }) | null;
}

/** The connections that a backend ended at a bad moment, and which of them went together. */
export class Losses {
  private losses: Loss[] = [];

  /** Gives those that are to be seen otherwise now, the new one perhaps among them. */
  add(loss: Loss): readonly Reseen[] {
    const together = this.losses.filter((other) => other.connection !== loss.connection && isTogether(other, loss));
    this.losses = [...this.losses.slice(1 - KEPT), loss];
    const changed: Reseen[] = [];
    for (const one of [...together, loss]) if (one.lost !== null && this.reckon(one, one.lost)) changed.push(one.lost);
    return changed;
  }

  /** Counts a loss's companions. True when they have become so many more that its findings should be made anew. */
  private reckon(loss: Loss, { kept, surroundings }: NonNullable<Loss['lost']>): boolean {
    const connections = new Set<ConnectionId>();
    let shortest = loss.age;
    let longest = loss.age;
    for (const other of this.losses) {
      if (!isTogether(other, loss)) continue;
      if (other.connection !== loss.connection) connections.add(other.connection);
      shortest = Math.min(shortest, other.age);
      longest = Math.max(longest, other.age);
    }
    const lostTogether = connections.size;
    kept.surroundings = { ...surroundings, lostTogether, lostAges: { shortest, longest } };
    // At 1, 2, 4 and so on: one end of very many connections must not be looked at for each of them by each of them.
    return lostTogether > 0 && (lostTogether & (lostTogether - 1)) === 0;
  }
}

export function isTogether(one: Moment, other: Moment): boolean {
  return Math.abs(one.at - other.at) <= LOST_TOGETHER * MICROSECONDS_PER_MILLISECOND;
}
