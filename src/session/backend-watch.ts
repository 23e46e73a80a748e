import type { ConnectionId, Endpoint } from '../model/connection.js';
import type { Exchange } from '../model/exchange.js';
import { AT_ONCE, type BackendPast, type IdleEnd, type Surroundings } from '../model/surroundings.js';
import { milliseconds, type Timestamp } from '../model/time.js';
import type { KeptExchange } from './kept-exchange.js';
import { isTogether, Losses, type Moment, type Reseen } from './losses.js';
import { RecentRequests } from './recent-requests.js';

/** Requests that were cut off of which is remembered after what time. */
const CUTS_KEPT = 64;
/** Requests that the web server gave up of which is remembered after what silence. */
const SILENCES_KEPT = 16;
/** The clock of a timeout is exact, to so many milliseconds or, when it is long, to such a part; and what is shorter is none. */
const SAME_TIMEOUT = 50;
const SAME_LONG_TIMEOUT = 0.005;
const TIMEOUT_FROM = 400;
/** Ends of idle connections that are remembered: enough to see a habit. */
const IDLE_ENDS_KEPT = 16;
/** Milliseconds after its last request up to which the end of a connection belongs to that request. */
export const RIGHT_AFTER = 100;
/** Hosts of which is remembered that they were answered. */
const PEERS_KEPT = 64;
/** Backend addresses that are watched: more have no pool worth the name. */
const BACKENDS_KEPT = 1_024;
/** Milliseconds to the first byte, or from a connection's first sign to its first request, from which on a request has been waiting. */
const SLOW = 500;
/** Two times are alike when the shorter is at least this much of the longer: PHP-FPM looks at its clock three times in a timeout. */
const ALIKE = 0.74;
/** Times below that, in milliseconds, are alike by chance. */
const ALIKE_FROM = 1_000;

/** What there was when a request began; its surroundings are made of it when it has ended. */
export interface Beginning {
  readonly opening: number | null;
  readonly openBefore: number;
  readonly openBeside: number;
  readonly idleConnections: number;
  readonly idleBefore: number | null;
}

interface IdleEnded extends Moment {
  readonly requests: number;
  readonly idle: number;
}

/**
 * What goes on at one backend, over all connections to it: enough to tell a request that waited for a worker from one that is slow, and
 * the death of one worker from that of all. Costs a healthy request two counts and an entry in a ring.
 */
export class BackendWatch {
  /** Requests that are open. */
  open = 0;
  /** Kept connections without an open request. */
  idle = 0;
  /** A connection has carried two requests. */
  reused = false;
  private readonly recent = new RecentRequests();
  /** When such connections ended lately. */
  private readonly releases = new Float64Array(IDLE_ENDS_KEPT).fill(Number.NEGATIVE_INFINITY);
  private released = 0;
  private idleEnds: IdleEnded[] = [];
  private readonly losses = new Losses();
  private cutAges: number[] = [];
  private silences: number[] = [];
  private answered = 0;
  private lastAnswer: Timestamp | null = null;
  private lastCut: Timestamp | null = null;
  private failingSince: Timestamp | null = null;
  private unanswered = 0;
  private cutAtOnce = 0;
  private leftUnread = false;
  private readonly peers = new Set<string>();
  private lastPeer: string | null = null;

  /** An exchange has ended and been looked at. */
  ended(exchange: Exchange): void {
    this.open -= 1;
    const { outcome, times, protocolStatus, streams } = exchange;
    if (protocolStatus !== null && times.end !== null) {
      // Only what was answered has freed a worker.
      this.recent.add(exchange, times.end);
      this.answered += 1;
      this.lastAnswer = times.end;
      this.failingSince = null;
      this.unanswered = 0;
      this.cutAtOnce = 0;
      this.leftUnread = false;
      const peer = peerOf(exchange);
      if (peer !== this.lastPeer && this.peers.size < PEERS_KEPT) this.peers.add(peer);
      this.lastPeer = peer;
    } else if (outcome === 'not-connected') this.failingSince ??= times.begin;
    else if (isCutAtOnce(exchange)) {
      this.cutAtOnce += 1;
      this.leftUnread ||= isLeftUnread(exchange);
    } else if (isCut(exchange)) this.lastCut = times.end;
    else if (isGivenUp(exchange) && streams.stdout.records + streams.stderr.records === 0) this.unanswered += 1;
    if (isGivenUp(exchange)) this.silences = [...this.silences.slice(1 - SILENCES_KEPT), silenceOf(exchange)];
  }

