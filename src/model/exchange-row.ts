import type { Exchange, ExchangeRow } from './exchange.js';
import { type Finding, severityRank } from './finding.js';
import { milliseconds } from './time.js';

/** Shared by the rows of all that went well: they are many, and kept. */
const NO_FINDINGS: readonly string[] = Object.freeze([]);

/**
 * The row of an exchange as it is now; made of strings and numbers of its own, so that keeping it keeps nothing else alive.
 * @param findings those of the exchange, where they are not in it yet
 */
export function rowOf(exchange: Exchange, findings = exchange.findings): ExchangeRow {
  const { times, streams } = exchange;
  return {
    n: exchange.n,
    connection: exchange.connection,
    requestId: exchange.requestId,
    at: times.begin,
    role: exchange.role,
    outcome: exchange.outcome,
    method: exchange.method,
    url: exchange.url,
    script: exchange.script,
    status: statusOf(exchange),
    appStatus: exchange.appStatus,
    protocolStatus: exchange.protocolStatus,
    sizeIn: streams.stdin.bytes,
    sizeOut: streams.stdout.bytes,
    stderrBytes: streams.stderr.bytes,
    ttfb: milliseconds(times.begin, times.firstStdout),
    total: milliseconds(times.begin, times.end),
    records: exchange.records.total,
    problems: exchange.records.problems,
    findings: findings.length === 0 ? NO_FINDINGS : findings.map((finding) => finding.id),
    severity: worstFinding(findings)?.severity ?? null,
    waiting: exchange.waiting,
  };
}

/** The response's status; null without a complete header block, as nobody else would have seen one either. */
export function statusOf(exchange: Exchange): number | null {
  return exchange.response?.complete ? exchange.response.status : null;
}

/** The gravest finding, the first of them when several are (the cause stands first). */
export function worstFinding(findings: readonly Finding[]): Finding | null {
  let worst: Finding | null = null;
  for (const finding of findings) {
    if (worst === null || severityRank(finding.severity) > severityRank(worst.severity)) worst = finding;
  }
  return worst;
}
