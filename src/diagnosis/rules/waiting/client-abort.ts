import type { Exchange } from '../../../model/exchange.js';
import { formatBytes, formatDuration } from '../../../model/quantity.js';
import type { Waiting } from '../../../model/waiting.js';
import { givingUp } from '../../giving-up.js';
import { defineRule } from '../../rule.js';

export const clientAbort = defineRule({
  id: 'client-abort',
  severity: 'note',
  title: 'The web server ended the request: its own client had gone',
  meaning:
    'Somebody closed the page, pressed reload or stop, or a balancer in front lost patience. The web server then drops its connection to the backend. Nothing is broken; but people who leave because it takes too long are worth a look.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'If visitors leave because they wait: make the script faster, or show them early that something is going on.',
    ],
    nginx: ['fastcgi_ignore_client_abort on; if the script’s work must be finished whoever leaves.'],
    haproxy: ['no option abortonclose lets the backend finish.'],
    php: ['ignore_user_abort(true) in a script that must not be cut off while it prints.'],
  },
  alternatives: [
    {
      cause: 'A timeout of the web server that is no whole number of seconds.',
      tell: 'Its error log says "timed out"; the same time is seen again and again.',
    },
    {
      cause: 'A balancer, CDN or script in front of the web server has a timeout of its own.',
      tell: 'Many requests end after the same time (30 s, 60 s), with different visitors.',
    },
    { cause: 'The web server was stopped or reloaded.', tell: 'Several requests end in the same moment.' },
    {
      cause: 'The web server replaces error pages with its own (fastcgi_intercept_errors on) and drops the answer.',
      tell: 'The status of the response is 300 or above, and this happens always.',
    },
  ],
  look: [
    'nginx: status 499 in the access log; "client prematurely closed connection" in the error log at level info. HAProxy: CD-- or CH-- in its log.',
  ],
  absence: 'both',
  needs: ['failure'],
  seen: ['nginx → PHP-FPM', 'Apache → PHP-FPM', 'Caddy → PHP-FPM', 'HAProxy → PHP-FPM'],
  check(exchange, around) {
    const { outcome } = exchange;
    if (outcome !== 'web-server-closed' && outcome !== 'web-server-reset' && outcome !== 'aborted') return null;
    const given = givingUp(exchange, around);
    if (given === null) return null;
    const ms = given.waiting.milliseconds;
    return {
      detail: `The web server ${given.how} ${stage(exchange, given.waiting)}.`,
      severity: ms >= LONG && isAnswer(given.waiting) ? 'warning' : 'note',
      evidence: [{ kind: 'time', milliseconds: ms }],
    };
  },
});

/** Milliseconds after which people leave because they had to wait. */
const LONG = 5_000;

function isAnswer({ for: what }: Waiting): boolean {
  return what === 'first-stdout' || what === 'more-stdout' || what === 'end-request';
}

function stage({ streams }: Exchange, { for: what, milliseconds: ms }: Waiting): string {
  const after = formatDuration(ms);
  switch (what) {
    case 'params':
      return 'before it had sent all PARAMS';
    case 'stdin':
    case 'stdin-end':
    case 'data':
      return `after ${formatBytes(streams.stdin.bytes)} of STDIN and before its end: the upload was broken off`;
    case 'first-stdout':
      return `after it had waited ${after} for the backend’s first byte`;
    case 'more-stdout':
    case 'end-request':
      return `after ${formatBytes(streams.stdout.bytes)} of STDOUT, ${after} after the last of them`;
  }
}
