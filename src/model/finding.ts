import type { StreamName } from './exchange.js';

export type Severity = 'error' | 'warning' | 'note';

/** From mild to grave; `severityRank(a) - severityRank(b)` orders. */
export function severityRank(severity: Severity): number {
  return severity === 'error' ? 2 : severity === 'warning' ? 1 : 0;
}

/** What a finding stands on: a place that a reader can be taken to. */
export type Evidence =
  | { readonly kind: 'record'; readonly record: number }
  | { readonly kind: 'param'; readonly name: string }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'stderr'; readonly text: string }
  /** A place in one of the request's streams; `length` may be 0 (where something should have come). */
  | { readonly kind: 'bytes'; readonly stream: StreamName; readonly offset: number; readonly length: number }
  | { readonly kind: 'time'; readonly milliseconds: number }
  /** Another request of the session, by its number. */
  | { readonly kind: 'request'; readonly n: number }
  /** A line of a log file; `line` is null in one that is followed from its end. */
  | { readonly kind: 'log'; readonly file: string; readonly line: number | null; readonly text: string };

/**
 * `proven`: what was on the wire leaves no other cause. `allowed`: it fits, and so do the alternatives; what tells them apart is said
 * with them.
 */
export type Certainty = 'proven' | 'allowed';

/** What it also may be. */
export interface Alternative {
  readonly cause: string;
  /** How to tell that it is this one. */
  readonly tell: string;
}

export interface Finding {
  /** The rule's id: the noun of the failing state. */
  readonly id: string;
  readonly severity: Severity;
  readonly title: string;
  /** What was seen in this very request, in a sentence or two. */
  readonly detail: string;
  readonly certainty: Certainty;
  /** What to change, most likely first: in general, then for the web server and the backend at hand. */
  readonly advice: readonly string[];
  /** The causes that fit as well, likeliest first; none when it is proven. */
  readonly alternatives: readonly Alternative[];
  /** Where to look next: a log, a directive, a command. */
  readonly look: readonly string[];
  readonly evidence: readonly Evidence[];
}
