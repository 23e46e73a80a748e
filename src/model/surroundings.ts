/**
 * What went on around a request, which its own records do not tell. Only made for requests that are worth a question: such as failed, or
 * took their time. All counts are of requests to the same backend address; times are milliseconds.
 */
export interface Surroundings {
  /** From its connection's first sign to BEGIN_REQUEST, for a connection's first request that was seen from the start; else null. */
  readonly opening: number | null;
  /** How long its connection had been idle when it began, after the request before it; null for a connection's first. */
  readonly idleBefore: number | null;
  /** Other requests that were open when it began. */
  readonly openBefore: number;
  /** Those of them that were open on its own connection. */
  readonly openBeside: number;
  /** Other requests that ended while it waited for its first byte (or, without one, for its end). */
  readonly servedMeanwhile: number;
  /** Those of them that began later than it, on newer connections, and got their first byte sooner: nobody in a queue is overtaken. */
  readonly overtakenBy: number;
  /** From the last end of another request to its first byte: a few milliseconds mean that it got that one's worker. Null without either. */
  readonly freedBefore: number | null;
  /** The same of the requests that were open on its own connection when it began. */
  readonly freedBeside: number | null;
  /** Kept connections on which no request was open when it began, its own not counted. */
  readonly idleConnections: number;
  /** From the last end of such a connection, if that came while it waited, to its first byte; as `freedBefore`. */
  readonly releasedBefore: number | null;
  /** What others for the same path took to their first byte of late, the median; null when there were not enough of them. */
  readonly usualWait: number | null;
  /** So many requests the backend has worked on at once of late, at the least; 1 where nobody was answered before one ahead of it. */
  readonly abreast: number;
  /**
   * How far from the end of another request the moment lies at which the backend must have taken it up, had it answered as quickly as the
   * quickest for the same path: next to nothing says that it got that one's worker. Null without either, and when newer ones were served
   * before that moment.
   */
  readonly takenUp: number | null;
  /** Requests before it that the web server gave up after as long a silence, of the last ones that it gave up. */
  readonly givenUpAlike: number;
  /** Other connections that the backend ended at the same moment (LOST_TOGETHER), with a request under way or long idle. */
  readonly lostTogether: number;
  /** How long those that were lost at that moment, its own among them, had been under way or idle: the shortest and the longest. */
  readonly lostAges: { readonly shortest: number; readonly longest: number } | null;
  /** Requests before it that the backend cut off after as long a time, of the last ones that it cut off. */
  readonly cutAlike: number;
  readonly backend: BackendPast;
  /** How its connection ended when it was idle after it, where that is worth a question too. */
  readonly idleEnd: IdleEnd | null;
}

/** What was seen of a backend until a request ended, that request apart. Times are before its beginning, and 0 when they lie after it. */
export interface BackendPast {
  /** Requests that it answered. */
  readonly answered: number;
  /** Whether one of them came from the host (or socket) that this one came from. */
  readonly peerAnswered: boolean;
  /** Since it last answered, and since it last cut a request off that it had worked on; null when it never did. */
  readonly sinceAnswer: number | null;
  readonly sinceCut: number | null;
  /** How long attempts to connect have been failing, at its end; null when the last one did not. */
  readonly failingFor: number | null;
  /** Requests that were given up without one byte from it since its last answer. */
  readonly unanswered: number;
  /** Requests since its last answer that it cut off as they came (AT_ONCE), without a byte: it has not worked on them. */
  readonly cutAtOnce: number;
  /** One of those it had certainly not read: it reset the connection, or ended it before the request. */
  readonly leftUnread: boolean;
  /** Other idle connections that it ended, of the last ones: after as many requests as this one's, and after as long an idle time. */
  readonly closedAtCount: number;
  readonly closedAtAge: number;
}

/** The backend ended a connection on which no request was open. */
export interface IdleEnd {
  /** How long it had been idle, and how many requests it had carried. */
  readonly idle: number;
  readonly requests: number;
  /** Earlier ones of the last that ended so after as many requests, and after as long an idle time. */
  readonly alikeCount: number;
  readonly alikeAge: number;
  /** No connection to this backend was ever used twice. */
  readonly neverReused: boolean;
}

/** A request that is cut off within this many milliseconds need not have been read. */
export const AT_ONCE = 50;

/** Ends that have one cause, such as the death of a master process, come within this many milliseconds. */
export const LOST_TOGETHER = 20;
