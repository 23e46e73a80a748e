import { connectionEndWords } from '../../model/connection-end.js';
import { connectionNotes } from '../../model/connection-notes.js';
import type { Exchange } from '../../model/exchange.js';
import type { Evidence } from '../../model/finding.js';
import { outcomeWords } from '../../model/outcome-words.js';
import { formatDuration } from '../../model/quantity.js';
import { milliseconds } from '../../model/time.js';
import { type Line, type Style, wrapWords } from '../paint.js';
import { LineList } from './line-list.js';
import type { Pane } from './pane.js';

/** What became of the request, who ended it, what is wrong and what to do. */

export const diagnosis: Pane = {
  id: 'diagnosis',
  title: 'Diagnosis',
  picksRecords: false,
  hasModes: false,
  async load(inspection, { exchange }, had) {
    if (had instanceof LineList && had.source === exchange) return had;
    const notes = await connectionNotes(inspection, exchange);
    return new LineList(exchange, (width) => diagnosisLines(exchange, notes, width));
  },
};

const ROLES_WITH_ARTICLE: Readonly<Record<string, string>> = {
  authorizer: 'An authorizer request: the answer decides whether the web server goes on.',
  filter: 'A filter request: a file came in on DATA.',
};

function diagnosisLines(exchange: Exchange, notes: readonly string[], width: number): Line[] {
  const lines: Line[] = [];
  const say = (text: string, style: Style = 'plain', indent = 0, mark = ''): void => {
    for (const [index, piece] of wrapWords(text, Math.max(20, width - indent - mark.length)).entries())
      lines.push([[' '.repeat(indent) + (index === 0 ? mark : ' '.repeat(mark.length)) + piece, style]]);
  };
  say(
    outcomeWords(exchange.outcome),
    exchange.outcome === 'completed' ? 'good' : exchange.outcome === null ? 'bold' : 'error',
  );
  const end = connectionEndWords(exchange, null);
  if (end !== null) say(`${end[0]!.toUpperCase()}${end.slice(1)}.`);
  else if (exchange.outcome !== null && exchange.failure === null)
    say('The connection was still open on both sides when the request ended.');
  for (const note of notes) say(`${note.charAt(0).toUpperCase()}${note.slice(1)}.`, 'warning');
  if (exchange.failure !== null) say(`${exchange.failure.message} (${exchange.failure.errno}).`, 'error');
  const role = ROLES_WITH_ARTICLE[exchange.role];
  if (role !== undefined) say(role);
  if (exchange.protocolStatus !== null)
    say(`Protocol status ${exchange.protocolStatus}, application status ${exchange.appStatus ?? 'unknown'}.`);
  else if (exchange.outcome !== null) say('No END_REQUEST was seen.');
  if (exchange.abortSeen) say('The web server sent ABORT_REQUEST.');
  const times = timesInWords(exchange);
  if (times !== '') say(times, 'dim');
  for (const finding of exchange.findings) {
    lines.push([]);
    lines.push([
      [`${finding.severity.toUpperCase()}  `, finding.severity],
      [finding.title, 'bold'],
      [`  ${finding.id}`, 'dim'],
    ]);
    say(finding.detail, 'plain', 2);
    for (const advice of finding.advice) say(advice, 'plain', 2, '- ');
    if (finding.alternatives.length > 0) say('It may also be:', 'dim', 2);
    for (const { cause, tell } of finding.alternatives) say(`${cause} ${tell}`, 'plain', 2, '? ');
    if (finding.look.length > 0) say('Look at:', 'dim', 2);
    for (const place of finding.look) say(place, 'plain', 2, '> ');
    const evidence = finding.evidence.map(evidenceWords);
    if (evidence.length > 0) say(`seen in: ${evidence.join('; ')}`, 'dim', 2);
  }
  if (exchange.findings.length === 0 && exchange.outcome !== null) {
    lines.push([]);
    say('Nothing remarkable was found.', 'dim');
  }
  if (exchange.problems.length > 0) {
    lines.push([]);
    lines.push([['Problems on the wire', 'bold']]);
    for (const problem of exchange.problems) {
      const from = problem.side === 'client' ? 'web server' : 'backend';
      say(`${problem.code} (${from}, byte ${problem.offset}): ${problem.message}`, 'error', 2);
    }
    const more = exchange.records.problems - exchange.problems.length;
    if (more > 0) say(`and ${more} more`, 'dim', 2);
  }
  return lines;
}

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

function evidenceWords(evidence: Evidence): string {
  switch (evidence.kind) {
    case 'record':
      return `record ${evidence.record}`;
    case 'param':
      return `param ${evidence.name}`;
    case 'header':
      return `header ${evidence.name}`;
    case 'stderr':
      return `stderr: ${evidence.text}`;
    case 'bytes':
      return `${evidence.stream}, byte ${evidence.offset}`;
    case 'time':
      return formatDuration(evidence.milliseconds);
    case 'request':
      return `request ${evidence.n}`;
  }
}
