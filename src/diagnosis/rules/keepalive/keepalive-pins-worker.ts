import type { Exchange } from '../../../model/exchange.js';
import { formatDuration } from '../../../model/quantity.js';
import type { Surroundings } from '../../../model/surroundings.js';
import { milliseconds } from '../../../model/time.js';
import { defineRule, type Sighting } from '../../rule.js';

/** Shorter waits have many reasons, milliseconds. */
const LONG = 500;
/** A worker takes up the next connection this soon, and then the script runs, milliseconds. */
const SOON = 50;
/** So many times the usual is not usual any more. */
const UNUSUAL = 4;

export const keepalivePinsWorker = defineRule({
  id: 'keepalive-pins-worker',
  severity: 'error',
  title: 'Idle kept connections hold the workers: this request had to wait',
  meaning:
    'A PHP worker serves one connection at a time, and a kept connection holds it even while nobody sends a request. When as many connections are kept as there are workers, new connections wait, though nothing is being worked on.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    nginx: [
      'keepalive N; in the upstream block times worker_processes must be well below the number of PHP workers; keepalive_timeout 5s; lets go sooner.',
      'fastcgi_keep_conn off; costs little on the same machine.',
    ],
    apache: ['ProxyPass … disablereuse=on; or enablereuse=on max=1 ttl=5, as each Apache process keeps its own.'],
    haproxy: [
      'no option keep-conn in the fcgi-app section; or pool-max-conn 2 and pool-purge-delay 1s on the server line.',
    ],
    h2o: ['fastcgi.timeout.keepalive: 0'],
    litespeed: [
      'Max Connections of the external application not above the number of PHP workers, or Persistent Connection: No.',
    ],
    'php-fpm': ['pm.max_children above the number of connections that all web servers keep together.'],
  },
  alternatives: [
    {
      cause: 'All workers were busy with requests.',
      tell: 'Many requests are open at that moment; pm.status_path shows active processes, and few in the state of reading.',
    },
    {
      cause: 'The script itself is slow.',
      tell: 'It is slow on a kept connection, too; others on new connections are served meanwhile.',
    },
  ],
  look: [
    'PHP-FPM’s log: "server reached pm.max_children setting", though there is little traffic.',
    'ss -tnp (ss -xp) on the backend’s machine: connections of workers with nothing to read or to send.',
  ],
  needs: ['surroundings'],
  absence: 'server',
  seen: ['nginx → PHP-FPM'],
  check(exchange, surroundings) {
    if (surroundings === null || surroundings.idleConnections === 0) return null;
    if (exchange.precedingRequests > 0 || surroundings.overtakenBy > 0) return null;
    return exchange.times.firstStdout === null ? givenUp(exchange, surroundings) : released(exchange, surroundings);
  },
});

/** It was served as soon as an idle connection had gone. */
function released({ times }: Exchange, surroundings: Surroundings): Sighting | null {
  const { releasedBefore, freedBefore, usualWait, idleConnections } = surroundings;
  const waited = milliseconds(times.begin, times.firstStdout) ?? 0;
  if (waited < LONG || releasedBefore === null) return null;
  if (freedBefore !== null && freedBefore < releasedBefore) return null;
  if (releasedBefore > SOON + 2 * (usualWait ?? 0)) return null;
  return {
    detail: `It waited ${formatDuration(waited)}, while ${connections(idleConnections)} idle, and was answered ${formatDuration(releasedBefore)} after one of them had ended.`,
    evidence: [{ kind: 'time', milliseconds: waited }],
  };
}

/** Nothing came at all, where the same is quick otherwise. */
function givenUp({ outcome, streams, times, connectionEnd }: Exchange, surroundings: Surroundings): Sighting | null {
  if (outcome !== 'web-server-closed' && outcome !== 'web-server-reset' && outcome !== 'aborted') return null;
  const { openBefore, idleConnections, usualWait } = surroundings;
  if (streams.stderr.records > 0 || idleConnections < openBefore || usualWait === null) return null;
  const waited = milliseconds(times.begin, connectionEnd?.at ?? times.end) ?? 0;
  if (waited < LONG || waited < UNUSUAL * usualWait) return null;
  return {
    detail: `It was given up after ${formatDuration(waited)} without a byte, while ${connections(idleConnections)} idle; others for the same path were answered in ${formatDuration(usualWait)}.`,
    evidence: [{ kind: 'time', milliseconds: waited }],
  };
}

function connections(count: number): string {
  return count === 1 ? 'one kept connection was' : `${count} kept connections were`;
}
