import { messages, WORKER_GONE } from '../log-message.js';

/** The worker of a request is gone: what the wire shows of its end has no other cause. */
const GONE = ['rst-before-any-byte', 'eof-before-any-byte', 'crash-mid-response', 'truncated-record'] as const;

/** What looks the same on the wire, and is not it when a worker was killed or crashed at that moment. */
const KILLED = { into: WORKER_GONE, from: ['peer-not-allowed', 'terminate-timeout'] } as const;
const ENDED_OTHERWISE = { into: WORKER_GONE, from: ['peer-not-allowed'] } as const;

/** What a request in the queue of a full pool looks like, when nothing tells it from one whose own script is slow. */
const WAITING = ['slow-script', 'silent-after-accept'] as const;

const MEMORY =
  'Signal 9: look whether the kernel ran out of memory: dmesg | grep -i kill, or memory.events of the container’s cgroup.';
const CRASH =
  'Signal 11: an extension, or PHP itself, crashed: leave extensions out one by one, try opcache.jit=0; rlimit_core gives a core dump.';
const TERMINATED = 'Signal 15: request_terminate_timeout of the pool ended it, or somebody who stops processes.';

const STARTED = '[pool <pool>] child <pid> exited on signal';
const ENDED = 'after <age> seconds from start';

export const PHP_FPM = messages('php-fpm', 'fpm_children.c', [
  {
    text: `${STARTED} 9 (SIGKILL) ${ENDED}`,
    modes: ['rst-before-any-byte', 'crash-mid-response', 'eof-before-any-byte', 'truncated-record'],
    meaning: 'A worker was killed from outside: mostly by the kernel for want of memory, or by somebody’s kill -9.',
    proves: GONE,
    turns: KILLED,
    advice: [MEMORY],
  },
  {
    text: `${STARTED} 11 (SIGSEGV<core>) ${ENDED}`,
    modes: ['rst-before-any-byte', 'crash-mid-response', 'eof-before-any-byte', 'truncated-record'],
    meaning: 'A worker crashed: an extension, opcache’s JIT, or a recursion without end.',
    proves: GONE,
    turns: KILLED,
    advice: [CRASH],
  },
  {
    text: `${STARTED} 15 (SIGTERM) ${ENDED}`,
    modes: ['terminate-timeout', 'rst-before-any-byte', 'crash-mid-response', 'keepalive-killed-by-terminate-timeout'],
    meaning:
      'A worker was told to end: by PHP-FPM itself when the line before says "execution timed out … terminating", else by a stop from outside.',
    proves: GONE,
    turns: ENDED_OTHERWISE,
    advice: [TERMINATED],
  },
  {
    text: `${STARTED} <n:signal> (<name>) ${ENDED}`,
    modes: ['rst-before-any-byte', 'crash-mid-response', 'eof-before-any-byte', 'truncated-record'],
    meaning: 'A worker was killed, or crashed, by this signal.',
    proves: GONE,
    turns: ENDED_OTHERWISE,
  },
  {
    text: '[pool <pool>] child <pid> exited with code <n:code> after <age> seconds from start',
    modes: ['rst-before-any-byte', 'crash-mid-response', 'eof-before-any-byte', 'keepalive-max-requests'],
    meaning:
      'A worker ended by itself. Code 0 is its ordinary end (pm.max_requests); any other, an extension or a fatal error ended it.',
    proves: GONE,
  },
  {
    text: '[pool <pool>] child <pid>, script \'\' (request: " ") execution timed out (<seconds> sec), terminating',
    source: 'fpm_request.c',
    modes: ['keepalive-killed-by-terminate-timeout', 'partial-request-pins-worker'],
    meaning:
      'request_terminate_timeout ended a worker that had no request: one that held a kept connection, or one that waited for the rest of a request.',
    proves: ['keepalive-killed-by-terminate-timeout', 'partial-request-pins-worker'],
  },
  {
    text: '[pool <pool>] child <pid>, script \'<script>\' (request: "<request>") execution timed out (<seconds> sec), terminating',
    source: 'fpm_request.c',
    modes: ['terminate-timeout', 'rst-before-any-byte', 'crash-mid-response'],
    meaning: 'The script took longer than request_terminate_timeout of its pool, and PHP-FPM ended its worker.',
    proves: ['terminate-timeout'],
    turns: { into: 'terminate-timeout', from: GONE },
  },
  {
    text: '[pool <pool>] child <pid>, script \'<script>\' (request: "<request>") executing too slow (<seconds> sec), logging',
    source: 'fpm_request.c',
    modes: ['slow-script'],
    meaning: 'The script takes longer than request_slowlog_timeout: where it stands is in the slow log.',
    proves: ['slow-script'],
    advice: [
      'PHP-FPM’s slowlog has the call stack of this very request: the first line below script_filename is where it waits.',
    ],
    when: 'during',
  },
  {
    text: '[pool <pool>] server reached pm.max_children setting (<n:children>), consider raising it',
    source: 'fpm_process_ctl.c',
    versions: 'pm = dynamic',
    modes: ['pool-exhausted', 'keepalive-pins-worker'],
    meaning:
      'All workers are busy, and the pool may not have more: further requests wait in the queue. Logged once, not each time.',
    bearsOn: WAITING,
    proves: ['pool-exhausted'],
    when: 'during',
  },
  {
    text: '[pool <pool>] server reached max_children setting (<n:children>), consider raising it',
    source: 'fpm_process_ctl.c',
    versions: 'pm = ondemand',
    modes: ['pool-exhausted', 'keepalive-pins-worker'],
    meaning:
      'All workers are busy, and the pool may not have more: further requests wait in the queue. Logged once, not each time.',
    bearsOn: WAITING,
    proves: ['pool-exhausted'],
    when: 'during',
  },
  {
    text: '[pool <pool>] seems busy (you may need to increase pm.start_servers, or pm.min/max_spare_servers), spawning <n> children, there are <n:idle> idle, and <n:total> total children',
    source: 'fpm_process_ctl.c',
    modes: ['pool-exhausted'],
    meaning: 'Requests come faster than workers get free; PHP-FPM is starting more.',
    when: 'during',
  },
  {
    text: "The maximum number of processes has been reached. Please review your configuration and consider raising 'process.max'",
    modes: ['pool-exhausted'],
    meaning: 'All pools together have as many workers as process.max lets there be.',
    bearsOn: WAITING,
    proves: ['pool-exhausted'],
    when: 'during',
  },
  {
    text: 'failed processes threshold (<n> in <n:seconds> sec) is reached, initiating reload',
    modes: ['backend-restart-gap', 'rst-before-any-byte'],
    meaning:
      'So many workers crashed that PHP-FPM starts itself anew (emergency_restart_threshold): all requests under way are lost.',
    proves: ['backend-restart-gap'],
    turns: { into: 'backend-restart-gap', from: GONE },
  },
  {
    text: 'Reloading in progress ...',
    source: 'fpm_process_ctl.c',
    modes: ['backend-restart-gap'],
    meaning: 'PHP-FPM was told to reload. Unless process_control_timeout is set, requests under way are lost.',
    proves: ['backend-restart-gap'],
    turns: { into: 'backend-restart-gap', from: GONE },
  },
  {
    text: 'using inherited socket fd=<n>, "<address>"',
    source: 'fpm_sockets.c',
    modes: ['backend-restart-gap'],
    meaning: 'PHP-FPM has reloaded, and takes connections at the same socket again.',
  },
  {
    text: "Connection disallowed: IP address '<ip>' has been dropped.",
    source: 'main/fastcgi.c',
    versions: 'with catch_workers_output = yes',
    modes: ['peer-not-allowed'],
    meaning: 'The connection came from an address that listen.allowed_clients does not have.',
    proves: ['peer-not-allowed'],
    turns: { into: 'peer-not-allowed', from: GONE },
  },
  {
    text: "Wrong IP address '<address>' in listen.allowed_clients",
    source: 'main/fastcgi.c',
    modes: ['peer-not-allowed'],
    meaning: 'An entry of listen.allowed_clients is no IP address, and is left out.',
  },
  {
    text: 'There are no allowed addresses',
    source: 'main/fastcgi.c',
    modes: ['peer-not-allowed'],
    meaning: 'No entry of listen.allowed_clients is an IP address: nobody may connect.',
  },
  {
    text: 'Passing INI directive through FastCGI: <what>',
    source: 'fpm_main.c',
    modes: ['php-value-injection'],
    meaning:
      'A request came with PHP_VALUE or PHP_ADMIN_VALUE, and what it says cannot be set. If the web server does not send these, somebody else does.',
  },
  {
    text: 'Another FPM instance seems to already listen on <address>',
    source: 'fpm_sockets.c',
    modes: ['unix-socket-stale', 'connect-refused-tcp'],
    meaning: 'Two PHP-FPM are configured for one address: the second does not start.',
  },
  {
    text: "unable to bind listening socket for address '<address>'",
    source: 'fpm_sockets.c',
    modes: ['connect-refused-tcp', 'unix-socket-missing'],
    meaning: 'PHP-FPM could not take its address (in use, or no permission), and does not start.',
  },
  {
    text: '[pool <pool>] child <pid> said into stderr: "<stderr>',
    source: 'fpm_stdio.c',
    modes: ['stderr-noise'],
    meaning: 'A worker wrote something that belongs to no request (catch_workers_output).',
    carries: 'stderr',
  },
  {
    text: '[pool <pool>] child <pid> said into stdout: "<stderr>',
    source: 'fpm_stdio.c',
    modes: ['stderr-noise'],
    meaning: 'A worker wrote something that belongs to no request (catch_workers_output).',
    carries: 'stderr',
  },
]);

