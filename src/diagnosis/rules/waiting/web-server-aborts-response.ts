import { formatBytes, formatDuration } from '../../../model/quantity.js';
import { MICROSECONDS_PER_MILLISECOND } from '../../../model/time.js';
import { givingUp } from '../../giving-up.js';
import { webServerOf } from '../../products.js';
import { defineRule } from '../../rule.js';

export const webServerAbortsResponse = defineRule({
  id: 'web-server-aborts-response',
  severity: 'warning',
  title: 'The web server stopped taking the response while it was flowing',
  meaning:
    'The backend was sending, and the web server reset the connection in the middle. nginx does that when it cannot write the response to its temporary folder: the visitor gets a 200 with a page that is cut off.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    nginx: [
      'chown the folder of fastcgi_temp_path (nginx -V shows it, /var/lib/nginx/fastcgi on Debian) to the user that nginx runs as now, and check df for its disk.',
      'fastcgi_buffers 16 64k; lets larger responses stay in memory; fastcgi_max_temp_file_size 0; writes none to disk.',
    ],
    lighttpd: ['server.upload-dirs names the temporary folders: they must be writable and have room.'],
    any: ['Ask for the same page again: if it is cut off at about the same size each time, it is no visitor who left.'],
  },
  alternatives: [
    {
      cause: 'The client went away in the middle of a large response.',
      tell: 'It happens now and then, at different sizes; nginx logs "client prematurely closed connection" at level info.',
    },
    { cause: 'The web server’s worker died.', tell: 'Its error log: "worker process N exited on signal".' },
  ],
  look: [
    'nginx’s error log, level crit: "open() "/var/lib/nginx/fastcgi/…" failed (13: Permission denied) while reading upstream", or "(28: No space left on device)".',
  ],
  absence: 'server',
  needs: ['failure'],
  seen: ['nginx → PHP-FPM'],
  check(exchange, around) {
    const { outcome, streams, times } = exchange;
    if (outcome !== 'web-server-reset' && outcome !== 'web-server-closed') return null;
    if (times.firstStdout === null || streams.stdout.bytes < BUFFERED) return null;
    // At the pace of a visitor, it is the visitor who leaves.
    if ((times.lastStdout ?? 0) - times.firstStdout > AT_FULL_SPEED * MICROSECONDS_PER_MILLISECOND) return null;
    const server = webServerOf(exchange);
    if (server !== null && server !== 'nginx') return null;
    const given = givingUp(exchange, around);
    if (given === null || given.waiting.for !== 'more-stdout' || given.waiting.milliseconds > FLOWING) return null;
    return {
      detail: `It ${given.how} after ${formatBytes(streams.stdout.bytes)} of STDOUT, ${formatDuration(given.waiting.milliseconds)} after the last record.`,
      evidence: [{ kind: 'bytes', stream: 'stdout', offset: streams.stdout.bytes, length: 0 }],
    };
  },
});

/** Bytes that nginx holds in memory before it needs the disk, by default: fastcgi_buffers 8 8k. */
const BUFFERED = 64 * 1024;
/** Milliseconds that a response takes which is not held up by anybody. */
const AT_FULL_SPEED = 1_000;
/** Milliseconds between two records of a response that is flowing. */
const FLOWING = 500;
