import type { Exchange } from '../../../model/exchange.js';
import { formatDuration } from '../../../model/quantity.js';
import type { Surroundings } from '../../../model/surroundings.js';
import { milliseconds } from '../../../model/time.js';
import { answeredInTime, bodyArrived } from '../../giving-up.js';
import { defineRule } from '../../rule.js';

export const poolExhausted = defineRule({
  id: 'pool-exhausted',
  severity: 'warning',
  title: 'The request waited until the backend had a worker free',
  meaning:
    'A backend such as PHP-FPM has a fixed number of workers, each of which serves one request at a time. All were busy, so this request lay in the queue until another one ended; its own script was not slow.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: ['Make the slowest scripts faster first: each frees its worker sooner, and the queue is gone.'],
    'php-fpm': [
      'raise pm.max_children, as far as memory allows: (memory for PHP) / (average RSS of a worker, ps -C php-fpm8.2 -o rss=).',
      'request_slowlog_timeout = 5s and slowlog = /var/log/php-slow.log name what keeps the workers busy; request_terminate_timeout = 60s frees those that hang.',
    ],
    php: ['PHP_FCGI_CHILDREN=8 for php-cgi: without it, it serves one request at a time.'],
    libfcgi: ['start more processes: spawn-fcgi -F 8, or FcgidMaxProcesses.'],
    lighttpd: ['"max-procs" and PHP_FCGI_CHILDREN in fastcgi.server, where lighttpd starts the backend.'],
    apache: ['mod_fcgid: FcgidMaxProcessesPerClass (100) and FcgidMaxProcesses (1000).'],
    nginx: ['limit_conn and limit_req keep one visitor or bot from taking all workers.'],
  },
  alternatives: [
    {
      cause:
        'The script itself is slow, or waits for a lock: PHP runs the requests of one session one after the other.',
      tell: 'PHP-FPM’s slow log (request_slowlog_timeout) names it, and its log has no "server reached pm.max_children"; it is as slow when nothing else is going on. session_write_close() as early as possible cures the lock.',
    },
    {
      cause: 'What all scripts need, such as the database, stands still, and workers are free.',
      tell: 'The slow log names many scripts, all at the same call; the status page has "idle processes" above 0.',
    },
    {
      cause: 'The machine has no processor time left.',
      tell: 'uptime and top: the load is above the number of processors, and requests that are being served are slow, too.',
    },
    {
      cause: 'The application calls itself over HTTP and so takes two workers for one page.',
      tell: 'The web server’s access log has requests from its own address.',
    },
  ],
  look: [
    'PHP-FPM’s log: "server reached pm.max_children setting (N), consider raising it" (never logged with pm = static).',
    'PHP-FPM’s status page (pm.status_path): "listen queue" and "max children reached". ss -lnt or ss -xlp: Recv-Q of the listening socket is the queue.',
  ],
  whileOpen: true,
  absence: 'both',
  needs: ['surroundings'],
  seen: ['nginx → PHP-FPM'],
  check(exchange, around) {
    if (around === null) return null;
    const ahead = around.openBefore - around.openBeside;
    if (ahead <= 0 || exchange.times.paramsEnd === null || !bodyArrived(exchange)) return null;
    const { times, outcome } = exchange;
    // An answer that came when the web server had gone tells nothing of when it could have come.
    const first = answeredInTime(exchange) ? times.firstStdout : null;
    const waited = milliseconds(times.stdinEnd ?? times.paramsEnd, first ?? exchange.connectionEnd?.at ?? times.end);
    if (waited === null || waited < QUEUED) return null;
    const sign = first === null ? stillAhead(around, ahead, waited) : tookAWorker(exchange, around, waited);
    if (sign === null) return null;
    const { servedMeanwhile } = around;
    const served = servedMeanwhile === 0 ? 'none was' : count(servedMeanwhile, 'other was', 'others were');
    return {
      detail: `${count(ahead, 'other request was', 'others were')} under way when it began. It waited ${formatDuration(waited)} for its first byte, while ${served} served: ${sign}.`,
      severity: outcome === null ? 'warning' : first === null ? 'error' : 'warning',
      evidence: [{ kind: 'time', milliseconds: waited }],
    };
  },
});

/** Milliseconds: shorter queues are what a busy backend has now and then. */
const QUEUED = 1_000;
/** Milliseconds from the end of one request until its worker has taken the next one from the queue. */
const TAKEN_AT_ONCE = 20;
/** Ends of others come so much more seldom than that, that it is no chance when one comes just then. */
const RARER = 10;
/** So many times what is usual is more than a bad day of the script. */
const FAR = 20;
/** As many as PHP-FPM has workers by default (pm.max_children in Debian). */
const MANY = 5;

/** For a request without a first byte: somebody who was there before it is being served still, and has a worker. */
function stillAhead(
  { overtakenBy, servedMeanwhile, usualWait, abreast }: Surroundings,
  ahead: number,
  waited: number,
): string | null {
  const left = ahead - servedMeanwhile;
  if (left <= 0 || overtakenBy > 0) return null;
  const usually =
    usualWait !== null && waited >= FAR * usualWait ? `; usually it takes ${formatDuration(usualWait)}` : '';
  // Where nobody was served, only its being quick otherwise tells a queue from a slow script, and only where those before it can fill the pool.
  if (servedMeanwhile === 0 && (usually === '' || left < abreast)) return null;
  return `${left} of those before it had not ended yet, and nobody who came later was served before it${usually}`;
}

/** For a request that was served: when. */
function tookAWorker(
  { times }: Exchange,
  { freedBefore, takenUp, servedMeanwhile, openBefore, usualWait, overtakenBy }: Surroundings,
  waited: number,
): string | null {
  const apart = waited / servedMeanwhile;
  const tight = (ms: number | null): ms is number => ms !== null && ms <= TAKEN_AT_ONCE && ms * RARER <= apart;
  if (tight(takenUp))
    return 'as one of them ended, its script began, going by what that takes when nobody is before it';
  // Nobody in a queue is overtaken.
  if (overtakenBy > 0) return null;
  if (tight(freedBefore)) return `its first byte came ${formatDuration(freedBefore)} after one of them had ended`;
  const total = milliseconds(times.begin, times.firstStdout) ?? 0;
  if (openBefore < MANY || usualWait === null || total < 2 * usualWait) return null;
  return `usually it takes ${formatDuration(usualWait)}`;
}

function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}
