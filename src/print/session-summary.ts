import type { Outcome } from '../model/exchange.js';
import type { SessionSummary } from '../model/output.js';
import { formatBytes, formatDuration } from '../model/quantity.js';

/** In the order in which they are named: what is well, then what is not, by who ended it. */
const OUTCOMES: readonly Outcome[] = [
  'completed',
  'rejected',
  'aborted',
  'backend-closed',
  'backend-reset',
  'web-server-closed',
  'web-server-reset',
  'not-connected',
  'unfinished',
  'undecodable',
];

/** What a session came to, in one line for people: `8431 requests on 12 connections in 42.0s: 8400 completed, …; 3 errors; 5 evicted`, and its line end. */
export function summaryText(summary: SessionSummary): string {
  const outcomes = OUTCOMES.flatMap((outcome) => {
    const count = summary.outcomes[outcome] ?? 0;
    return count === 0 ? [] : [`${count} ${outcome}`];
  });
  const { error, warning, note } = summary.findings;
  const findings = [some(error, 'error'), some(warning, 'warning'), some(note, 'note')].filter((text) => text !== '');
  const parts = [
    outcomes.join(', '),
    findings.length === 0 ? 'no findings' : findings.join(', '),
    summary.hidden === 0 ? '' : `${summary.hidden} not shown (filter)`,
    summary.evicted === 0 ? '' : `${summary.evicted} evicted`,
    summary.skipped === 0 ? '' : `${summary.skipped} evicted before they could be written`,
    summary.lostBytes === 0 ? '' : `${formatBytes(summary.lostBytes)} could not be recorded`,
  ].filter((part) => part !== '');
  const requests = some(summary.requests, 'request') || 'no requests';
  const connections = some(summary.connections, 'connection') || 'no connections';
  return `${requests} on ${connections} in ${formatDuration(summary.seconds * 1000)}: ${parts.join('; ')}\n`;
}

function some(count: number, noun: string): string {
  return count === 0 ? '' : `${count} ${noun}${count === 1 ? '' : 's'}`;
}
