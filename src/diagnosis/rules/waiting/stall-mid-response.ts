import { formatBytes, formatDuration } from '../../../model/quantity.js';
import { waitingAt } from '../../../model/waiting.js';
import { givingUp } from '../../giving-up.js';
import { defineRule } from '../../rule.js';

export const stallMidResponse = defineRule({
  id: 'stall-mid-response',
  severity: 'error',
  title: 'The backend stopped in the middle of its response',
  meaning:
    'The response had begun and then nothing more came for so long that the web server gave up. The visitor has got part of a page; some web servers pass it on as if it were whole.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'A stream of events or a long poll: send something (a comment line) more often than the timeout, such as every 15 s.',
      'A script that computes between two pieces of output: find what it waits for, or raise the timeout.',
    ],
    nginx: [
      'fastcgi_read_timeout 1h; in the location of the stream (60 s by default), and fastcgi_buffering off or the header X-Accel-Buffering: no, so that each piece is passed on at once.',
    ],
    lighttpd: ['"read-timeout" => 3600 in fastcgi.server; server.stream-response-body = 2.'],
    apache: ['ProxyPass … timeout=3600 flushpackets=on; mod_fcgid: FcgidIOTimeout 3600.'],
    caddy: ['php_fastcgi … { read_timeout 1h }.'],
    haproxy: ['timeout server 1h for the backend with the stream.'],
    h2o: ['fastcgi.timeout.io: 3600000.'],
    'php-fpm': ['request_slowlog_timeout = 5s and slowlog show where the script stands.'],
  },
  alternatives: [
    {
      cause: 'The client went away in the middle.',
      tell: 'nginx’s access log has 499 or a short body without an "upstream timed out" in the error log.',
    },
    {
      cause: 'The worker is stopped: a debugger, SIGSTOP, a lock.',
      tell: 'ps shows state T; strace -p PID shows the call that does not return.',
    },
  ],
  look: [
    'nginx: "upstream timed out (110: Connection timed out) while reading upstream". Caddy: "aborting with incomplete response". Apache: AH01075 with "(70007)".',
  ],
  whileOpen: true,
  absence: 'server',
  needs: ['failure'],
  seen: ['nginx → PHP-FPM', 'Apache → PHP-FPM', 'Caddy → PHP-FPM', 'HAProxy → PHP-FPM'],
  check(exchange, around) {
    const { outcome, times, streams } = exchange;
    if (outcome === 'completed' || times.firstStdout === null) return null;
    const sent = formatBytes(streams.stdout.bytes);
    if (outcome === null || outcome === 'unfinished') {
      const waiting = waitingAt(exchange, times.end ?? times.lastRecord);
      const ms = waiting.milliseconds;
      if (waiting.for !== 'more-stdout' || ms < REMARKABLE || exchange.role === 'unknown') return null;
      return {
        detail: `After ${sent} of STDOUT nothing more has come for ${formatDuration(ms)}.`,
        severity: ms < LONG ? 'note' : 'warning',
        evidence: [{ kind: 'time', milliseconds: ms }],
      };
    }
    const given = givingUp(exchange, around);
    if (given === null || given.reason !== 'timeout' || given.waiting.for !== 'more-stdout') return null;
    const ms = given.waiting.milliseconds;
    return {
      detail: `${sent} of STDOUT had come. The web server ${given.how} after ${formatDuration(ms)} in which nothing more came: ${given.sign}.`,
      evidence: [{ kind: 'time', milliseconds: ms }],
    };
  },
});

/** Milliseconds; see slow-script. A stream may well be silent for that long. */
const REMARKABLE = 5_000;
const LONG = 30_000;
