import type { Exchange } from '../../../model/exchange.js';
import { formatDuration } from '../../../model/quantity.js';
import { milliseconds } from '../../../model/time.js';
import { defineRule } from '../../rule.js';

/** Nobody sets a shorter limit, milliseconds. */
const SHORTEST = 1_000;
/** So late a death is most likely a limit that was reached, even when it was seen once. */
const LATE = 5_000;
/** PHP-FPM looks three times in a timeout: so much do the ages differ at least of those that did not reach the same limit. */
const SAME_LIMIT = 0.74;

/** Whether a death at this age, and those that came with it, fit a limit on the time of each request. */
export function endedAtLimit(
  exchange: Exchange,
  ages: { readonly shortest: number; readonly longest: number } | null,
): boolean {
  if (exchange.outcome !== 'backend-reset' && !diedReading(exchange)) return false;
  if (ages !== null && ages.shortest < ages.longest * SAME_LIMIT) return false;
  return (milliseconds(exchange.times.begin, exchange.connectionEnd?.at ?? null) ?? 0) >= SHORTEST;
}

/** PHP-FPM reads the end of STDIN last: a worker that dies before that has nothing unread, and its end is a FIN. */
function diedReading({ outcome, streams }: Exchange): boolean {
  return outcome === 'backend-closed' && !streams.stdin.ended && streams.stdin.missing === 0;
}

export const terminateTimeout = defineRule({
  id: 'terminate-timeout',
  severity: 'error',
  title: 'The backend killed its worker because the request took too long',
  meaning:
    'PHP-FPM ends a worker whose request takes longer than request_terminate_timeout. The script is not asked and cannot finish; the web server sees a connection that breaks.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: ['Find out what the script waits for: a database, another service, a lock. Move long work into a queue.'],
    nginx: ['fastcgi_read_timeout below request_terminate_timeout gives an honest 504, and the script may finish.'],
    lighttpd: ['"read-timeout" in fastcgi.server below request_terminate_timeout gives an honest 504.'],
    apache: [
      'ProxyTimeout (mod_proxy_fcgi), FcgidIOTimeout (mod_fcgid) below request_terminate_timeout gives an honest error.',
    ],
    caddy: ['read_timeout in php_fastcgi below request_terminate_timeout.'],
    haproxy: ['timeout server below request_terminate_timeout gives an honest 504.'],
    'php-fpm': [
      'request_terminate_timeout = 120s in the pool file, or as long as the work needs; 0 turns it off; then reload.',
      'request_slowlog_timeout = 5s and slowlog = /var/log/php-slow.log: a backtrace of what is slow.',
    ],
    php: ['max_execution_time = 60 ends a script that computes in order, with a message; it does not count waiting.'],
  },
  alternatives: [
    {
      cause: 'The system killed the worker because memory had run out.',
      tell: 'PHP-FPM’s log says signal 9 (SIGKILL); journalctl -k | grep -i "killed process".',
    },
    {
      cause: 'The worker crashed.',
      tell: 'PHP-FPM’s log says signal 11 (SIGSEGV); requests die after different times.',
    },
    {
      cause: 'PHP ended itself, two seconds (hard_timeout) after max_execution_time.',
      tell: 'The time is that of max_execution_time and 2 s; PHP-FPM’s log says "exited with code 124".',
    },
    {
      cause: 'A load balancer between the two gave the connection up.',
      tell: 'PHP-FPM’s log says nothing at that time.',
    },
  ],
  look: [
    'PHP-FPM’s log: "execution timed out (… sec), terminating", then "exited on signal 15 (SIGTERM)".',
    'grep -r request_terminate_timeout /etc/php/',
  ],
  needs: ['failure'],
  seen: ['nginx → PHP-FPM', 'Apache → PHP-FPM', 'Caddy → PHP-FPM', 'HAProxy → PHP-FPM'],
  check(exchange, surroundings) {
    const { outcome, connectionEnd, times } = exchange;
    if (outcome !== 'backend-reset' && outcome !== 'backend-closed') return null;
    if (!endedAtLimit(exchange, surroundings?.lostAges ?? null)) return null;
    const age = milliseconds(times.begin, connectionEnd?.at ?? null) ?? 0;
    const alike = surroundings?.cutAlike ?? 0;
    if (alike === 0 && (age < LATE || outcome === 'backend-closed')) return null;
    const others = alike === 1 ? ' Another one before it ended' : ` ${alike} others before it ended`;
    return {
      detail: `The connection broke ${formatDuration(age)} after the request began, without an END_REQUEST.${alike === 0 ? '' : `${others} after about as long a time.`}`,
      evidence: [{ kind: 'time', milliseconds: age }],
    };
  },
});
