import { logPlace } from '../../model/evidence-words.js';
import type { Exchange } from '../../model/exchange.js';
import type { Certainty, Evidence, Finding } from '../../model/finding.js';
import { severityRank } from '../../model/finding.js';
import { finding as findingOf } from '../diagnose.js';
import { ruleOf } from '../rule-groups.js';
import { type LogMessage, WORKER_GONE } from './log-message.js';
import { type DatedEntry, speaksOf } from './log-tie.js';

/**
 * What logs make of findings. A line about the same request as a finding is evidence for it. When its message leaves no other cause, and
 * it is sure that it is about this request and no other, the finding is proven: its alternatives go, and where the message names a
 * cause of which the wire only showed what came of it, that cause takes its place.
 */

/** A line that is about the request. */
export interface TiedLine {
  readonly line: DatedEntry;
  /** It can be about no other. */
  readonly isSure: boolean;
}

/** More of them say nothing more. */
const LINES_QUOTED = 5;
/** A line is quoted up to here: what comes after it is of the client's making. */
const QUOTED = 1_000;

export function corroborate(
  exchange: Exchange,
  findings: readonly Finding[],
  lines: readonly TiedLine[],
): readonly Finding[] {
  if (lines.length === 0) return findings;
  const changed = findings.map((one) => corroborated(exchange, one, lines));
  return changed.sort((a, b) => severityRank(b.severity) - severityRank(a.severity));
}

interface Said {
  readonly message: LogMessage;
  /** Not what the application wrote to STDERR, which was on the wire. */
  readonly isOwn: boolean;
  readonly tied: TiedLine;
}

function corroborated(exchange: Exchange, finding: Finding, lines: readonly TiedLine[]): Finding {
  const said: Said[] = lines.flatMap((tied) =>
    tied.line.entry.messages
      .map(({ message }, index) => ({ message, isOwn: index === 0, tied }))
      .filter(({ message }) => speaksOf(message, finding.id)),
  );
  if (said.length === 0) return finding;
  // A log may stand in another, and a server say the same again: the first stands for all.
  const quoted = new Map(said.toReversed().map(({ tied }) => [tied.line.text, tied]));
  const evidence = [...finding.evidence, ...[...quoted.values()].toReversed().slice(0, LINES_QUOTED).map(evidenceOf)];
  const sure = said.filter(({ tied, isOwn }) => tied.isSure && isOwn);
  const turning = sure.find(({ message }) => message.turns?.from.includes(finding.id));
  if (turning !== undefined && finding.certainty === 'allowed') return turned(exchange, finding, turning, evidence);
  const proof = sure.find(({ message }) => message.proves.includes(finding.id));
  if (proof === undefined || finding.certainty === 'proven') return { ...finding, evidence };
  return {
    ...finding,
    severity: proof.message.severity ?? finding.severity,
    certainty: 'proven',
    detail: `${finding.detail} ${proofWords(proof)}`,
    advice: [...proof.message.advice, ...finding.advice],
    alternatives: [],
    evidence,
  };
}

function turned(exchange: Exchange, finding: Finding, proof: Said, evidence: readonly Evidence[]): Finding {
  const { into } = proof.message.turns!;
  const rule = ruleOf(into === WORKER_GONE ? deathOf(exchange) : into);
  const detail = `${finding.detail} ${proofWords(proof)}`;
  const { advice } = proof.message;
  if (rule === null) return { ...finding, certainty: 'proven', detail, alternatives: [], evidence };
  return findingOf(rule, { detail, certainty: certaintyOf(proof.message), advice, evidence }, exchange);
}

/** That a web server lost patience says who ended the request, and not what the backend was at: it may have lain in a queue. */
function certaintyOf({ turns, proves }: LogMessage): Certainty {
  return turns?.into === 'slow-script' && !proves.includes('slow-script') ? 'allowed' : 'proven';
}

function deathOf({ outcome, streams }: Exchange): string {
  if (streams.stdout.bytes + streams.stdout.missing > 0) return 'crash-mid-response';
  return outcome === 'backend-reset' ? 'rst-before-any-byte' : 'eof-before-any-byte';
}

function proofWords({ message, tied }: Said): string {
  return `The log says why (${logPlace(tied.line)}): ${message.meaning}`;
}

function evidenceOf({ line: { file, line, text } }: TiedLine): Evidence {
  return { kind: 'log', file, line, text: text.slice(0, QUOTED) };
}
