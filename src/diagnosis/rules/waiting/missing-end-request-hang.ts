import { formatDuration } from '../../../model/quantity.js';
import { waitingAt } from '../../../model/waiting.js';
import { givingUp } from '../../giving-up.js';
import { defineRule } from '../../rule.js';

export const missingEndRequestHang = defineRule({
  id: 'missing-end-request-hang',
  severity: 'error',
  title: 'The response was whole, but the backend never said that the request is over',
  meaning:
    'The backend ended its output and then neither sent END_REQUEST nor closed the connection. Web servers that wait for one of the two keep the visitor waiting until their timeout.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: [
      'A FastCGI library of one’s own: send END_REQUEST (type 3, status 0) right after the empty STDOUT record, and close the connection unless FCGI_KEEP_CONN was set.',
      'A program that goes on working after its output: let it finish the request first (FCGX_Finish_r of libfcgi, fastcgi_finish_request() of PHP-FPM).',
    ],
    libfcgi: ['call FCGX_Finish_r() or FCGI_Accept() before further work: they send END_REQUEST.'],
  },
  look: [
    'nginx: "upstream timed out … while reading upstream" although the page is complete. What the process does: strace -p PID.',
  ],
  whileOpen: true,
  absence: 'server',
  needs: ['failure'],
  seen: ['nginx → test backend'],
  check(exchange, around) {
    const { outcome, streams, protocolStatus, times } = exchange;
    if (outcome === 'completed' || protocolStatus !== null || !streams.stdout.ended) return null;
    const open = outcome === null || outcome === 'unfinished';
    const waiting = open
      ? waitingAt(exchange, times.end ?? times.lastRecord)
      : (givingUp(exchange, around)?.waiting ?? null);
    if (waiting === null || waiting.for !== 'end-request') return null;
    // What is quicker, givingUp does not take for one.
    if (open && waiting.milliseconds < HANGS) return null;
    const ms = waiting.milliseconds;
    const until = open ? 'for' : 'until the web server gave up, for';
    return {
      detail: `The empty STDOUT record came, and after it nothing, ${until} ${formatDuration(ms)}.`,
      severity: open ? 'warning' : 'error',
      evidence: [
        { kind: 'bytes', stream: 'stdout', offset: streams.stdout.bytes, length: 0 },
        { kind: 'time', milliseconds: ms },
      ],
    };
  },
});

/** Milliseconds: END_REQUEST mostly comes in the same packet. */
const HANGS = 2_000;