  /** A connection that was counted as idle is not so any more. */
  release(at: Timestamp): void {
    this.idle -= 1;
    this.releases[this.released % IDLE_ENDS_KEPT] = at;
    this.released += 1;
  }

  /**
   * Before `ended`. Null where nothing is remarkable about the request.
   * @param endsBeside when other requests on its connection ended beside open ones
   * @param idleEnd how the connection had ended when it began
   */
  surroundings(
    exchange: Exchange,
    beginning: Beginning,
    endsBeside: readonly Timestamp[],
    idleEnd: IdleEnd | null,
  ): Surroundings | null {
    const { times, outcome, connectionEnd } = exchange;
    const ttfb = milliseconds(times.begin, times.firstStdout);
    if (outcome === 'completed' && (ttfb ?? 0) < SLOW && (beginning.opening ?? 0) < SLOW) return null;
    const gone = connectionEnd?.endedBy === 'web-server' ? connectionEnd.at : Number.POSITIVE_INFINITY;
    // An answer that came when the web server had gone was waited for until then only.
    const until = Math.min(times.firstStdout ?? times.end ?? times.begin, gone);
    const { servedMeanwhile, overtakenBy, lastEnd } = this.recent.between(times.begin, until);
    const waited = times.firstStdout !== null && times.firstStdout <= gone;
    const age = milliseconds(times.begin, times.end) ?? 0;
    const { opening, idleBefore, openBefore, openBeside, idleConnections } = beginning;
    // Named one by one: spread into each other, they take ten times as long.
    return {
      opening,
      idleBefore,
      openBefore,
      openBeside,
      idleConnections,
      servedMeanwhile,
      overtakenBy,
      freedBefore: waited ? milliseconds(lastEnd, until) : null,
      freedBeside:
        waited && openBeside > 0
          ? milliseconds(endsBeside.findLast((end) => end <= until && end >= times.begin) ?? null, until)
          : null,
      releasedBefore: waited ? this.releasedBefore(times.begin, until) : null,
      usualWait: this.recent.usualWait(exchange.url),
      // Only of those is it asked that nobody answered while others were before them.
      abreast: waited || openBefore === 0 ? 1 : this.recent.abreast(),
      takenUp: waited ? this.recent.takenUp(exchange.url, times.begin, until) : null,
      givenUpAlike: isGivenUp(exchange) ? this.silences.filter(isSameTimeout(silenceOf(exchange))).length : 0,
      lostTogether: 0,
      lostAges: null,
      cutAlike: isCut(exchange) ? this.cutAges.filter((other) => isAlike(other, age)).length : 0,
      backend: this.past(exchange, idleBefore, idleEnd),
      idleEnd: null,
    };
  }

  /** The backend ended the connection of a request. Gives those that were lost at that moment and are to be seen otherwise now. */
  lost(kept: KeptExchange, exchange: Exchange, surroundings: Surroundings): readonly Reseen[] {
    const at = exchange.connectionEnd?.at ?? exchange.times.end ?? exchange.times.begin;
    const age = milliseconds(exchange.times.begin, at) ?? 0;
    this.cutAges = [...this.cutAges.slice(1 - CUTS_KEPT), age];
    return this.losses.add({ at, age, connection: exchange.connection, lost: { kept, exchange, surroundings } });
  }

  /** The backend ended a connection without an open request: what those before it have in common with it. */
  idleEnded(end: IdleEnded): IdleEnd {
    const { idle, requests } = end;
    const habit = this.alike(end);
    this.idleEnds = [...this.idleEnds.slice(1 - IDLE_ENDS_KEPT), end];
    return { idle, requests, ...habit, neverReused: !this.reused };
  }

  /** It had been idle for long enough that its end is none of its last request's. */
  idleLost(connection: ConnectionId, at: Timestamp, idle: number): readonly Reseen[] {
    return this.losses.add({ at, age: idle, connection, lost: null });
  }

