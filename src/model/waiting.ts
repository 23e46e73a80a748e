import type { Exchange } from './exchange.js';
import { paramValue } from './param-value.js';
import { formatDuration } from './quantity.js';
import { milliseconds, type Timestamp } from './time.js';

/**
 * What a request waits for: the order in which the records of a request must come (specification section 5) tells whose turn it is. The
 * backend may answer before the web server has said all, so once there is output, the rest of it is what people wait for.
 */
export type WaitedFor =
  | 'params'
  | 'stdin'
  /** As many bytes as CONTENT_LENGTH announces have come, but not the empty record behind them. */
  | 'stdin-end'
  | 'data'
  | 'first-stdout'
  | 'more-stdout'
  | 'end-request';

export interface Waiting {
  readonly for: WaitedFor;
  /** Since the last thing that was said for this request. */
  readonly milliseconds: number;
}

/**
 * What a request is waiting for as of `at`; for one that was ended by a side, ask for the time of that end: what came after it does not
 * count. Of one whose beginning was not seen only the output is known.
 */
export function waitingAt(exchange: Exchange, at: Timestamp): Waiting {
  const { times, connectionEnd } = exchange;
  const before = (time: Timestamp | null) => time !== null && time <= at;
  let since = times.lastRecord;
  // A web server may stop sending and go on listening: then the answer goes on after the first end.
  if (connectionEnd !== null && at > connectionEnd.at) {
    for (const time of [times.firstStdout, times.lastStdout])
      if (time !== null && before(time) && time > since) since = time;
  }
  return { for: waitedFor(exchange, at), milliseconds: Math.max(0, milliseconds(since, at) ?? 0) };
}

const WORDS: Readonly<Record<WaitedFor, readonly [long: string, short: string]>> = {
  params: ['the web server’s PARAMS', 'PARAMS'],
  stdin: ['the web server’s STDIN', 'STDIN'],
  'stdin-end': ['the web server’s end of STDIN', 'end of STDIN'],
  data: ['the web server’s DATA', 'DATA'],
  'first-stdout': ['the backend’s first STDOUT', 'first STDOUT'],
  'more-stdout': ['more of the backend’s STDOUT', 'more STDOUT'],
  'end-request': ['the backend’s END_REQUEST', 'END_REQUEST'],
};

/** `waiting for the backend’s first STDOUT, 12 s` */
export function waitingWords({ for: what, milliseconds: ms }: Waiting): string {
  return `waiting for ${WORDS[what][0]}, ${wholeSeconds(ms)}`;
}

/** `first STDOUT 12 s`, for a column. */
export function waitingShort({ for: what, milliseconds: ms }: Waiting): string {
  return `${WORDS[what][1]} ${wholeSeconds(ms)}`;
}

/** As it is seen growing: decimals would only flicker. */
function wholeSeconds(ms: number): string {
  return ms < 100_000 ? `${Math.floor(ms / 1000)} s` : formatDuration(ms);
}

function waitedFor({ role, params, streams, times, protocolStatus }: Exchange, at: Timestamp): WaitedFor {
  const { stdin, stdout, data } = streams;
  if (times.firstStdout !== null && times.firstStdout <= at) {
    // When STDOUT ended is not known; where END_REQUEST came late, so may the end of STDOUT.
    return stdout.ended && protocolStatus === null ? 'end-request' : 'more-stdout';
  }
  if (stdout.ended && protocolStatus === null) return 'end-request';
  // Its beginning was not seen, or it gets PARAMS only (section 6.3).
  if (role === 'unknown') return 'first-stdout';
  if (!streams.params.ended) return 'params';
  if (role === 'authorizer') return 'first-stdout';
  if (!stdin.ended) {
    const length = stdin.bytes + stdin.missing;
    const announced = paramValue(params, 'CONTENT_LENGTH') ?? '';
    // Without a length only the empty record tells that there is no more.
    const whole = announced === '' ? length === 0 : Number(announced) >= 0 && length >= Number(announced);
    return whole ? 'stdin-end' : 'stdin';
  }
  return role === 'filter' && !data.ended ? 'data' : 'first-stdout';
}
