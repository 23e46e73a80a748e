import type { Exchange } from '../model/exchange.js';
import type { Evidence, Severity } from '../model/finding.js';

/** What a rule saw: said of this very request, with its figures. */
export interface Sighting {
  readonly detail: string;
  /** What to change or to look at next, most likely first. */
  readonly advice: readonly string[];
  readonly evidence?: readonly Evidence[];
}

/** A way for a request to go wrong, and how the wire shows it. Pure: the same exchange gives the same answer. */
export interface Rule {
  /** The file's name: the noun of the failing state. */
  readonly id: string;
  readonly severity: Severity;
  readonly title: string;
  /**
   * `end`: how the request ended. One cause has one finding, so only the first such rule that fires is reported.
   * `content`: what was said in it; reported beside it.
   */
  readonly about: 'end' | 'content';
  check(exchange: Exchange): Sighting | null;
}

export function defineRule(rule: Rule): Rule {
  return rule;
}
