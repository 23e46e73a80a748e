import { formatBytes, formatDuration } from '../../../model/quantity.js';
import { waitingAt } from '../../../model/waiting.js';
import { givingUp } from '../../giving-up.js';
import { defineRule } from '../../rule.js';
import { uploadSoFar } from './upload.js';

export const stdinStall = defineRule({
  id: 'stdin-stall',
  severity: 'warning',
  title: 'The upload stands still, and a worker waits for the rest of it',
  meaning:
    'The web server passes the body on as it comes from the visitor, and the visitor stopped sending. Until the rest comes, or somebody gives up, a worker of the backend is busy with waiting. A few of them can block a whole pool.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: ['Let the web server collect the whole body before it asks the backend, and give slow clients a limit.'],
    nginx: ['fastcgi_request_buffering on; (the default) and client_body_timeout 30s;'],
    lighttpd: ['server.stream-request-body = 0 (the default) and server.max-read-idle = 30.'],
    apache: ['RequestReadTimeout header=20-40,MinRate=500 body=20,MinRate=500 (mod_reqtimeout).'],
    caddy: ['servers { timeouts { read_body 60s } } in the global options; request_buffers 1MB of php_fastcgi.'],
    haproxy: ['timeout http-request 10s and option http-buffer-request; timeout client 30s.'],
    'php-fpm': ['request_terminate_timeout = 60s ends such a worker: the timer runs while the body is read, too.'],
  },
  alternatives: [
    {
      cause: 'The backend stopped reading, and the web server cannot send on.',
      tell: 'ss -tin: Send-Q on the web server’s side stays above 0. More than 64 kB had been sent.',
    },
    {
      cause: 'CONTENT_LENGTH announces more than the visitor sends.',
      tell: 'It happens with one client only, and always.',
    },
  ],
  look: ['ss -tn on the visitor’s side of the web server: no Recv-Q there means that nothing comes in.'],
  whileOpen: true,
  absence: 'both',
  needs: ['failure'],
  seen: ['nginx → PHP-FPM', 'Apache → PHP-FPM', 'HAProxy → PHP-FPM'],
  check(exchange, around) {
    const { outcome, streams, times } = exchange;
    if (outcome === 'completed' || streams.stdin.ended) return null;
    const so = uploadSoFar(exchange);
    if (so === null) return null;
    const given = givingUp(exchange, around);
    const open = outcome === null || outcome === 'unfinished';
    const waiting = open ? waitingAt(exchange, times.end ?? times.lastRecord) : (given?.waiting ?? null);
    if (waiting === null || waiting.for !== 'stdin' || waiting.milliseconds < REMARKABLE) return null;
    const ms = waiting.milliseconds;
    return {
      detail: `${formatBytes(streams.stdin.bytes)} of ${so.of} had come; for ${formatDuration(ms)} nothing more did${open ? '' : `, then the web server ${given!.how}`}.`,
      evidence: [
        { kind: 'bytes', stream: 'stdin', offset: streams.stdin.bytes, length: 0 },
        { kind: 'time', milliseconds: ms },
      ],
    };
  },
});

/** Milliseconds. */
const REMARKABLE = 5_000;
