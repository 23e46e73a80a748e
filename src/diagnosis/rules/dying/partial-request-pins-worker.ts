import type { Exchange, ProblemCode } from '../../../model/exchange.js';
import { formatDuration } from '../../../model/quantity.js';
import { milliseconds } from '../../../model/time.js';
import { defineRule } from '../../rule.js';

/** A web server that is itself interrupted leaves a part of a request, too; for this long it holds nobody up, milliseconds. */
const HELD = 1_000;

/** What the end of the connection makes of a beginning. */
const CUT: readonly ProblemCode[] = ['truncated-record', 'stream-gap', 'params-cut'];

export const partialRequestPinsWorker = defineRule({
  id: 'partial-request-pins-worker',
  severity: 'warning',
  title: 'A request was begun and never completed: it held a worker',
  meaning:
    'Somebody connected, sent the beginning of a request and then nothing more. The worker that took the connection waits for the rest, PHP-FPM’s without a limit of its own, and serves nobody meanwhile.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'Let health checks speak FastCGI: cgi-fcgi -bind -connect 127.0.0.1:9000 with SCRIPT_NAME=/ping SCRIPT_FILENAME=/ping REQUEST_METHOD=GET.',
      'Let only the web server reach the port: a firewall rule, or a Unix socket.',
    ],
    haproxy: [
      'option tcp-check on the server line’s port sends no half request; option httpchk with proto fcgi sends a whole one.',
    ],
    'php-fpm': [
      'ping.path = /ping in the pool file for health checks.',
      'request_terminate_timeout = 60s in the pool file frees such workers; listen.allowed_clients keeps strangers out.',
    ],
    libfcgi: ['It has no limit of its own: start more processes than may be held up, and keep strangers out.'],
  },
  alternatives: [
    {
      cause: 'The web server, or the machine it runs on, stopped in the middle.',
      tell: 'Its own log, and its uptime.',
    },
    {
      cause: 'A proxy between the two holds the rest back.',
      tell: 'The web server’s side of that proxy shows the whole request.',
    },
    { cause: 'A port scan.', tell: 'The client’s address is no web server.' },
  ],
  look: ['The address that the connection came from: which program has it? ss -tnp on that machine.'],
  needs: ['failure'],
  absence: 'both',
  seen: ['a test client → PHP-FPM'],
  check(exchange) {
    const { outcome, streams, problems, connectionEnd, times, role } = exchange;
    if (outcome === 'completed' || streams.params.ended || connectionEnd === null) return null;
    if (outcome === 'undecodable' ? !isStump(exchange) : role === 'unknown' || isUnseen(exchange)) return null;
    if (streams.stdout.records + streams.stderr.records > 0 || exchange.protocolStatus !== null) return null;
    if (problems.some(({ code }) => !CUT.includes(code))) return null;
    const held = milliseconds(times.begin, connectionEnd.at) ?? 0;
    if (held < HELD || connectionEnd.how === 'capture-end') return null;
    const by = connectionEnd.endedBy === 'backend' ? 'the backend' : 'the other side';
    const after = connectionEnd.afterRecord === null ? 'a part of a record' : connectionEnd.afterRecord;
    return {
      detail: `After ${after} nothing more came for ${formatDuration(held)}, until ${by} gave it up.`,
      evidence: [{ kind: 'time', milliseconds: held }],
    };
  },
});

/** Bytes of PARAMS are missing, and not because they were never sent. */
function isUnseen({ streams, problems }: Exchange): boolean {
  return (
    streams.params.missing > 0 && !problems.some(({ code, side }) => code === 'truncated-record' && side === 'client')
  );
}

/** Of a connection without a request: all that came is the beginning of a record, from its first byte on. */
function isStump({ requestId, problems }: Exchange): boolean {
  const [problem] = problems;
  return (
    requestId === 0 &&
    problems.length === 1 &&
    problem?.code === 'truncated-record' &&
    problem.side === 'client' &&
    problem.offset === 0
  );
}
