import type { Exchange } from '../../../model/exchange.js';
import type { Severity } from '../../../model/finding.js';
import { visibleText } from '../../../model/visible-text.js';
import { defineRule } from '../../rule.js';
import { stderrText } from '../../stderr-text.js';
import { shownError } from './charset-or-status-200-error.js';
import { type PhpLevel, phpMessages } from './php-message.js';

export const stderrNoise = defineRule({
  id: 'stderr-noise',
  severity: 'note',
  title: 'The application wrote to STDERR',
  meaning:
    'Beside the page, the application sent text for the log. Web servers write it into their error log and deliver the page all the same.',
  layer: 'remark',
  certainty: 'proven',
  remedies: {
    nginx: [
      'It stands in error.log as "FastCGI sent in stderr", at level error whatever it says. Only fastcgi_catch_stderr "TEXT"; makes a failure (502) of it.',
    ],
    caddy: ['Logged only with capture_stderr in the fastcgi transport.'],
    haproxy: ['Logged only with log-stderr in the fcgi-app section.'],
  },
  needs: ['stderr'],
  seen: [
    'nginx → PHP-FPM',
    'lighttpd → PHP-FPM',
    'Apache mod_proxy_fcgi → PHP-FPM',
    'Caddy → PHP-FPM',
    'HAProxy → PHP-FPM',
  ],
  check(exchange) {
    const { bytes } = exchange.streams.stderr;
    if (bytes === 0) return null;
    const text = stderrText(exchange);
    // Each of these is another rule's, and a message at the head of the page is the same one.
    if (SPOKEN_FOR.test(text) || shownError(exchange) !== null) return null;
    const first = visibleText(text.trim(), TEXT_SHOWN);
    const levels = countLevels(text);
    return {
      detail: `${bytes} bytes${levels === '' ? '' : `, ${levels}`}: ${first}`,
      severity: severityOf(exchange, text),
      advice: adviceFor(text, bytes),
      evidence: [{ kind: 'stderr', text: first }],
    };
  },
});

/** How much of the text is quoted. */
const TEXT_SHOWN = 200;

const SPOKEN_FOR =
  /Primary script unknown|Access to the script '|Unable to open primary script|PHP (?:Fatal|Parse|Core|Compile|Recoverable fatal|Catchable fatal) error|POST Content-Length of \d+ bytes exceeds|Input variables exceeded \d|Maximum number of allowable file uploads has been exceeded|Multipart body parts limit exceeded|headers (?:already sent|have already been sent)|Cannot get script name, are DOCUMENT_ROOT|Cannot execute script|Cannot chdir to script directory/;

/** HAProxy 2.6 was seen to crash from 55 kB of it, and error logs fill up. */
const FLOOD = 16 * 1024;

/** A warning only where the answer is bad as well: what the text names is then the likely reason. */
function severityOf({ response, streams, outcome }: Exchange, text: string): Severity {
  if (streams.stderr.bytes >= FLOOD) return 'warning';
  const failed = outcome === 'completed' && response !== null && response.status !== null && response.status >= 500;
  if (!failed) return 'note';
  const messages = phpMessages(text);
  return messages.length > 0 && messages.every(({ level }) => level === 'deprecated') ? 'note' : 'warning';
}

/** `2 warnings, 1 deprecation`: the gravest first. */
function countLevels(text: string): string {
  const counts = new Map<PhpLevel, number>();
  for (const { level } of phpMessages(text)) counts.set(level, (counts.get(level) ?? 0) + 1);
  return WORDS.filter(([level]) => counts.has(level))
    .map(([level, word]) => `${counts.get(level)} ${word}${counts.get(level) === 1 ? '' : 's'}`)
    .join(', ');
}

const WORDS: readonly (readonly [PhpLevel, string])[] = [
  ['warning', 'PHP warning'],
  ['notice', 'PHP notice'],
  ['deprecated', 'PHP deprecation'],
];

/** What to do about warnings that are known; none for others. */
export function warningAdvice(text: string): string[] {
  return KNOWN.filter(([pattern]) => pattern.test(text)).map(([, words]) => words);
}

function adviceFor(text: string, bytes: number): string[] {
  const advice = warningAdvice(text);
  if (advice.length === 0) advice.push('Harmless by itself: mend what it names, so that the log stays readable.');
  if (bytes >= FLOOD)
    advice.push(
      'So much of it in one request fills the log, and HAProxy 2.6 was seen to crash from 55 kB: write it to a file (error_log in php.ini).',
    );
  return advice;
}

const KNOWN: readonly (readonly [RegExp, string])[] = [
  [
    /No space left on device/,
    'A disk is full: df -h and df -i where PHP writes (session.save_path, upload_tmp_dir, caches).',
  ],
  [
    /Too many open files/,
    'PHP’s limit of open files is reached: rlimit_files in the pool, LimitNOFILE= in its service.',
  ],
  [
    /open_basedir restriction in effect/,
    'Add the folder of the message to open_basedir, or keep the script out of it.',
  ],
  [/Permission denied/, 'PHP’s user may not read or write the file of the message: chown www-data PATH, or its group.'],
  [
    /php_network_getaddresses|Name or service not known|Temporary failure in name resolution/,
    'A host name cannot be resolved where PHP runs: getent hosts NAME there; in a container, its /etc/resolv.conf.',
  ],
  [
    /Connection refused|server has gone away|Connection timed out/i,
    'A service that the script uses (database, cache) does not answer: is it running, and is its address right for where PHP runs?',
  ],
  [
    /Unable to load dynamic library|is already loaded/,
    'A line extension= in php.ini or conf.d names what is missing or there twice: php -m shows it.',
  ],
  [
    /PHP (?:Deprecated|Strict Standards):/,
    'Deprecations are for whoever upgrades PHP next; error_reporting = E_ALL & ~E_DEPRECATED keeps them out of the log.',
  ],
];
