import type { Product } from '../diagnosis/products.js';
import { remediesFor } from '../diagnosis/remedies.js';
import { ruleOf } from '../diagnosis/rule-groups.js';
import type { Overview } from '../model/inspection.js';
import { outcomeWords } from '../model/outcome-words.js';
import type { SessionSummary } from '../model/output.js';
import { formatBytes, formatDuration } from '../model/quantity.js';
import { visibleText } from '../model/visible-text.js';
import { dateTime, span } from './calendar.js';
import type { Digest } from './digest.js';
import { Page, type PageOptions } from './page.js';
import type { Example, FindingExample, FindingGroup, Tallied, UnexplainedGroup } from './report-groups.js';
import { type Colour, severityColour } from './style.js';

/** The report as it is read: the totals, what was found, what was not understood, and what could not be seen. */

/** Of each list the most frequent. */
const SCRIPTS = 3;
const OWN_ADVICE = 4;
const WARNING_SHOWN = 500;
const SOURCES_SHOWN = 3;

/** @param overview null when the session could not be asked any more */
export function reportPage(
  digest: Digest,
  summary: SessionSummary,
  overview: Overview | null,
  options: PageOptions,
): string {
  return new Report(digest, summary, overview, new Page(options)).write();
}

class Report {
  constructor(
    private readonly digest: Digest,
    private readonly summary: SessionSummary,
    private readonly overview: Overview | null,
    private readonly page: Page,
  ) {}

  write(): string {
    const { digest, page } = this;
    const { groups, unexplained } = digest;
    this.#totals();
    if (groups.length > 1) this.#contents(groups);
    for (const [index, group] of groups.entries()) this.#finding(group, index + 1);
    if (unexplained.length > 0) this.#unexplained(unexplained);
    this.#unseen();
    if (groups.length + unexplained.length > 0) this.#further(groups[0] ?? null);
    return page.take();
  }

