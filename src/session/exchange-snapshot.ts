import type { Exchange } from '../model/exchange.js';
import type { Finding } from '../model/finding.js';

/**
 * A copy that does not change any more when its builder goes on. Parameters, header lines, problems, findings and byte arrays are
 * shared: nobody changes those once they are there.
 */
export function snapshot(exchange: Exchange, findings: readonly Finding[]): Exchange {
  const { streams } = exchange;
  return {
    n: exchange.n,
    connection: exchange.connection,
    requestId: exchange.requestId,
    client: exchange.client,
    server: exchange.server,
    role: exchange.role,
    keepConnection: exchange.keepConnection,
    precedingRequests: exchange.precedingRequests,
    outcome: exchange.outcome,
    waiting: exchange.waiting,
    times: { ...exchange.times },
    params: exchange.params.slice(),
    paramsComplete: exchange.paramsComplete,
    paramsSplit: exchange.paramsSplit,
    method: exchange.method,
    url: exchange.url,
    script: exchange.script,
    response: exchange.response,
    streams: {
      params: { ...streams.params },
      stdin: { ...streams.stdin },
      stdout: { ...streams.stdout },
      stderr: { ...streams.stderr },
      data: { ...streams.data },
    },
    stderrHead: exchange.stderrHead,
    bodyHead: exchange.bodyHead,
    appStatus: exchange.appStatus,
    protocolStatus: exchange.protocolStatus,
    abortSeen: exchange.abortSeen,
    records: { ...exchange.records },
    problems: exchange.problems.slice(),
    connectionEnd: exchange.connectionEnd,
    failure: exchange.failure,
    findings,
  };
}

/** An estimate of what an exchange takes in memory, in bytes; for bounds, not for books. */
export function weightOf(exchange: Exchange): number {
  const { params, response, streams, problems, stderrHead, bodyHead } = exchange;
  const characters = streams.params.bytes + (response?.length ?? 0);
  const objects = params.length + (response?.headers.length ?? 0) + problems.length;
  return 2_000 + 2 * characters + 100 * objects + stderrHead.buffer.byteLength + bodyHead.length;
}
