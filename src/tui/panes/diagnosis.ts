import { ruleOf } from '../../diagnosis/rule-groups.js';
import { connectionEndWords } from '../../model/connection-end.js';
import { connectionNotes } from '../../model/connection-notes.js';
import { evidenceRecords, evidenceWords } from '../../model/evidence-words.js';
import type { Exchange, RecordEntry, StreamName } from '../../model/exchange.js';
import type { Evidence, Finding } from '../../model/finding.js';
import { outcomeWords } from '../../model/outcome-words.js';
import { formatDuration } from '../../model/quantity.js';
import { milliseconds } from '../../model/time.js';
import { waitingWords } from '../../model/waiting.js';
import { type Line, type Style, wrapWords } from '../paint.js';
import { LineList } from './line-list.js';
import type { Pane } from './pane.js';

/** What became of the request and who ended it; what was found: what happened, why, what to change; last what else there is to know. */

export const diagnosis: Pane = {
  id: 'diagnosis',
  title: 'Diagnosis',
  picksRecords: false,
  hasModes: false,
  async load(inspection, { exchange }, had) {
    if (had instanceof LineList && had.source === exchange) return had;
    const notes = await connectionNotes(inspection, exchange);
    const evidence = exchange.findings.flatMap((finding) => finding.evidence);
    const records = await evidenceRecords(inspection, exchange.n, evidence);
    return new LineList(exchange, (width) => new DiagnosisText(exchange, width).write(notes, records));
  },
};

const ROLES_WITH_ARTICLE: Readonly<Record<string, string>> = {
  authorizer: 'An authorizer request: the answer decides whether the web server goes on.',
  filter: 'A filter request: a file came in on DATA.',
};

const NARROWEST = 20;

class DiagnosisText {
  private readonly lines: Line[] = [];

  constructor(
    private readonly exchange: Exchange,
    private readonly width: number,
  ) {}

  write(notes: readonly string[], records: ReadonlyMap<number, RecordEntry>): Line[] {
    this.end(notes);
    for (const finding of this.exchange.findings) this.finding(finding, records);
    if (this.exchange.findings.length === 0 && this.exchange.outcome !== null) {
      this.lines.push([]);
      this.say('Nothing remarkable was found.', 'dim');
    }
    this.problems();
    this.facts();
    return this.lines;
  }

  private end(notes: readonly string[]): void {
    const { exchange } = this;
    const { outcome, failure, waiting } = exchange;
    this.say(
      waiting === null ? outcomeWords(outcome) : `The request is still open: ${waitingWords(waiting)}.`,
      outcome === 'completed' ? 'good' : outcome === null ? 'bold' : 'error',
    );
    const end = connectionEndWords(exchange, null);
    if (end !== null) this.say(sentence(end));
    else if (outcome !== null && failure === null)
      this.say('The connection was still open on both sides when the request ended.');
    for (const note of notes) this.say(sentence(note), 'warning');
    if (failure !== null) this.say(`${failure.message} (${failure.errno}).`, 'error');
  }

  /** What happened, why, what to change, what else it may be, where to look. */
  private finding(finding: Finding, records: ReadonlyMap<number, RecordEntry>): void {
    const { id, severity, title, detail, advice, certainty, alternatives, look, evidence } = finding;
    const rule = ruleOf(id);
    this.lines.push([]);
    this.lines.push([
      [`${severity.toUpperCase()}  `, severity],
      [title, 'bold'],
      [`  ${id}`, 'dim'],
    ]);
    if (detail !== '') this.say(detail, 'plain', 2);
    for (const one of evidence)
      this.say(`${evidenceWords(one, this.exchange, records)}${tabOf(one)}`, 'dim', 2, 'Seen: ');
    if (rule !== null && rule.meaning !== title) this.part('Why', [rule.meaning]);
    this.part('What to change', advice, '- ');
    this.lines.push([]);
    this.say(SURE[certainty], 'dim', 2);
    if (alternatives.length > 0) this.say('What else it may be', 'name', 2);
    for (const { cause, tell } of alternatives) {
      this.say(cause, 'plain', 2, '? ');
      this.say(tell, 'plain', 4, 'To tell: ');
    }
    this.part('Where to look', look, '> ');
  }

  private problems(): void {
    const { problems, records } = this.exchange;
    if (problems.length === 0) return;
    this.lines.push([]);
    this.say('Problems on the wire', 'bold');
    for (const { code, side, offset, message } of problems) {
      const from = side === 'client' ? 'web server' : 'backend';
      this.say(`${code} (${from}, byte ${offset}): ${message}`, 'error', 2);
    }
    const more = records.problems - problems.length;
    if (more > 0) this.say(`and ${more} more`, 'dim', 2);
  }

  private facts(): void {
    const { exchange } = this;
    const { protocolStatus, appStatus, outcome } = exchange;
    const facts = [
      ROLES_WITH_ARTICLE[exchange.role] ?? '',
      protocolStatus !== null
        ? `Protocol status ${protocolStatus}, application status ${appStatus ?? 'unknown'}.`
        : outcome === null
          ? ''
          : 'No END_REQUEST was seen.',
      exchange.abortSeen ? 'The web server sent ABORT_REQUEST.' : '',
      timesInWords(exchange),
    ].filter((fact) => fact !== '');
    if (facts.length > 0) this.lines.push([]);
    for (const fact of facts) this.say(fact, 'dim');
  }

  private part(title: string, texts: readonly string[], mark = ''): void {
    if (texts.length === 0) return;
    this.lines.push([]);
    this.say(title, 'name', 2);
    for (const text of texts) this.say(text, 'plain', 2, mark);
  }

  private say(text: string, style: Style = 'plain', indent = 0, mark = ''): void {
    const room = Math.max(NARROWEST, this.width - indent - mark.length);
    for (const [index, piece] of wrapWords(text, room).entries())
      this.lines.push([[' '.repeat(indent) + (index === 0 ? mark : ' '.repeat(mark.length)) + piece, style]]);
  }
}

const SURE: Readonly<Record<Finding['certainty'], string>> = {
  proven: 'What was seen proves it.',
  allowed: 'What was seen fits it, and does not prove it.',
};

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Where it is shown. */
function tabOf(evidence: Evidence): string {
  switch (evidence.kind) {
    case 'record':
      return ' (tab Records)';
    case 'param':
      return ' (tab Params)';
    case 'header':
      return ' (tab Response)';
    case 'stderr':
      return ' (tab Stderr)';
    case 'bytes':
      return ` (tab ${STREAM_TABS[evidence.stream]})`;
    case 'request':
      return ` (${evidence.n}G in the list)`;
    case 'log':
      return ' (tab Timeline)';
    case 'time':
      return '';
  }
}

const STREAM_TABS: Readonly<Record<StreamName, string>> = {
  params: 'Params',
  stdin: 'Stdin',
  data: 'Records',
  stdout: 'Response',
  stderr: 'Stderr',
};

/** What is known of its times, in the order in which things usually come; empty when nothing is. */
function timesInWords({ times }: Exchange): string {
  const steps: readonly (readonly [string, number | null])[] = [
    ['params ended', times.paramsEnd],
    ['stdin ended', times.stdinEnd],
    ['first output', times.firstStdout],
    ['last output', times.lastStdout],
    ['end', times.end],
  ];
  const known = steps.flatMap(([what, at]) =>
    at === null ? [] : [`${what} after ${formatDuration(milliseconds(times.begin, at))}`],
  );
  const text = known.join(', ');
  return text === '' ? '' : `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}
