import { NO_BYTES } from '../model/bytes.js';
import type { ConnectionEnd, Exchange, ExchangeRow, ResponseHead, StreamTotals } from '../model/exchange.js';
import { statusOf } from '../model/exchange-row.js';
import { type Finding, type Severity, severityRank } from '../model/finding.js';
import type { Surroundings } from '../model/surroundings.js';
import { MICROSECONDS_PER_MILLISECOND, type Timestamp } from '../model/time.js';
import type { KeptExchange } from './kept-exchange.js';
import { summaryOf } from './recorder.js';
import type { Replay } from './replay.js';

/**
 * An exchange of which bytes are not kept any more. Its row was made while all of them were seen, so what the row says is the truth; a
 * replay that lacks bytes adds what it still finds and must neither contradict the row nor take what it does not find for something that
 * did not happen. `rowOf` of what is made here is the row again, but for the three sizes, which count what is kept.
 */

/** How findings are made and described; given by whoever knows the rules. */
export interface Diagnosis {
  readonly diagnose: (exchange: Exchange, surroundings: Surroundings | null) => readonly Finding[];
  /** What is always said of a finding with this id; null when nobody knows. */
  readonly describe: (id: string) => Pick<Finding, 'severity' | 'title'> | null;
}

export function fromRow(kept: KeptExchange, replay: Replay, diagnosis: Diagnosis): Exchange {
  const row = kept.row();
  const made = foundAgain(replay.exchange, row) ?? bareExchange(kept);
  const { times, streams } = made;
  const stdout = lacking(streams.stdout, row.sizeOut);
  const exchange: Exchange = {
    ...made,
    role: row.role,
    outcome: row.outcome,
    times: {
      ...times,
      begin: row.at,
      firstStdout: later(row.at, row.ttfb),
      lastStdout: stdout.missing > 0 ? null : times.lastStdout,
      end: later(row.at, row.total),
    },
    params: made.params.slice(),
    method: row.method,
    url: row.url,
    script: row.script,
    response: responseOf(made, row, stdout.missing === 0),
    streams: {
      params: { ...streams.params },
      stdin: lacking(streams.stdin, row.sizeIn),
      stdout,
      stderr: lacking(streams.stderr, row.stderrBytes),
      data: { ...streams.data },
    },
    appStatus: row.appStatus,
    protocolStatus: row.protocolStatus,
    abortSeen: made.abortSeen || row.outcome === 'aborted',
    records: { total: row.records, gaps: Math.max(1, made.records.gaps), problems: row.problems },
    problems: made.problems.filter((problem) => problem.at < (replay.lostFrom ?? 0)),
    connectionEnd: connectionEndOf(made, row),
    findings: [],
  };
  return { ...exchange, findings: findingsOf(kept, exchange, diagnosis) };
}

/**
 * What was lost may have held the beginning or the end of a request next to it: then the wrong one was found, or one with records of
 * another, and that shows when it has more than was seen.
 */
function foundAgain(made: Exchange | null, row: ExchangeRow): Exchange | null {
  if (made === null || made.requestId !== row.requestId || made.records.total > row.records) return null;
  const { stdin, stdout, stderr } = made.streams;
  return stdin.bytes > row.sizeIn || stdout.bytes > row.sizeOut || stderr.bytes > row.stderrBytes ? null : made;
}

/** A time that a row tells in milliseconds after the beginning. */
export function later(begin: Timestamp, after: number | null): Timestamp | null {
  return after === null ? null : begin + after * MICROSECONDS_PER_MILLISECOND;
}

/** Those that were made when all was seen. Advice is taken from those that what is left still shows; figures are not: they may be wrong now. */
function findingsOf(kept: KeptExchange, exchange: Exchange, { diagnose, describe }: Diagnosis): readonly Finding[] {
  const row = kept.row();
  if (row.findings.length === 0) return [];
  const shown = diagnose(exchange, kept.surroundings);
  const worst = row.severity ?? 'note';
  return row.findings.map((id, i) => ({
    id,
    title: describe(id)?.title ?? id,
    // They stand in the order of their severities, and of the first one the row knows it.
    severity: i === 0 ? worst : milder(describe(id)?.severity ?? worst, worst),
    detail: 'The bytes that it stood on are not kept any more.',
    certainty: 'allowed',
    advice: shown.find((finding) => finding.id === id)?.advice ?? [],
    alternatives: shown.find((finding) => finding.id === id)?.alternatives ?? [],
    look: shown.find((finding) => finding.id === id)?.look ?? [],
    evidence: [],
  }));
}

function milder(one: Severity, other: Severity): Severity {
  return severityRank(one) < severityRank(other) ? one : other;
}

/** @param whole all of STDOUT is there */
function responseOf(made: Exchange, row: ExchangeRow, whole: boolean): ResponseHead | null {
  if (statusOf(made) === row.status && (whole || made.response?.complete)) return made.response;
  if (row.status === null) return null;
  return { status: row.status, reason: '', headers: [], complete: true, length: 0, invalidLines: [] };
}

/** Which record was the last before it is not known when records are lost. */
function connectionEndOf(made: Exchange, row: ExchangeRow): ConnectionEnd | null {
  const end = made.connectionEnd;
  if (end === null || made.records.total === row.records) return end;
  const kept = end.afterRecord === null ? '' : `${end.afterRecord} or `;
  return { ...end, afterRecord: `${kept}a record that is not kept any more` };
}

/** Whole records that were seen and are not there any more leave no trace in a replay: what it does not have of `seen` bytes is missing. */
function lacking(made: StreamTotals, seen: number): StreamTotals {
  return { ...made, missing: Math.max(made.missing, seen - made.bytes) };
}

/** An exchange of which nothing is stored any more. */
function bareExchange(kept: KeptExchange): Exchange {
  const { n, connection: id, requestId, role, outcome, at, method, url, script, ...row } = kept.row();
  const { connection, clean } = kept;
  const none: StreamTotals = { bytes: 0, records: 0, ended: false, missing: 0 };
  return {
    n,
    connection: id,
    requestId,
    client: connection.client,
    server: connection.server,
    role,
    keepConnection: null,
    precedingRequests: clean.opened,
    outcome,
    waiting: null,
    times: {
      begin: at,
      paramsEnd: null,
      stdinEnd: null,
      firstStdout: null,
      lastStdout: null,
      lastRecord: at,
      end: null,
    },
    params: [],
    paramsComplete: false,
    paramsSplit: false,
    method,
    url,
    script,
    response: null,
    streams: { params: none, stdin: none, stdout: none, stderr: none, data: none },
    stderrHead: NO_BYTES,
    bodyHead: NO_BYTES,
    appStatus: row.appStatus,
    protocolStatus: row.protocolStatus,
    abortSeen: false,
    records: { total: row.records, gaps: 0, problems: row.problems },
    problems: [],
    connectionEnd: null,
    failure: outcome === 'not-connected' ? summaryOf(connection).failure : null,
    findings: [],
  };
}
