import type { Timestamp } from './time.js';

/** A line of a log file that was given with --log, as far as it is about a request. */
export interface LogLine {
  /** As it was named on the command line. */
  readonly file: string;
  /** From 1; null in a file that is followed from its end. */
  readonly line: number | null;
  /** When it was written, by the clock of whoever wrote it, and within so many microseconds from then on; null when it does not say. */
  readonly at: Timestamp | null;
  readonly resolution: number;
  /** The whole line, cut. Whatever a client sent may stand in it: it is not visible text. */
  readonly text: string;
  /** What its message means; null when it is not known. */
  readonly meaning: string | null;
  /** It names the request (URL, script, client’s port); else it only fits in time and kind. */
  readonly isNamed: boolean;
}
