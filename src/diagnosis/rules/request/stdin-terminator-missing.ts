import { paramValue } from '../../../model/param-value.js';
import { formatDuration } from '../../../model/quantity.js';
import { waitingAt } from '../../../model/waiting.js';
import { declaredLength } from '../../declared-length.js';
import { givingUp } from '../../giving-up.js';
import { defineRule } from '../../rule.js';

export const stdinTerminatorMissing = defineRule({
  id: 'stdin-terminator-missing',
  severity: 'error',
  title: 'The web server never said that the request body is over',
  meaning:
    'An empty STDIN record ends the request. It did not come. PHP-FPM does not need it; fcgiwrap and programs that read their input to its end wait for it for ever, even when they have printed their page.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'A FastCGI client or health check of one’s own: send an empty STDIN record after PARAMS and the body, for GET as well.',
      'A program that knows CONTENT_LENGTH reads just as many bytes, and needs no end.',
    ],
    lighttpd: ['it holds the end back while an Upgrade is possible: "upgrade" => "disable" in fastcgi.server.'],
    apache: ['mod_authnz_fcgi sends no STDIN at all: the program must not read any.'],
  },
  alternatives: [
    {
      cause: 'The script is slow and needs no more input.',
      tell: 'It answers in the end, or strace -p PID shows no read from the socket.',
    },
  ],
  look: ['strace -p PID of the backend: it stands in read() or poll() on the connection.'],
  whileOpen: true,
  absence: 'both',
  needs: ['failure'],
  seen: ['test client → fcgiwrap'],
  check(exchange, around) {
    const { outcome, streams, times, role } = exchange;
    if (outcome === 'completed' || outcome === 'rejected' || streams.stdin.ended) return null;
    if (role !== 'responder' || streams.stdin.missing > 0 || exchange.records.gaps > 0) return null;
    const announced = declaredLength(exchange);
    if (announced === 'unusable' || streams.stdin.bytes < (announced === 'none' ? 0 : announced)) return null;
    if (announced === 'none' && streams.stdin.bytes > 0) return null;
    // After an upgrade both sides go on sending, as they like.
    if (!streams.params.ended || paramValue(exchange.params, 'HTTP_UPGRADE') !== null) return null;
    const open = outcome === null || outcome === 'unfinished';
    const waiting = open
      ? waitingAt(exchange, times.end ?? times.lastRecord)
      : (givingUp(exchange, around)?.waiting ?? null);
    if (waiting === null || waiting.milliseconds < CLEARLY) return null;
    const ms = waiting.milliseconds;
    return {
      detail: `${streams.stdin.bytes === 0 ? 'No STDIN came at all' : `All ${streams.stdin.bytes} bytes of the body came, but not the empty record behind them`}, and ${streams.stdout.records === 0 ? 'no answer' : 'no end of the answer'} for ${formatDuration(ms)}.`,
      severity: open ? 'warning' : 'error',
      evidence: [{ kind: 'bytes', stream: 'stdin', offset: streams.stdin.bytes, length: 0 }],
    };
  },
});

/** Milliseconds. */
const CLEARLY = 2_000;
