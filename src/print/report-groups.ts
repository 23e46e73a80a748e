import type { Product } from '../diagnosis/products.js';
import { productsOf, remediesFor } from '../diagnosis/remedies.js';
import { ruleOf } from '../diagnosis/rule-groups.js';
import type { Exchange, ExchangeRow, Outcome } from '../model/exchange.js';
import { type Finding, type Severity, severityRank } from '../model/finding.js';
import type { Timestamp } from '../model/time.js';
import { visibleText } from '../model/visible-text.js';
import { Tally } from './tally.js';

/**
 * Requests that a report tells of together. What a group holds does not grow with their number, and all texts in it are visible ones.
 */

/** Examples of a group. */
export const EXAMPLES = 3;
/** Other causes, and places to look, of one group. */
const CAUSES_KEPT = 8;
/** The first so many of a finding's requests are looked at whole, then each that doubles their number. */
const LOOKED_AT = 10;

/** A request as a report names it. */
export interface Example {
  readonly n: number;
  readonly at: Timestamp;
  readonly method: string;
  readonly url: string;
  readonly status: number | null;
  readonly outcome: Outcome | null;
  /** Milliseconds. */
  readonly total: number | null;
  readonly connection: number;
  readonly requestId: number;
  /** Where the backend is; null where only the row was looked at. */
  readonly server: string | null;
  /** The file that it asked for, else its path; empty when neither is known. */
  readonly script: string;
}

/** When the requests of a group were, and what they asked for. */
export class Tallied {
  count = 0;
  first: Timestamp = Number.POSITIVE_INFINITY;
  last: Timestamp = Number.NEGATIVE_INFINITY;
  readonly scripts = new Tally();

  add({ at }: ExchangeRow, script: string): void {
    this.count += 1;
    this.first = Math.min(this.first, at);
    this.last = Math.max(this.last, at);
    if (script !== '') this.scripts.add(script);
  }
}

/** One of a group's requests, and what was found in it. */
export interface FindingExample extends Example {
  readonly detail: string;
  readonly evidence: readonly string[];
}

/** The requests with one and the same finding. */
export class FindingGroup extends Tallied {
  /** The worst of its requests'. */
  severity: Severity = 'note';
  /** How often the wire proved it, and left other causes open, of the requests that were looked at whole. */
  readonly certainty = { proven: 0, allowed: 0 };
  /** Who was at the two ends. */
  readonly products = new Set<Product>();
  /** What is advised for single requests, beyond the rule's remedies. */
  readonly advice = new Tally();
  readonly alternatives = new Map<string, string>();
  readonly look = new Set<string>();
  readonly #different: FindingExample[] = [];
  /** For the same file as another example: they serve when there are not enough different ones. */
  readonly #alike: FindingExample[] = [];

  constructor(
    readonly id: string,
    readonly title: string,
  ) {
    super();
  }

  /** Its next request is worth more than a look at the row. */
  get isCurious(): boolean {
    const next = this.count + 1;
    return next <= LOOKED_AT || (next & (next - 1)) === 0;
  }

  get examples(): readonly FindingExample[] {
    return [...this.#different, ...this.#alike].slice(0, EXAMPLES).sort((a, b) => a.n - b.n);
  }

  override add(row: ExchangeRow, script: string): void {
    super.add(row, script);
    // A row knows the severity of the first of its findings.
    if (row.findings[0] === this.id && row.severity !== null) this.#worsen(row.severity);
  }

  /** @param exchange as it may be shown, and the finding in it */
  see(finding: Finding, exchange: Exchange, example: FindingExample): void {
    this.#worsen(finding.severity);
    this.certainty[finding.certainty] += 1;
    const products = productsOf(exchange);
    for (const product of products) this.products.add(product);
    const remedies = remediesFor(ruleOf(finding.id)?.remedies ?? {}, products);
    // What fits just this case stands before the remedies.
    const own = Math.max(0, finding.advice.length - remedies.length);
    for (const text of finding.advice.slice(0, own)) this.advice.add(visibleText(text));
    for (const { cause, tell } of finding.alternatives)
      if (this.alternatives.size < CAUSES_KEPT) this.alternatives.set(visibleText(cause), visibleText(tell));
    for (const place of finding.look) if (this.look.size < CAUSES_KEPT) this.look.add(visibleText(place));
    const isDifferent = this.#different.every(({ script }) => script !== example.script);
    const list = isDifferent ? this.#different : this.#alike;
    if (list.length < EXAMPLES) list.push(example);
  }

  #worsen(severity: Severity): void {
    if (severityRank(severity) > severityRank(this.severity)) this.severity = severity;
  }
}

/** Requests that went wrong in the same way, and nothing was found that says why. */
export class UnexplainedGroup extends Tallied {
  readonly examples: Example[] = [];

  /** @param status that of a complete answer, when it says itself that something went wrong; else null */
  constructor(
    readonly outcome: Outcome,
    readonly status: number | null,
  ) {
    super();
  }

  show(example: Example): void {
    if (this.examples.length < EXAMPLES) this.examples.push(example);
  }
}
