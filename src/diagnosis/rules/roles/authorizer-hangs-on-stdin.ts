import { formatDuration } from '../../../model/quantity.js';
import { waitingAt } from '../../../model/waiting.js';
import { givingUp } from '../../giving-up.js';
import { defineRule } from '../../rule.js';

export const authorizerHangsOnStdin = defineRule({
  id: 'authorizer-hangs-on-stdin',
  severity: 'error',
  title: 'The authorizer does not answer: it may be waiting for a body that it never gets',
  meaning:
    'An authorizer is given the params of a request and not its body, and often not even the end of a body. A program that reads its input to the end first waits for ever.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'The authorizer must not read STDIN: decide by the params alone.',
      'In PHP: no php://input and no $_POST in an authorizer; in libfcgi: no FCGX_GetStr on request.in.',
    ],
    lighttpd: ['1.4.69 sends no STDIN record at all when the request has a body.'],
    apache: ['mod_authnz_fcgi never sends one.'],
  },
  alternatives: [
    {
      cause: 'The authorizer is slow: a database, LDAP, another service.',
      tell: 'It answers in the end; strace -p PID shows what it waits for.',
    },
    { cause: 'All of its workers are busy.', tell: 'Others are slow at the same time.' },
  ],
  look: ['strace -p PID of the authorizer: read() on the connection means that it waits for STDIN.'],
  whileOpen: true,
  absence: 'both',
  needs: ['role'],
  seen: ['lighttpd → libfcgi'],
  check(exchange, around) {
    const { role, outcome, streams, times } = exchange;
    if (role !== 'authorizer' || outcome === 'completed' || streams.stdin.ended) return null;
    const open = outcome === null || outcome === 'unfinished';
    const waiting = open
      ? waitingAt(exchange, times.end ?? times.lastRecord)
      : (givingUp(exchange, around)?.waiting ?? null);
    if (waiting === null || waiting.for !== 'first-stdout' || waiting.milliseconds < CLEARLY) return null;
    return {
      detail: `PARAMS have ended, STDIN has not, and no answer came for ${formatDuration(waiting.milliseconds)}.`,
      severity: open ? 'warning' : 'error',
      evidence: [{ kind: 'time', milliseconds: waiting.milliseconds }],
    };
  },
});

/** Milliseconds. */
const CLEARLY = 2_000;
