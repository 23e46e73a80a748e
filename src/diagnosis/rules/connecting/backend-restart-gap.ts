import type { Exchange } from '../../../model/exchange.js';
import { formatDuration } from '../../../model/quantity.js';
import type { Surroundings } from '../../../model/surroundings.js';
import { defineRule, type Sighting } from '../../rule.js';
import { endedAtLimit } from '../dying/terminate-timeout.js';

/** A backend that cannot be reached this soon after it cut requests off went away with them, milliseconds. */
const SOON = 10_000;
/** Requests that crash at once, many times in a second, also end close to one another: such that were older did not. */
const OLD = 100;

/** Asked before the other connect rules and before those on single deaths: what goes together has one cause. */
export const backendRestartGap = defineRule({
  id: 'backend-restart-gap',
  severity: 'error',
  title: 'The whole backend went away: it was restarted, stopped or killed',
  meaning:
    'Not one worker died, but the application as a whole: all its connections ended at the same moment, or it could not be reached right after. Requests that were under way are lost, those that come until it is back fail.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'Reload in place of restart, and not in the middle of the day: see who does it (cron, logrotate, a deployment).',
    ],
    nginx: [
      'fastcgi_next_upstream error timeout; with a second server in the upstream block lets another one take over GET requests.',
    ],
    lighttpd: ['Several entries in fastcgi.server for the same extension: another one takes the request over.'],
    apache: ['retry=0 in ProxyPass: else the backend counts as down for 60 s after it is back.'],
    caddy: ['lb_try_duration 5s in reverse_proxy tries again while the backend is away.'],
    haproxy: ['retries 3, option redispatch and retry-on conn-failure empty-response in the backend.'],
    'php-fpm': [
      'process_control_timeout = 10s in php-fpm.conf: without it a reload kills all workers at once, whatever they do.',
      'systemctl reload php8.2-fpm (SIGUSR2) in place of restart.',
    ],
    libfcgi: ['Let the program finish its request on SIGTERM (FCGX_ShutdownPending) before it ends.'],
  },
  alternatives: [
    {
      cause: 'The system killed the backend because memory had run out.',
      tell: 'journalctl -k | grep -i "killed process"; the memory.events file of its control group counts oom_kill.',
    },
    { cause: 'Its machine or container was stopped.', tell: 'Its uptime; docker events, kubectl get events.' },
    {
      cause: 'A program that serves alone crashed.',
      tell: 'There is only one process of it: the request that was lost first is the one to look at.',
    },
  ],
  look: [
    'PHP-FPM’s log: "Reloading in progress", "Terminating ...", "using inherited socket", "exiting, bye-bye!"',
    'journalctl -u of the backend’s service, at that moment.',
  ],
  needs: ['failure'],
  seen: ['nginx → PHP-FPM', 'Apache → PHP-FPM', 'Caddy → PHP-FPM'],
  check(exchange, surroundings) {
    if (surroundings === null) return null;
    return exchange.failure === null ? lostTogether(exchange, surroundings) : unreachable(exchange, surroundings);
  },
});

function lostTogether(exchange: Exchange, { lostTogether, lostAges }: Surroundings): Sighting | null {
  if (lostTogether === 0 || lostAges === null || lostAges.longest < OLD) return null;
  if (endedAtLimit(exchange, lostAges)) return null;
  const others = lostTogether === 1 ? 'another connection' : `${lostTogether} other connections`;
  return {
    detail: `The backend ended ${others} at the same moment, which had been busy or idle for up to ${formatDuration(lostAges.longest)}.`,
  };
}

function unreachable({ failure }: Exchange, { backend }: Surroundings): Sighting | null {
  if (failure?.reason !== 'refused' && failure?.reason !== 'missing') return null;
  const { sinceAnswer, sinceCut } = backend;
  if (sinceCut === null || sinceCut > SOON || (sinceAnswer !== null && sinceAnswer < sinceCut)) return null;
  return {
    detail: `${failure.message} (${failure.errno}), ${formatDuration(sinceCut)} after it had cut a request off.`,
  };
}
