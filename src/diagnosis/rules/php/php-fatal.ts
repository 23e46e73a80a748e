import type { Exchange } from '../../../model/exchange.js';
import { visibleText } from '../../../model/visible-text.js';
import { seenWhole } from '../../blind-spots.js';
import { defineRule, type Sighting } from '../../rule.js';
import { stderrText } from '../../stderr-text.js';
import { isPhp, type PhpMessage, phpMessages } from './php-message.js';

export const phpFatal = defineRule({
  id: 'php-fatal',
  severity: 'error',
  title: 'PHP stopped with a fatal error',
  meaning:
    'The script ended in the middle with an error that PHP does not go on after. The visitor gets an empty page with status 500, or what had been sent until then. For FastCGI itself the request ended in order, so web servers do not call it a failure.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {},
  alternatives: [
    {
      cause: 'PHP writes its errors to a file: error_log is set.',
      tell: 'php -i | grep error_log with the pool’s php.ini; the message is in that file.',
    },
    { cause: 'log_errors is off.', tell: 'log_errors = On in php.ini, and the next such request says why.' },
    {
      cause: 'The application itself answers 500 without a body.',
      tell: 'Its own log; look for http_response_code(500) or abort(500).',
    },
  ],
  look: [
    'The message stands in the web server’s error log (nginx: FastCGI sent in stderr; Apache: AH01071), or in the file that error_log names.',
  ],
  needs: ['stderr', 'status'],
  seen: [
    'nginx → PHP-FPM',
    'lighttpd → PHP-FPM',
    'Apache mod_proxy_fcgi → PHP-FPM',
    'Caddy → PHP-FPM',
    'HAProxy → PHP-FPM',
  ],
  check(exchange) {
    if (exchange.streams.stderr.bytes === 0) return withoutWords(exchange);
    const fatal = phpMessages(stderrText(exchange)).find(({ level }) => level === 'fatal' || level === 'parse');
    return fatal ? said(fatal, exchange) : null;
  },
});

function said(fatal: PhpMessage, { response, bodyHead }: Exchange): Sighting {
  const text = visibleText(fatal.text, TEXT_SHOWN);
  // Once the header is sent, the status cannot change any more.
  const cut =
    response?.complete === true && response.status !== null && response.status < 400 && bodyHead.length > 0
      ? `. Status ${response.status} and the beginning of the page were sent before that: visitors get a page that is cut off.`
      : '';
  return { detail: `${text}${cut}`, advice: fatalAdvice(fatal), evidence: [{ kind: 'stderr', text }] };
}

/** How much of the message is quoted. */
const TEXT_SHOWN = 300;

/** Status 500, no body, no word on STDERR: this is how PHP ends with display_errors off when its log goes elsewhere. */
function withoutWords(exchange: Exchange): Sighting | null {
  const { response, outcome, bodyHead, streams } = exchange;
  if (response === null || response.status !== 500 || outcome !== 'completed' || !response.complete) return null;
  if (bodyHead.length > 0 || response.length === 0 || streams.stdout.missing > 0 || exchange.role !== 'responder')
    return null;
  if (streams.stdout.bytes > response.length || !isPhp(exchange) || !seenWhole(exchange, 'server')) return null;
  return {
    detail: 'Status 500, an empty body, and nothing on STDERR: PHP was told to write the message elsewhere.',
    certainty: 'allowed',
    advice: [
      'Read the file that error_log names (php.ini, or php_admin_value[error_log] in the pool); without error_log and with log_errors = On the message comes through the web server.',
    ],
    evidence: [{ kind: 'header', name: 'Status' }],
  };
}

/** What to do about just this message. */
export function fatalAdvice({ level, text }: PhpMessage): readonly string[] {
  if (level === 'parse')
    return [
      'Mend the syntax at that line: php -l FILE finds it. After an upgrade or a downgrade, the code may be for another version of PHP (php -v on the web server’s machine).',
    ];
  return ADVICE.find(([pattern]) => pattern.test(text))?.[1] ?? MEND;
}

const MEND = ['Mend the code at the file and line that the message names.'];

const ADVICE: readonly (readonly [RegExp, readonly string[]])[] = [
  [
    /^Allowed memory size of/,
    [
      'Find what takes so much: a query without a limit, a large file read at once, an endless recursion.',
      'If the script rightly needs it: memory_limit = 256M in php.ini, or php_admin_value[memory_limit] in the pool. pm.max_children times memory_limit must fit into the machine.',
    ],
  ],
  [
    /^Out of memory|[Cc]annot allocate memory/,
    [
      'The machine (or the container’s limit, or rlimit) has no memory left: fewer workers (pm.max_children), or more memory. free -m; docker stats.',
    ],
  ],
  [
    /^Maximum execution time of/,
    [
      'Find where it waits: request_slowlog_timeout = 5s and slowlog = /var/log/php-slow.log in the pool write the script’s stack.',
      'If the script rightly takes so long: max_execution_time in php.ini, and the web server’s own limit above it (nginx: fastcgi_read_timeout; Apache: ProxyTimeout), or do the work in a queue.',
    ],
  ],
  [
    /^Uncaught (?:PDOException|mysqli_sql_exception)|SQLSTATE\[/,
    [
      'The database refused or was not there: the message says which. Is it running, and do host, socket, user and password in the application’s configuration fit? In a container, localhost is the container itself.',
    ],
  ],
  [
    /Class "?.*not found|Interface "?.*not found|Trait "?.*not found/,
    [
      'composer install (or composer dump-autoload) where PHP runs; on Linux, the file’s name must have the class’s upper and lower case.',
      'A class of an extension (PDO, Redis, Imagick …): install and enable it for this PHP: apt install php-redis, and restart PHP-FPM.',
    ],
  ],
  [
    /Call to undefined function/,
    [
      'A function of an extension: install it for this PHP (apt install php-mbstring, php-mysql, php-gd …) and restart PHP-FPM; php -m of the command line may be another PHP. Else the function was removed in this version, or its file is not included.',
    ],
  ],
  [
    /Failed opening required|Failed to open stream/i,
    [
      'The included file is not there for PHP, or its user may not read it: check the path in the message (vendor/autoload.php: run composer install), and include_path and open_basedir.',
    ],
  ],
  [
    /Maximum (?:function nesting level|call stack size)/,
    [
      'Something calls itself without end: the stack in the message shows what. xdebug.max_nesting_level is only its guard.',
    ],
  ],
  [
    /^Uncaught /,
    [
      'Nobody caught this exception: mend the code at the file and line of the message, or its cause, which the text names.',
    ],
  ],
];