  /** Around a request that nothing is remarkable about. */
  quiet(exchange: Exchange): Surroundings {
    return {
      opening: null,
      idleBefore: null,
      openBefore: 0,
      openBeside: 0,
      servedMeanwhile: 0,
      overtakenBy: 0,
      freedBefore: null,
      freedBeside: null,
      idleConnections: 0,
      releasedBefore: null,
      usualWait: null,
      abreast: 1,
      takenUp: null,
      givenUpAlike: 0,
      lostTogether: 0,
      lostAges: null,
      cutAlike: 0,
      backend: this.past(exchange, null, null),
      idleEnd: null,
    };
  }

  private past(exchange: Exchange, idleBefore: number | null, idleEnd: IdleEnd | null): BackendPast {
    const { times, precedingRequests } = exchange;
    const since = (at: Timestamp | null) => (at === null ? null : Math.max(0, milliseconds(at, times.begin) ?? 0));
    const failing = exchange.outcome === 'not-connected' ? (this.failingSince ?? times.begin) : null;
    const habit = idleEnd ?? this.alike({ at: times.begin, requests: precedingRequests, idle: idleBefore ?? 0 });
    const peer = peerOf(exchange);
    return {
      answered: this.answered,
      peerAnswered: peer === this.lastPeer || this.peers.has(peer),
      sinceAnswer: since(this.lastAnswer),
      sinceCut: since(this.lastCut),
      failingFor: milliseconds(failing, times.end ?? times.begin),
      unanswered: this.unanswered,
      cutAtOnce: this.cutAtOnce,
      leftUnread: this.leftUnread,
      closedAtCount: habit.alikeCount,
      closedAtAge: habit.alikeAge,
    };
  }

  private alike(end: IdleEnded): Pick<IdleEnd, 'alikeCount' | 'alikeAge'> {
    let alikeCount = 0;
    let alikeAge = 0;
    for (const other of this.idleEnds) {
      if (other.requests === end.requests && other.idle <= RIGHT_AFTER) alikeCount += 1;
      // What those have in common that ended together is the moment, and no habit.
      if (isAlike(other.idle, end.idle) && !isTogether(other, end)) alikeAge += 1;
    }
    return { alikeCount, alikeAge };
  }

  private releasedBefore(begin: Timestamp, until: Timestamp): number | null {
    let last = Number.NEGATIVE_INFINITY;
    for (const at of this.releases) if (at <= until && at > last) last = at;
    return last < begin ? null : milliseconds(last, until);
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

function isCut({ outcome }: Exchange): boolean {
  return outcome === 'backend-closed' || outcome === 'backend-reset';
}

function isCutAtOnce(exchange: Exchange): boolean {
  const { streams, times } = exchange;
  if (!isCut(exchange) || streams.stdout.records + streams.stderr.records > 0) return false;
  return (milliseconds(times.begin, times.end) ?? 0) <= AT_ONCE;
}

/** The system resets a connection that is closed with bytes unread. */
function isLeftUnread({ outcome, requestId, times }: Exchange): boolean {
  return outcome === 'backend-reset' || requestId === 0 || (milliseconds(times.begin, times.end) ?? 0) <= 0;
}

function isGivenUp({ outcome }: Exchange): boolean {
  return outcome === 'web-server-closed' || outcome === 'web-server-reset' || outcome === 'aborted';
}

/** How long nothing had been said when the connection began to end, in milliseconds. */
function silenceOf({ connectionEnd, times }: Exchange): number {
  return milliseconds(times.lastRecord, connectionEnd?.at ?? times.end) ?? 0;
}

function isSameTimeout(one: number): (other: number) => boolean {
  const range = Math.max(SAME_TIMEOUT, SAME_LONG_TIMEOUT * one);
  return (other) => one >= TIMEOUT_FROM && Math.abs(one - other) <= range;
}

function isAlike(one: number, other: number): boolean {
  return Math.min(one, other) >= Math.max(ALIKE_FROM, ALIKE * Math.max(one, other));
}

function peerOf({ client }: Exchange): string {
  return client.kind === 'tcp' ? client.host : client.path;
}
