import type { Exchange } from '../../../model/exchange.js';
import { paramValue } from '../../../model/param-value.js';
import { milliseconds } from '../../../model/time.js';
import { defineRule } from '../../rule.js';

export const haproxySplitHeaderCrash = defineRule({
  id: 'haproxy-split-header-crash',
  severity: 'error',
  title: 'HAProxy 2.6 ended the connection in the middle of the response’s headers',
  meaning:
    'HAProxy 2.6 up to 2.6.13 has a bug: headers that come in several records, or end early, may crash the whole process, and all its connections end at once. It starts again and looks as if nothing had been.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    haproxy: [
      'Upgrade to 2.6.14 or later: the bug is haproxy#2150 in its tracker, and mended there.',
      'Until then let the application send its headers in one write (no flush before they are whole).',
    ],
  },
  alternatives: [
    {
      cause: 'HAProxy was stopped or reloaded at that moment.',
      tell: 'The journal has no "FATAL: bug condition" and no exit code 139.',
    },
    {
      cause: 'Its client went away, with option abortonclose set.',
      tell: 'HAProxy’s log line ends in the state CH-- or CD--.',
    },
  ],
  look: ['journalctl -u haproxy: "FATAL: bug condition" or "exited with code 139 (Segmentation fault)".'],
  needs: ['failure'],
  absence: 'server',
  seen: ['HAProxy → libfcgi'],
  check(exchange) {
    const { outcome, streams, abortSeen, params } = exchange;
    if (outcome !== 'web-server-closed' && outcome !== 'web-server-reset') return null;
    // A timeout of HAProxy's is announced by ABORT_REQUEST.
    if (abortSeen || streams.stdout.bytes === 0 || !endedInHead(exchange)) return null;
    const patch = /^HAProxy 2\.6\.(\d+)/.exec(paramValue(params, 'SERVER_SOFTWARE') ?? '')?.[1];
    if (patch === undefined || Number(patch) >= MENDED_IN) return null;
    return {
      detail: 'It went without ABORT_REQUEST right after the first part of the headers.',
      evidence: [{ kind: 'param', name: 'SERVER_SOFTWARE' }],
    };
  },
});

/** The release of 2.6 that has the bug no more. */
const MENDED_IN = 14;
/** Milliseconds: a process that crashes on a record is gone at once, its clients do not go at that very moment. */
const AT_ONCE = 20;

/** The rest of the headers may have come after it was gone. */
function endedInHead({ response, connectionEnd, times }: Exchange): boolean {
  if (!response?.complete) return true;
  if (connectionEnd?.afterRecord !== 'STDOUT record 1' || times.lastStdout === null) return false;
  const after = milliseconds(times.firstStdout, connectionEnd.at) ?? AT_ONCE;
  return times.lastStdout > connectionEnd.at && after < AT_ONCE;
}
