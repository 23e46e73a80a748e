import { milliseconds } from '../../../model/time.js';
import { headerValue } from '../../header-value.js';
import { defineRule } from '../../rule.js';
import { isPhp } from './php-message.js';

export const blankPageNoStderr = defineRule({
  id: 'blank-page-no-stderr',
  // Scripts that rightly print nothing (a cron job's URL, a counter) look the same.
  severity: 'note',
  title: 'The page is empty, and nothing says why',
  meaning:
    'PHP answered 200 with a header and no page, and wrote nothing to STDERR. Some scripts are meant to print nothing; if this one is not, it ended before it printed.',
  layer: 'consequence',
  certainty: 'allowed',
  remedies: {
    any: ['Does the script end in exit or die on some way through? Does it throw its output away (ob_end_clean)?'],
    php: [
      'log_errors = On and an empty error_log in php.ini bring errors here; opcache.enable=0 for a trial rules a stale cache out.',
    ],
  },
  alternatives: [
    { cause: 'The script is meant to print nothing.', tell: 'It is called by cron, a counter, or a webhook.' },
    { cause: 'It called exit or die without output.', tell: 'Search the code for them, and for ob_end_clean.' },
    {
      cause: 'The file is empty, or begins with <? while short_open_tag is off.',
      tell: 'ls -l and head -1 of the script.',
    },
    { cause: 'A fatal error whose message goes to a file.', tell: 'php -i | grep error_log, and read that file.' },
  ],
  absence: 'server',
  needs: ['body'],
  seen: [
    'nginx → PHP-FPM',
    'lighttpd → PHP-FPM',
    'Apache mod_proxy_fcgi → PHP-FPM',
    'Caddy → PHP-FPM',
    'HAProxy → PHP-FPM',
  ],
  check(exchange) {
    const { response, bodyHead, outcome, streams, method, role, times } = exchange;
    if (bodyHead.length > 0 || response === null || response.status !== 200 || outcome !== 'completed') return null;
    if (!response.complete || response.length === 0 || streams.stdout.missing > 0) return null;
    if (streams.stdout.bytes > response.length || streams.stderr.bytes + streams.stderr.missing > 0) return null;
    // An empty answer to a POST is as good as any.
    if (method !== 'GET' || role !== 'responder' || !isPhp(exchange)) return null;
    if (ANSWERS.some((name) => headerValue(exchange, name) !== null)) return null;
    const after = milliseconds(times.paramsEnd, times.firstStdout);
    const fast = after !== null && after < NO_SCRIPT;
    return {
      detail: `Status 200, ${response.length} bytes of header, no body${fast ? `, after ${after} ms: hardly any script ran` : ''}.`,
      evidence: [{ kind: 'bytes', stream: 'stdout', offset: response.length, length: 0 }],
    };
  },
});

/** Milliseconds: PHP takes longer than this to compile and run more than a few lines. */
const NO_SCRIPT = 1;

/** Headers that are an answer without a body, or have another one sent in its place. */
const ANSWERS = [
  'location',
  'x-accel-redirect',
  'x-sendfile',
  'x-sendfile2',
  'x-lighttpd-send-file',
  'refresh',
  'content-length',
];
