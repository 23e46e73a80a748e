import { formatDuration } from '../../../model/quantity.js';
import type { Surroundings } from '../../../model/surroundings.js';
import { waitingAt } from '../../../model/waiting.js';
import { bodyArrived, givingUp } from '../../giving-up.js';
import { defineRule } from '../../rule.js';

export const slowScript = defineRule({
  id: 'slow-script',
  severity: 'error',
  title: 'The backend takes too long to its first byte',
  meaning:
    'The backend had the whole request, and for a long time it sent nothing. A web server waits only so long for the first byte; then it gives up and answers with an error (504 from most). The script does not notice and runs on.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'Find what the script waits for: a slow query, another service, a lock. PHP runs requests of one session one after the other until session_write_close().',
      'For work that really takes long: raise the timeouts on the whole way (web server, PHP-FPM, and whatever stands before the web server), or do it in the background.',
    ],
    nginx: ['fastcgi_read_timeout 300s; in the location (60 s by default).'],
    lighttpd: ['"read-timeout" => 300 in fastcgi.server (not limited by default).'],
    apache: [
      'ProxyPass … timeout=300 or ProxyTimeout 300 (60 by default); mod_fcgid: FcgidIOTimeout 300 (40) and FcgidBusyTimeout 600 (300).',
    ],
    caddy: ['php_fastcgi … { read_timeout 300s } (not limited by default).'],
    haproxy: ['timeout server 300s.'],
    h2o: ['fastcgi.timeout.io: 300000 (30000 ms by default).'],
    litespeed: ['initTimeout of the external application, and Connection Timeout.'],
    iis: ['activityTimeout and requestTimeout of the FastCGI application (30 and 90 s by default).'],
    'php-fpm': [
      'request_slowlog_timeout = 5s and slowlog = /var/log/php-slow.log show where slow scripts are.',
      'request_terminate_timeout has to be longer than the web server’s timeout, and max_execution_time longer than the script takes.',
    ],
  },
  alternatives: [
    {
      cause: 'No worker was free: the request lay in the queue.',
      tell: 'Other requests are slow at the same time. PHP-FPM’s log: "server reached pm.max_children setting".',
    },
    {
      cause: 'The client went away, and the web server ended the request for it.',
      tell: 'nginx’s access log has 499 and not 504; a balancer in front with a timeout of just that length does the same.',
    },
    {
      cause: 'The worker is stopped: a debugger’s breakpoint, SIGSTOP, a lock that nobody releases.',
      tell: 'ps shows state T, or the same wait each time: strace -p PID, or the slow log.',
    },
    {
      cause: 'The web server was stopped or reloaded.',
      tell: 'All requests end in the same moment; its error log says so.',
    },
  ],
  look: [
    'nginx: "upstream timed out (110: Connection timed out) while reading response header from upstream". lighttpd: "read timeout on socket". Apache: AH01075 with "(70007)The timeout specified has expired"; mod_fcgid: "read data timeout in N seconds".',
    'PHP-FPM’s slow log; the status page with ?full says what each worker does and for how long.',
  ],
  whileOpen: true,
  absence: 'both',
  seen: ['nginx → PHP-FPM', 'Apache → PHP-FPM', 'Caddy → PHP-FPM', 'HAProxy → PHP-FPM'],
  check(exchange, around) {
    const { outcome, times, streams } = exchange;
    if (outcome === 'completed') {
      // Cheap, as everybody is asked.
      const first = times.firstStdout;
      if (first === null || first - times.begin < REMARKABLE * 1000) return null;
      const since = exchange.role === 'authorizer' ? times.paramsEnd : times.stdinEnd;
      const waited = since === null ? 0 : (first - since) / 1000;
      if (waited < REMARKABLE || exchange.role === 'unknown') return null;
      return {
        detail: `Its first byte came ${formatDuration(waited)} after the request had arrived. It was waited for; visitors may not have.`,
        severity: 'note',
        beside: true,
        evidence: [{ kind: 'time', milliseconds: waited }],
      };
    }
    if (outcome === null || outcome === 'unfinished') {
      const waiting = waitingAt(exchange, times.end ?? times.lastRecord);
      if (waiting.for !== 'first-stdout' || waiting.milliseconds < REMARKABLE || streams.stdout.missing > 0)
        return null;
      if (exchange.role === 'unknown') return null;
      const ms = waiting.milliseconds;
      return {
        detail: `The request has arrived in full, and for ${formatDuration(ms)} the backend has sent nothing.${otherwiseQuick(around, ms)}`,
        severity: ms < LONG ? 'note' : 'warning',
        evidence: [{ kind: 'time', milliseconds: ms }],
      };
    }
    const given = givingUp(exchange, around);
    if (given === null || given.reason !== 'timeout' || given.waiting.for !== 'first-stdout') return null;
    if (streams.stdout.missing > 0 || !bodyArrived(exchange)) return null;
    const ms = given.waiting.milliseconds;
    const late = times.firstStdout === null ? '' : ' The answer came later, when nobody took it any more.';
    return {
      detail: `The web server ${given.how} after it had waited ${formatDuration(ms)} for the first byte: ${given.sign}.${otherwiseQuick(around, ms)}${late}`,
      evidence: [{ kind: 'time', milliseconds: ms }],
    };
  },
});

/** So many times what is usual for its path. */
const FAR = 20;

/** It may not be this script that is slow: said, as the advice is about the script. */
function otherwiseQuick(around: Surroundings | null, waited: number): string {
  const usual = around?.usualWait ?? null;
  if (usual === null || waited < FAR * usual) return '';
  return ` Others for the same path were answered in ${formatDuration(usual)} shortly before: it may have waited for a worker.`;
}

/** Milliseconds from which on a wait is worth a remark; and from which on it cannot be meant. */
const REMARKABLE = 5_000;
const LONG = 30_000;
