import type { Side } from '../model/connection.js';
import type { Exchange, Problem, ProblemCode } from '../model/exchange.js';

/**
 * Which sides of a request were not seen whole. What was not captured, or could not be told apart in records, may hold whatever is not
 * there: so no rule that takes something for absent, or that adds bytes up, may speak of such a side (`absence` in rule.ts). A record that
 * a peer's end cut off is no blind spot: there, the rest was never sent. Healthy requests cost a few comparisons.
 */
export type BlindSpots = number;

/** As bits. */
export const BLIND: Readonly<Record<Side, BlindSpots>> = { client: 1, server: 2 };
const BOTH: BlindSpots = BLIND.client | BLIND.server;

export function blindSpots(exchange: Exchange): BlindSpots {
  const { role, outcome, requestId, records, streams } = exchange;
  // What passed before its beginning was met is not known, or what became of it. Number 0 is of connections on which no request began.
  if ((role === 'unknown' || outcome === 'undecodable') && requestId > 0) return BOTH;
  const { params, stdin, data, stdout, stderr } = streams;
  const lacks = params.missing + stdin.missing + data.missing + stdout.missing + stderr.missing > 0;
  if (records.problems === 0 && records.gaps === 0 && !lacks) return 0;
  return look(exchange);
}

/** Whether nothing of a side was missed while the request was open. */
export function seenWhole(exchange: Exchange, side: Side): boolean {
  return (blindSpots(exchange) & BLIND[side]) === 0;
}

/** Records cannot be told because of a gap, and not because of what a peer sent. */
export function isLostByGap({ code, message }: Problem): boolean {
  return code === 'lost-framing' && message.startsWith('a gap of ');
}

/** Bytes that were not captured, or that belong to no record. */
const UNSEEN: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  'capture-gap',
  'lost-framing',
  'midstream-start',
  'foreign-protocol',
  'met-late',
]);

function look({ records, problems, streams, connectionEnd }: Exchange): BlindSpots {
  let spots = 0;
  let gaps = 0;
  let cut = 0;
  for (const { code, side } of problems) {
    if (UNSEEN.has(code)) spots |= BLIND[side];
    if (code === 'capture-gap') gaps += 1;
    else if (code === 'truncated-record') cut |= BLIND[side];
  }
  // Not all problems are kept, and what is not kept any more has none.
  if (records.gaps > gaps || records.problems > problems.length) return BOTH;
  const { params, stdin, data, stdout, stderr } = streams;
  let lacking = 0;
  if (params.missing + stdin.missing + data.missing > 0) lacking |= BLIND.client;
  if (stdout.missing + stderr.missing > 0) lacking |= BLIND.server;
  // Where the capture ended, what it cut may have gone on.
  return spots | (connectionEnd?.how === 'capture-end' ? lacking | cut : lacking & ~cut);
}
