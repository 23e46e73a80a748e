import type { Product } from '../diagnosis/products.js';
import { productsOf } from '../diagnosis/remedies.js';
import { ruleOf } from '../diagnosis/rule-groups.js';
import { formatEndpoint } from '../model/connection.js';
import { evidenceWords } from '../model/evidence-words.js';
import type { Exchange, ExchangeRow, RecordEntry } from '../model/exchange.js';
import { severityRank } from '../model/finding.js';
import { redactUrl } from '../model/redaction.js';
import { MICROSECONDS_PER_MILLISECOND, type Timestamp } from '../model/time.js';
import { visibleText } from '../model/visible-text.js';
import { type Example, FindingGroup, UnexplainedGroup } from './report-groups.js';

/** What a report quotes of a URL, a path or an address, and of the words of a finding. */
const NAME_SHOWN = 160;
const DETAIL_SHOWN = 1_000;
/** Different statuses and outcomes of requests without a finding; more are counted with the first. */
const UNEXPLAINED_KEPT = 100;
/** From this status on the server says that it is to blame (RFC 9110 section 15.6). */
const SERVER_ERRORS = 500;

/** What the requests of a session came to. It holds groups, and no requests. */
export class Digest {
  requests = 0;
  failed = 0;
  /** Open to the end, and nothing was found in them. */
  unfinished = 0;
  first: Timestamp = Number.POSITIVE_INFINITY;
  last: Timestamp = Number.NEGATIVE_INFINITY;
  /** Who was seen at the two ends, in whatever requests were looked at. */
  readonly products = new Set<Product>();
  readonly #groups = new Map<string, FindingGroup>();
  readonly #unexplained = new Map<string, UnexplainedGroup>();

  constructor(private readonly redact: boolean) {}

  /** The worst first, and of equal ones the most frequent. */
  get groups(): readonly FindingGroup[] {
    return [...this.#groups.values()].sort(
      (a, b) => severityRank(b.severity) - severityRank(a.severity) || b.count - a.count || a.first - b.first,
    );
  }

  get unexplained(): readonly UnexplainedGroup[] {
    return [...this.#unexplained.values()].sort((a, b) => b.count - a.count || a.first - b.first);
  }

  /** Whether to look at the whole request, before it is added. */
  wants({ findings }: ExchangeRow): boolean {
    return findings.some((id) => this.#groups.get(id)?.isCurious ?? true);
  }

  add(row: ExchangeRow): void {
    const end = row.at + (row.total ?? 0) * MICROSECONDS_PER_MILLISECOND;
    this.requests += 1;
    this.first = Math.min(this.first, row.at);
    this.last = Math.max(this.last, end);
    const answered = row.outcome === 'completed' && (row.status ?? 0) < SERVER_ERRORS;
    const isExplained = row.findings.some((id) => ruleOf(id)?.layer !== 'remark');
    const isUnexplained = !answered && row.outcome !== 'unfinished' && !isExplained;
    // What a rule takes for no more than a note, such as a visitor who left, has not failed however it ended.
    if (row.severity === 'error' || isUnexplained || (!answered && row.severity === 'warning')) this.failed += 1;
    const script = row.findings.length > 0 || isUnexplained ? scriptOf(row, this.redact) : '';
    for (const id of row.findings) this.#group(id).add(row, script);
    if (isUnexplained) this.#leaveUnexplained(row, script);
    else if (row.outcome === 'unfinished' && !isExplained) this.unfinished += 1;
  }

  /**
   * Looks at a request that was added.
   * @param exchange as it may be shown
   * @param records those that evidence names
   */
  see(row: ExchangeRow, exchange: Exchange, records: ReadonlyMap<number, RecordEntry>): void {
    this.identify(exchange);
    for (const finding of exchange.findings) {
      // What the detail says already is not said again.
      const evidence = finding.evidence.filter(
        (one) => one.kind !== 'time' && !(one.kind === 'stderr' && finding.detail.includes(one.text)),
      );
      this.#groups.get(finding.id)?.see(finding, exchange, {
        ...exampleOf(row, this.redact, visibleText(formatEndpoint(exchange.server), NAME_SHOWN)),
        detail: visibleText(finding.detail, DETAIL_SHOWN),
        evidence: evidence.map((one) => evidenceWords(one, exchange, records)),
      });
    }
  }

  /** Takes note of who is at the two ends. */
  identify(exchange: Exchange): void {
    for (const product of productsOf(exchange)) this.products.add(product);
  }

  #group(id: string): FindingGroup {
    const known = this.#groups.get(id);
    if (known !== undefined) return known;
    const group = new FindingGroup(id, ruleOf(id)?.title ?? id);
    this.#groups.set(id, group);
    return group;
  }

  #leaveUnexplained(row: ExchangeRow, script: string): void {
    const { outcome, status } = row;
    if (outcome === null) return;
    const told = outcome === 'completed' ? status : null;
    const key = `${outcome} ${told}`;
    let group = this.#unexplained.get(key);
    if (group === undefined) {
      if (this.#unexplained.size >= UNEXPLAINED_KEPT) return;
      group = new UnexplainedGroup(outcome, told);
      this.#unexplained.set(key, group);
    }
    group.add(row, script);
    group.show(exampleOf(row, this.redact, null));
  }
}

function exampleOf(row: ExchangeRow, redact: boolean, server: string | null): Example {
  const { n, at, method, url, status, outcome, total, connection, requestId } = row;
  return {
    n,
    at,
    method: visibleText(method ?? '', NAME_SHOWN),
    url: visibleText(url === null ? '' : redact ? redactUrl(url) : url, NAME_SHOWN),
    status,
    outcome,
    total,
    connection,
    requestId,
    server,
    script: scriptOf(row, redact),
  };
}

function scriptOf({ script, url }: ExchangeRow, redact: boolean): string {
  const place = script ?? url?.replace(/[?#].*$/s, '') ?? '';
  return visibleText(redact ? redactUrl(place) : place, NAME_SHOWN);
}
