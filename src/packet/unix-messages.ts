import { u32 } from '../model/bytes.js';
import type { Endpoint } from '../model/connection.js';
import type { Party } from '../model/recognition.js';
import type { Timestamp } from '../model/time.js';
import { type ConnectionDesk, type Parties, TrackedConnection } from './tracked-connection.js';

/**
 * Strategy: what sockdump (github.com/mechpen/sockdump) writes about Unix sockets under LINKTYPE_USER0: the process ID of the peer and
 * then that of the sender, 8 bytes each, big-endian, and the message. There is no connection, no order to restore and no end: a pair of
 * processes is taken for one connection, which was joined under way.
 *
 * The peer of a web server is who called listen, and of a pre-forked backend (PHP-FPM) that is not who answers. So when a process that
 * nobody has written to sends to one whose own peer has never said a word, it is that peer's child, and answers on its behalf.
 */

/** Processes that speak over Unix sockets at a time are few. The oldest pair goes first. */
export const PAIRS_LIMIT = 1_024;
/** Who sends to whom: the children of a backend come and go. When there are more, it is found out anew. */
export const ROUTES_LIMIT = 16_384;

const HEADER = 16;

class Pair implements Parties {
  readonly initiator = null;
  readonly expectedServer = null;
  readonly wanted = false;
  readonly connection: TrackedConnection;
  /** The process that was written to has itself written back, so it has no children who do. */
  answered = false;
  /** Under which it is found. */
  routes: string[] = [];

  constructor(
    desk: ConnectionDesk,
    readonly sender: number,
    readonly peer: number,
    at: Timestamp,
  ) {
    this.connection = new TrackedConnection(desk, this, at);
  }

  endpoint(party: Party): Endpoint {
    return { kind: 'unix', path: `pid ${party === 0 ? this.sender : this.peer}` };
  }

  fromStart(): boolean {
    return false;
  }
}

interface Route {
  readonly pair: Pair;
  readonly party: Party;
}

export class UnixMessages {
  readonly #desk: ConnectionDesk;
  /** In the order of their first messages. */
  readonly #pairs = new Set<Pair>();
  /** By sender and peer. */
  readonly #routes = new Map<string, Route>();
  /** By process the pair that it has begun and spoken in last. */
  readonly #asked = new Map<number, Pair>();

  constructor(desk: ConnectionDesk) {
    this.#desk = desk;
  }

  /** One message: bytes[from, to) were captured of `length` bytes, the header included. False when the header is not there. */
  message(bytes: Uint8Array, from: number, to: number, length: number, origin: number, at: Timestamp): boolean {
    const start = from + HEADER;
    if (start > to) return false;
    const peer = u64(bytes, from);
    const sender = u64(bytes, from + 8);
    const { pair, party } = this.#routeOf(sender, peer, at);
    if (party === 0) this.#asked.set(sender, pair);
    if (to > start) pair.connection.bytes(party, bytes, start, to, at, origin < 0 ? -1 : origin + HEADER);
    const cut = length - (to - from);
    if (cut > 0) pair.connection.gap(party, cut, at);
    return true;
  }

  finish(at: Timestamp): void {
    for (const pair of this.#pairs) pair.connection.close(at, 'capture-end');
    this.#pairs.clear();
    this.#routes.clear();
    this.#asked.clear();
  }

  #routeOf(sender: number, peer: number, at: Timestamp): Route {
    const key = `${sender} ${peer}`;
    const known = this.#routes.get(key);
    if (known !== undefined) return known;
    const back = this.#routes.get(`${peer} ${sender}`);
    const asked = this.#asked.get(peer);
    let route: Route;
    if (back !== undefined) {
      route = { pair: back.pair, party: back.party === 0 ? 1 : 0 };
      if (back.party === 0) back.pair.answered = true;
    } else if (asked !== undefined && !asked.answered) route = { pair: asked, party: 1 };
    else route = { pair: this.#begin(sender, peer, at), party: 0 };
    if (this.#routes.size >= ROUTES_LIMIT) {
      this.#routes.clear();
      for (const pair of this.#pairs) pair.routes = [];
    }
    this.#routes.set(key, route);
    route.pair.routes.push(key);
    return route;
  }

  #begin(sender: number, peer: number, at: Timestamp): Pair {
    if (this.#pairs.size >= PAIRS_LIMIT) {
      const [oldest] = this.#pairs;
      if (oldest !== undefined) this.#forget(oldest, at);
    }
    const pair = new Pair(this.#desk, sender, peer, at);
    this.#pairs.add(pair);
    return pair;
  }

  #forget(pair: Pair, at: Timestamp): void {
    pair.connection.close(at, 'timeout');
    this.#pairs.delete(pair);
    if (this.#asked.get(pair.sender) === pair) this.#asked.delete(pair.sender);
    for (const key of pair.routes) this.#routes.delete(key);
  }
}

/** Process numbers are far below 2**53. */
function u64(bytes: Uint8Array, at: number): number {
  return u32(bytes, at) * 2 ** 32 + u32(bytes, at + 4);
}
