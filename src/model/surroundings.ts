/**
 * What went on around a request, which its own records do not tell. Only made for requests that are worth a question: such as failed, or
 * took their time. All counts are of requests to the same backend address; times are milliseconds.
 */
export interface Surroundings {
  /** How long its connection had been idle when it began, after the request before it; null for a connection's first. */
  readonly idleBefore: number | null;
  /** Other requests that were open when it began. */
  readonly openBefore: number;
  /** Other requests that ended while it waited for its first byte (or, without one, for its end). */
  readonly servedMeanwhile: number;
  /** From the last end of another request to its first byte: a few milliseconds mean that it got that one's worker. Null without either. */
  readonly freedBefore: number | null;
  /** Kept connections on which no request was open when it began, its own not counted. */
  readonly idleConnections: number;
  /** Other requests whose connection the backend ended at the same moment (LOST_TOGETHER). */
  readonly lostTogether: number;
}

/** Ends that have one cause, such as the death of a master process, come within this many milliseconds. */
export const LOST_TOGETHER = 20;
