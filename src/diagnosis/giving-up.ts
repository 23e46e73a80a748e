import type { Exchange } from '../model/exchange.js';
import type { Surroundings } from '../model/surroundings.js';
import { type Waiting, waitingAt } from '../model/waiting.js';
import { declaredLength } from './declared-length.js';
import { headerValue } from './header-value.js';
import { PRODUCT_NAMES, type WebServer, webServerOf } from './products.js';

/**
 * Why a web server ended a request before its answer was complete: its own patience was over, or its client had gone. The wire shows the
 * same in both cases, a FIN or a reset, so the clock has to tell them apart: a timeout ends a silence of just its length, a person leaves
 * at any time. What web servers do when their client leaves was tried on the versions that Debian 12 has.
 */
export interface GivingUp {
  /** What was waited for, and how long nothing had been said. */
  readonly waiting: Waiting;
  readonly reason: 'timeout' | 'departure';
  /** For a timeout: what it is recognised by, a clause. */
  readonly sign: string;
  /** `closed the connection` */
  readonly how: string;
}

/** Null where the web server did not end the request, and where it had all it needed. */
export function givingUp(exchange: Exchange, around: Surroundings | null): GivingUp | null {
  const { outcome } = exchange;
  if (outcome !== 'web-server-closed' && outcome !== 'web-server-reset' && outcome !== 'aborted') return null;
  if (exchange !== lastExchange || around !== lastAround) {
    lastAnswer = look(exchange, around);
    lastExchange = exchange;
    lastAround = around;
  }
  return lastAnswer;
}

/** Several rules ask one after the other. */
let lastExchange: Exchange | null = null;
let lastAround: Surroundings | null = null;
let lastAnswer: GivingUp | null = null;

function look(exchange: Exchange, around: Surroundings | null): GivingUp | null {
  const { connectionEnd, times, outcome, abortSeen } = exchange;
  const at = connectionEnd?.at ?? times.end ?? times.lastRecord;
  const waiting = waitingAt(exchange, at);
  if (hadEnough(exchange, waiting)) return null;
  const sign = timeoutSign(exchange, waiting, around);
  return {
    waiting,
    reason: sign === null ? 'departure' : 'timeout',
    sign: sign ?? '',
    how: abortSeen
      ? 'sent ABORT_REQUEST'
      : outcome === 'web-server-reset'
        ? 'reset the connection'
        : 'closed the connection',
  };
}

/** A web server that has the whole answer, or needs no more of it, may close before END_REQUEST. */
function hadEnough(exchange: Exchange, waiting: Waiting): boolean {
  const { response, streams, method, role } = exchange;
  // HAProxy takes the end of STDOUT for the end of the answer.
  if (waiting.for === 'end-request') return waiting.milliseconds < AT_ONCE;
  if (waiting.for !== 'more-stdout' || response === null || !response.complete) return false;
  // nginx stops after the header when no body follows it to the client.
  if (method === 'HEAD' || role === 'authorizer') return true;
  const { status } = response;
  if (status === 204 || status === 304) return true;
  if (ELSEWHERE.some((name) => headerValue(exchange, name) !== null)) return true;
  const announced = headerValue(exchange, 'content-length');
  return (
    announced !== null && /^\d{1,15}$/.test(announced) && streams.stdout.bytes - response.length >= Number(announced)
  );
}

/** Headers that have something else sent in place of the answer's body. */
const ELSEWHERE = ['x-accel-redirect', 'x-sendfile', 'x-lighttpd-send-file', 'x-litespeed-location', 'x-reproxy-url'];

/** Milliseconds within which something follows at once. */
const AT_ONCE = 1_000;

/** Timeouts for which nothing has to be configured, in seconds. */
const DEFAULTS: Readonly<Partial<Record<WebServer, readonly number[]>>> = {
  nginx: [60],
  // mod_proxy_fcgi; mod_fcgid's FcgidIOTimeout and FcgidBusyTimeout.
  apache: [60, 40, 300],
  h2o: [30],
  iis: [30, 90],
};
const ANY_DEFAULT: readonly number[] = [30, 60];
const NEAR_DEFAULT = 0.05;

/** These do not notice that their client has gone before they have something to send to it. */
const UNAWARE: readonly WebServer[] = ['lighttpd', 'apache', 'caddy', 'h2o'];

/** What people set timeouts to, in seconds. */
const ROUND = [
  1, 2, 3, 5, 10, 15, 20, 25, 30, 40, 45, 50, 60, 75, 90, 100, 120, 150, 180, 240, 300, 600, 900, 1200, 1800, 3600,
];
/**
 * How far off such a figure the silence may be, in milliseconds: a busy web server reckons from a clock that it has read before, and what
 * it has sent is seen a little later. Most people leave within the first few seconds, and some do it just then: there it has to be exact.
 */
const EARLY = 150;
const EARLY_AT_FIRST = 20;
const FIRST = 4_000;
const LATE = 15;
/** lighttpd looks at its clock once a second. */
const LATE_LIGHTTPD = 1_300;
/** Others that were given up after as long a silence, until that is no chance any more. */
const HABIT = 2;

/** What speaks for a timeout, in a clause; null when nothing does. */
function timeoutSign(exchange: Exchange, waiting: Waiting, around: Surroundings | null): string | null {
  const server = webServerOf(exchange);
  const ms = waiting.milliseconds;
  const name = server === null ? 'the web server' : PRODUCT_NAMES[server];
  const alike = around?.givenUpAlike ?? 0;
  if (alike >= HABIT) return `${alike} before it ended after as long a silence`;
  const known = (server === null ? ANY_DEFAULT : (DEFAULTS[server] ?? [])).find(
    (seconds) => Math.abs(ms - seconds * 1000) <= seconds * 1000 * NEAR_DEFAULT,
  );
  if (known !== undefined) return `${known} s is ${server === null ? 'a usual' : `${name}’s`} default timeout`;
  const waitsForAnswer = waiting.for === 'first-stdout';
  if (waitsForAnswer && exchange.abortSeen)
    return 'only HAProxy sends ABORT_REQUEST, and by default only at its timeout';
  if (waitsForAnswer && server !== null && UNAWARE.includes(server) && ms >= LEAST) {
    return `${name} does not notice before that its client has gone`;
  }
  const early = ms < FIRST ? EARLY_AT_FIRST : EARLY;
  const late = server === 'lighttpd' ? LATE_LIGHTTPD : LATE;
  if (ROUND.some((seconds) => ms >= seconds * 1000 - early && ms <= seconds * 1000 + late)) {
    return 'timeouts are set to such round figures, and people leave at any time';
  }
  return null;
}

/** Milliseconds: nobody sets a shorter timeout. */
const LEAST = 900;

/** Whether an answer, or a word that there is none, came before the web server went away: what comes later, nobody gets. */
export function answeredInTime({ times, streams, connectionEnd, protocolStatus }: Exchange): boolean {
  if (connectionEnd?.endedBy === 'web-server')
    return times.firstStdout !== null && times.firstStdout <= connectionEnd.at;
  return streams.stdout.bytes + streams.stdout.missing > 0 || protocolStatus !== null;
}

/** Whether the request had been said in full as far as PHP reads it: as many bytes of STDIN as CONTENT_LENGTH announces. */
export function bodyArrived(exchange: Exchange): boolean {
  const { stdin } = exchange.streams;
  const announced = declaredLength(exchange);
  const length = stdin.bytes + stdin.missing;
  return typeof announced === 'number' ? length >= announced : stdin.ended;
}