  #totals(): void {
    const { digest, page } = this;
    const sources = this.overview?.sources ?? [];
    const named = sources.slice(0, SOURCES_SHOWN).map((source) => visibleText(source));
    const more = sources.length - named.length;
    const from = named.length === 0 ? '' : `, from ${named.join(', ')}${more === 0 ? '' : ` and ${more} more`}`;
    if (digest.requests === 0) return page.say(`No FastCGI request was seen${from}.`, { colour: 'bold' });
    const wrong = `${digest.failed === 0 ? 'none' : digest.failed} failed`;
    page.say(`${counted(digest.requests, 'request')}, ${wrong}, ${span(digest.first, digest.last)}${from}`, {
      colour: 'bold',
    });
    const isWell = digest.failed === 0 && digest.groups.every(({ severity }) => severity === 'note');
    if (!isWell) return;
    page.blank();
    const remarks = digest.groups.length === 0 ? '' : ' What follows are remarks.';
    page.say(`Nothing wrong was found in ${counted(digest.requests, 'request')}.${remarks}`, { colour: 'green' });
  }

  /** What is to come, at a glance. */
  #contents(groups: readonly FindingGroup[]): void {
    const { page } = this;
    const places = String(groups.length).length;
    const counts = groups.map(({ count }) => String(count).length);
    const widest = Math.max(...counts);
    page.blank();
    for (const [index, { severity, count, title }] of groups.entries()) {
      const mark = `${String(index + 1).padStart(places)}. ${severity.toUpperCase().padEnd(7)} ${String(count).padStart(widest)} × `;
      page.say(title, { mark, colour: severityColour(severity) });
    }
  }

  #finding(group: FindingGroup, place: number): void {
    const { page, digest } = this;
    const rule = ruleOf(group.id);
    page.blank();
    page.say(group.title, {
      mark: `${place}. ${group.severity.toUpperCase()}: `,
      colour: severityColour(group.severity),
    });
    page.say(`${group.id}, ${shareWords(group, digest.requests)}`, { indent: INDENT });
    this.#scripts(group);
    if (rule !== null && rule.meaning !== rule.title) this.#part('What it means', [rule.meaning]);
    this.#heading(group.count === 1 ? 'What was seen' : 'For example');
    let said = '';
    for (const example of group.examples) {
      this.#example(example, example.detail === said);
      said = example.detail;
    }
    this.#advice(group);
    this.#certainty(group);
    this.#list('Where to look next', [...group.look], '> ');
  }

  #scripts({ scripts, count }: Tallied): void {
    if (scripts.size === 0 || count === 1) return;
    const top = scripts.top(SCRIPTS).map(([script, times]) => `${script} (${times})`);
    const more = scripts.size > SCRIPTS ? ', …' : '';
    this.page.say(`${top.join(', ')}${more}`, { indent: INDENT, mark: 'Most: ' });
  }

  #example(example: FindingExample, isAlike: boolean): void {
    const { page } = this;
    this.#request(example);
    if (isAlike) return page.say('The same.', { indent: DEEPER });
    if (example.detail !== '') page.say(example.detail, { indent: DEEPER });
    for (const one of example.evidence) page.say(one, { indent: DEEPER, mark: 'Seen: ' });
  }

  #request(example: Example): void {
    const { page } = this;
    const { n, method, url, total, connection, requestId, server } = example;
    const asked = [method, url].filter((text) => text !== '').join(' ');
    const after = total === null ? '' : ` after ${formatDuration(total)}`;
    const to = server === null ? '' : ` to ${server}`;
    page.say(`${dateTime(example.at, this.digest.first)} ${asked === '' ? 'no URL was seen' : asked}`, {
      indent: INDENT,
      mark: `#${n} `,
    });
    page.say(`${endWords(example)}${after}, connection ${connection}/${requestId}${to}`, {
      indent: DEEPER,
      colour: 'dim',
    });
  }

  #advice(group: FindingGroup): void {
    const known = group.products.size > 0 ? group.products : this.digest.products;
    const own = group.advice.top(OWN_ADVICE).map(([text]) => text);
    const usual = remediesFor(ruleOf(group.id)?.remedies ?? {}, [...known] as Product[]);
    this.#list('What to change', [...new Set([...own, ...usual])], '- ');
  }

  #certainty({ certainty, alternatives }: FindingGroup): void {
    const { page } = this;
    if (certainty.proven + certainty.allowed === 0) return;
    this.#heading('How sure this is');
    page.say(certaintyWords(certainty, alternatives.size > 0), { indent: INDENT });
    for (const [cause, tell] of alternatives) {
      page.say(cause, { indent: INDENT, mark: '? ' });
      page.say(tell, { indent: DEEPER, mark: 'To tell: ' });
    }
  }

  #unexplained(groups: readonly UnexplainedGroup[]): void {
    const { page, digest } = this;
    page.blank();
    page.say('Failed, and no rule says why', { colour: 'bold' });
    for (const group of groups) {
      page.blank();
      const what =
        group.status === null
          ? outcomeWords(group.outcome)
          : `Completed for FastCGI, but the status of the response is ${group.status}: the application says that it failed.`;
      page.say(what, { indent: INDENT });
      page.say(`${group.outcome}, ${shareWords(group, digest.requests)}`, { indent: INDENT });
      this.#scripts(group);
      for (const example of group.examples) this.#request(example);
    }
  }

  /** What this report cannot know. */
  #unseen(): void {
    const { digest, summary, overview, page } = this;
    const { hidden, skipped, lostBytes } = summary;
    const { unfinished } = digest;
    const texts = [
      hidden === 0 ? '' : `${counted(hidden, 'request')} did not match the filter: not counted here.`,
      unfinished === 0
        ? ''
        : `${unfinished === 1 ? '1 request was' : `${unfinished} requests were`} still open when it ended (unfinished): how they would have ended is not known.`,
      skipped === 0
        ? ''
        : `${counted(skipped, 'request')} had to be forgotten before being counted (--max-requests, --max-spool).`,
      lostBytes === 0 ? '' : `${formatBytes(lostBytes)} that passed could not be recorded.`,
      ...(overview?.warnings ?? []).map((text) => `${visibleText(text, WARNING_SHOWN)}.`),
    ].filter((text) => text !== '');
    if (texts.length === 0) return;
    page.blank();
    page.say(digest.requests === 0 ? 'Why that may be' : 'What is not in it', { colour: 'bold' });
    for (const text of texts) page.say(text, { indent: INDENT, mark: '- ' });
  }

  #further(group: FindingGroup | null): void {
    const { page, overview, digest } = this;
    const n = (group ?? digest.unexplained[0])?.examples[0]?.n;
    // What passed live is gone when this is read.
    const detail = n === undefined || overview?.progress === null ? null : `-Y 'n == ${n}' --format detail`;
    page.blank();
    if (detail !== null) page.say(`fcgi-inspect FILE ${detail}`, { mark: 'See one record by record: ', colour: 'dim' });
    if (group !== null) page.say(`fcgi-inspect rules ${group.id}`, { mark: 'Read about a finding: ', colour: 'dim' });
  }

  #list(title: string, texts: readonly string[], mark: string): void {
    if (texts.length === 0) return;
    this.#heading(title);
    for (const text of texts) this.page.say(text, { indent: INDENT, mark });
  }

  #part(title: string, texts: readonly string[]): void {
    this.#list(title, texts, '');
  }

  #heading(title: string, colour: Colour = 'bold'): void {
    this.page.blank();
    this.page.say(title, { indent: INDENT, colour });
  }
}

const INDENT = 3;
const DEEPER = 5;

function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}

function shareWords({ count, first, last }: Tallied, requests: number): string {
  const times =
    count === 1 ? `at ${dateTime(first, first)}` : `from ${dateTime(first, first)} to ${dateTime(last, first)}`;
  return `${count} of ${requests} ${requests === 1 ? 'request' : 'requests'}, ${times}`;
}

/** What one sees of its end from outside. */
function endWords({ outcome, status }: Example): string {
  if (outcome !== 'completed') return outcome ?? 'still open';
  return status === null ? 'no status' : `status ${status}`;
}

function certaintyWords({ proven, allowed }: FindingGroup['certainty'], hasOthers: boolean): string {
  const others = hasOthers ? ' It may also be:' : '';
  if (allowed === 0) return 'What was seen proves it.';
  if (proven === 0) return `What was seen fits it, and does not prove it.${others}`;
  return `For some of these requests what was seen proves it; for others it only fits.${hasOthers ? ' Those may also be:' : ''}`;
}