/** What PHP writes to the FastCGI STDERR, and from there into a web server's log; or into the file of error_log. */
export const PHP = messages('php', 'main/main.c', [
  {
    text: 'Primary script unknown',
    source: 'fpm_main.c',
    modes: ['primary-script-unknown'],
    meaning: 'PHP-FPM found no file at the path in SCRIPT_FILENAME.',
    proves: ['primary-script-unknown'],
  },
  {
    text: "Access to the script '<script>' has been denied (see security.limit_extensions)",
    source: 'fpm_main.c',
    modes: ['limit-extensions'],
    meaning:
      'SCRIPT_FILENAME does not end in an extension that the pool may run: a folder, a static file, or path info behind the script.',
    proves: ['limit-extensions'],
  },
  {
    text: 'Unable to open primary script: <script> (',
    source: 'fpm_main.c',
    modes: ['unable-to-open-primary-script'],
    meaning:
      'The script is there, and may not be read: its mode, open_basedir, or SELinux. The reason stands at the end.',
    proves: ['unable-to-open-primary-script'],
  },
  {
    text: 'No input file specified.',
    source: 'cgi_main.c',
    modes: ['no-input-file-specified', 'unable-to-open-primary-script'],
    meaning: 'php-cgi found no script at the path that it was given.',
    proves: ['no-input-file-specified'],
  },
  {
    text: 'Security Alert!</b> The PHP CGI cannot be accessed directly.',
    source: 'cgi_main.c',
    modes: ['force-redirect-alert'],
    meaning: 'php-cgi ran as plain CGI (under fcgiwrap, or mod_cgi) and REDIRECT_STATUS was not set.',
    proves: ['force-redirect-alert'],
  },
  {
    text: 'Allowed memory size of <n:limit> bytes exhausted (tried to allocate <n:wanted> bytes)',
    source: 'Zend/zend_alloc.c',
    modes: ['php-fatal'],
    meaning: 'The script wanted more memory than memory_limit, and was ended.',
    proves: ['php-fatal'],
  },
  {
    text: 'Maximum execution time of <n:seconds> second',
    source: 'Zend/zend_execute_API.c',
    modes: ['php-fatal'],
    meaning: 'The script computed for longer than max_execution_time, and was ended.',
    proves: ['php-fatal'],
  },
  {
    text: 'Cannot modify header information - headers already sent by (output started at <place>)',
    source: 'main/SAPI.c',
    modes: ['headers-already-sent'],
    meaning:
      'The script wanted to set a header after output had begun: a redirect or a cookie is missing from the response.',
    proves: ['headers-already-sent'],
  },
  {
    text: 'POST Content-Length of <n:size> bytes exceeds the limit of <n:limit> bytes',
    source: 'main/SAPI.c',
    modes: ['upload-too-large'],
    meaning: 'The upload is larger than post_max_size: the script ran with $_POST and $_FILES empty.',
    proves: ['upload-too-large'],
  },
  {
    text: 'Input variables exceeded <n:limit>',
    source: 'main/php_variables.c',
    modes: ['upload-too-large'],
    meaning: 'The form has more fields than max_input_vars: the script ran without the rest of them.',
    proves: ['upload-too-large'],
  },
  {
    text: 'Maximum number of allowable file uploads has been exceeded',
    source: 'main/rfc1867.c',
    modes: ['upload-too-large'],
    meaning: 'The form has more files than max_file_uploads: the script ran without the rest of them.',
    proves: ['upload-too-large'],
  },
  {
    text: 'Multipart body parts limit exceeded <n:limit>',
    source: 'main/rfc1867.c',
    modes: ['upload-too-large'],
    meaning: 'The form has more fields and files than max_multipart_body_parts: the script ran without the form.',
    proves: ['upload-too-large'],
  },
  {
    text: 'PHP Fatal error:  <error>',
    modes: ['php-fatal'],
    meaning: 'The script ended with an error that nothing in it caught.',
    proves: ['php-fatal'],
  },
  {
    text: 'PHP Parse error:  <error>',
    modes: ['php-fatal'],
    meaning: 'The script, or a file that it includes, is no valid PHP.',
    proves: ['php-fatal'],
  },
  {
    text: 'PHP Warning:  <message>',
    modes: ['stderr-noise'],
    meaning: 'A warning of PHP: the script went on.',
  },
  {
    text: 'PHP Notice:  <message>',
    modes: ['stderr-noise'],
    meaning: 'A notice of PHP: the script went on.',
  },
  {
    text: 'PHP Deprecated:  <message>',
    modes: ['stderr-noise'],
    meaning: 'PHP will not support something that the script does: the script went on.',
  },
  {
    text: 'PHP message: <message>',
    modes: ['stderr-noise', 'php-fatal'],
    meaning: 'PHP wrote this to STDERR because log_errors is on and error_log is not set.',
  },
]);
