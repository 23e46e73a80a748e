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
  | { readonly kind: 'time'; readonly milliseconds: number };

export interface Finding {
  /** The rule's id: the noun of the failing state. */
  readonly id: string;
  readonly severity: Severity;
  readonly title: string;
  /** What was seen in this very request, in a sentence or two. */
  readonly detail: string;
  /** What to change or look at next, most likely first. */
  readonly advice: readonly string[];
  readonly evidence: readonly Evidence[];
}
