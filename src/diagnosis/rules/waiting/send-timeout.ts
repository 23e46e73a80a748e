import { formatBytes, formatDuration } from '../../../model/quantity.js';
import { waitingAt } from '../../../model/waiting.js';
import { givingUp } from '../../giving-up.js';
import { defineRule } from '../../rule.js';
import { uploadSoFar } from './upload.js';

export const sendTimeout = defineRule({
  id: 'send-timeout',
  severity: 'error',
  title: 'The backend does not take the request body',
  meaning:
    'The web server has the body and could not pass it on: the backend stopped reading. A program that first runs and then reads its input does that, and one that prints a lot before it has read all.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'Let the program read the whole body before it does anything else, or at least before it prints.',
      'If it takes that long to read: raise the web server’s timeout for sending.',
    ],
    nginx: ['fastcgi_send_timeout 300s; (60 s by default).'],
    lighttpd: ['"write-timeout" => 300 in fastcgi.server.'],
    apache: ['ProxyPass … timeout=300; mod_fcgid: FcgidIOTimeout 300.'],
    caddy: ['php_fastcgi … { write_timeout 300s }.'],
    haproxy: ['timeout server 300s.'],
    h2o: ['fastcgi.timeout.io: 300000.'],
    libfcgi: ['read with FCGX_GetStr until it gives 0, then print.'],
  },
  alternatives: [
    {
      cause: 'The visitor’s upload stands still, and the web server passes it on as it comes.',
      tell: 'The web server does not buffer bodies (nginx: fastcgi_request_buffering off), and its own client sends nothing.',
    },
    {
      cause: 'No worker has taken the connection yet: what was sent lies in the kernel’s buffers.',
      tell: 'ss -tn or ss -xn: Recv-Q of the backend’s side is full, and its process does not hold the connection.',
    },
  ],
  look: [
    'nginx: "upstream timed out (110: Connection timed out) while sending request to upstream". Caddy: "write tcp …: i/o timeout". Apache: AH01075 with "(sending stdin)".',
    'ss -tin on the port: Send-Q stays above 0 on the web server’s side.',
  ],
  whileOpen: true,
  absence: 'both',
  needs: ['failure'],
  seen: ['nginx → libfcgi'],
  check(exchange, around) {
    const { outcome, streams, times } = exchange;
    if (outcome === 'completed' || streams.stdin.ended || streams.stdin.bytes < IN_THE_KERNEL) return null;
    const so = uploadSoFar(exchange);
    if (so === null || !so.buffered) return null;
    const given = givingUp(exchange, around);
    const open = outcome === null || outcome === 'unfinished';
    const waiting = open ? waitingAt(exchange, times.end ?? times.lastRecord) : (given?.waiting ?? null);
    if (waiting === null || waiting.for !== 'stdin' || waiting.milliseconds < (open ? REMARKABLE : LEAST)) return null;
    if (!open && given?.reason !== 'timeout') return null;
    const ms = waiting.milliseconds;
    return {
      detail: `${formatBytes(streams.stdin.bytes)} of ${so.of} had been sent; for ${formatDuration(ms)} no more could be${open ? '' : `, then the web server ${given!.how}`}.`,
      severity: open ? 'warning' : 'error',
      evidence: [
        { kind: 'bytes', stream: 'stdin', offset: streams.stdin.bytes, length: 0 },
        { kind: 'time', milliseconds: ms },
      ],
    };
  },
});

/** Bytes: as much can be sent to a backend that reads nothing. Less than that cannot have been held up by it. */
const IN_THE_KERNEL = 64 * 1024;
/** Milliseconds. */
const REMARKABLE = 5_000;
const LEAST = 900;
