import { messages } from '../log-message.js';

/** A process that mod_fcgid, mod_fastcgi or lighttpd started itself is gone: what its requests show on the wire has no other cause then. */
const PROCESS_GONE = ['rst-before-any-byte', 'eof-before-any-byte', 'crash-mid-response', 'truncated-record'] as const;

export const MOD_FCGID = messages('mod_fcgid', 'fcgid_bridge.c', [
  {
    text: "mod_fcgid: can't apply process slot for <script>",
    modes: ['pool-exhausted', 'spawn-failed'],
    meaning:
      'There are as many processes as FcgidMaxProcesses and its like let there be, all busy; or none could be started.',
    when: 'during',
  },
  {
    text: 'mod_fcgid: HTTP request length <n> (so far) exceeds MaxRequestLen (<n:limit>)',
    modes: ['upload-refused-by-web-server'],
    meaning: 'The upload is larger than FcgidMaxRequestLen (131072 bytes by default); the backend never heard of it.',
  },
  {
    text: 'mod_fcgid: ap_pass_brigade failed (client aborted connection)',
    modes: ['client-abort'],
    meaning: 'The client left before it had the whole response.',
    proves: ['client-abort'],
  },
  {
    text: 'mod_fcgid: ap_pass_brigade failed in handle_request_ipc function',
    modes: ['crash-mid-response', 'client-abort'],
    meaning: 'The response could not be passed on: it broke off, or the client had left.',
  },
  {
    text: "mod_fcgid: can't get data from http client",
    modes: ['client-abort'],
    meaning: 'The request’s body did not arrive from the client; the backend was not asked.',
  },
  {
    text: 'mod_fcgid: <script> took longer than busy timeout (<n> secs)',
    modes: ['slow-script'],
    meaning: 'The request took longer than FcgidBusyTimeout (300 s by default), and its process is ended.',
    proves: [...PROCESS_GONE, 'slow-script'],
    turns: { into: 'slow-script', from: ['client-abort'] },
  },
  {
    text: "mod_fcgid: can't build begin or env request",
    modes: ['params-too-large'],
    meaning: 'The request’s headers and params do not fit into one PARAMS record (65535 bytes).',
  },
  {
    text: 'mod_fcgid: header overflow',
    modes: ['params-too-large'],
    meaning: 'The request’s headers and params do not fit into one PARAMS record (65535 bytes).',
  },
  {
    text: "mod_fcgid: can't init env request header",
    source: 'fcgid_protocol.c',
    modes: ['params-too-large'],
    meaning: 'The request’s headers and params do not fit into one PARAMS record (65535 bytes).',
  },
  {
    text: 'mod_fcgid: read data timeout in <n> seconds',
    source: 'fcgid_proc_unix.c',
    modes: ['slow-script', 'stall-mid-response', 'silent-after-accept'],
    meaning: 'Nothing came from the process for FcgidIOTimeout (40 s by default).',
    turns: { into: 'slow-script', from: ['client-abort'] },
  },
  {
    text: 'mod_fcgid: error reading data, FastCGI server closed connection',
    source: 'fcgid_proc_unix.c',
    modes: ['eof-before-any-byte', 'crash-mid-response', 'rst-before-any-byte'],
    meaning: 'The process closed the connection, and the request was not over.',
  },
  {
    text: 'mod_fcgid: error reading data from FastCGI server',
    source: 'fcgid_proc_unix.c',
    modes: ['rst-before-any-byte', 'crash-mid-response'],
    meaning: 'The connection to the process was reset, and the request was not over.',
  },
  {
    text: 'mod_fcgid: error writing data to FastCGI server',
    source: 'fcgid_proc_unix.c',
    modes: ['early-response', 'rst-before-any-byte'],
    meaning: 'The process had closed the connection while the request was still being sent.',
  },
  {
    text: "mod_fcgid: can't connect unix domain socket: <socket>",
    source: 'fcgid_proc_unix.c',
    modes: ['connect-timeout', 'unix-socket-stale', 'unix-backlog-full'],
    meaning: 'The process could not be connected to.',
  },
  {
    text: "mod_fcgid: can't run <path>",
    source: 'fcgid_proc_unix.c',
    modes: ['spawn-failed'],
    meaning: 'The program cannot be run: not there, not executable, or the interpreter of its first line is missing.',
  },
  {
    text: 'mod_fcgid: process <path>(<pid>) exit(<reason>), get unexpected signal <n:signal>',
    source: 'fcgid_proc_unix.c',
    modes: ['rst-before-any-byte', 'eof-before-any-byte', 'crash-mid-response'],
    meaning: 'The process was killed, or crashed, by this signal: 9 is SIGKILL (often memory), 11 SIGSEGV (a crash).',
    proves: PROCESS_GONE,
  },
  {
    text: 'mod_fcgid: process <path>(<pid>) exit(<reason>), <how>',
    source: 'fcgid_proc_unix.c',
    modes: ['rst-before-any-byte', 'eof-before-any-byte', 'crash-mid-response'],
    meaning:
      'The process ended. "idle timeout", "lifetime expired" and "shutting down" are its ordinary end; "communication error" is not.',
  },
  {
    text: "mod_fcgid: can't read data from fcgid handler",
    source: 'fcgid_filter.c',
    modes: ['crash-mid-response'],
    meaning: 'The response broke off after its header.',
  },
  {
    text: 'mod_fcgid: stderr: <stderr>',
    source: 'fcgid_bucket.c',
    modes: ['stderr-noise'],
    meaning: 'The application wrote to STDERR.',
    carries: 'stderr',
  },
  {
    text: 'mod_fcgid: spawn process <path> error',
    source: 'fcgid_pm_main.c',
    modes: ['spawn-failed'],
    meaning: 'The process could not be started.',
  },
  {
    text: 'mod_fcgid: <path> total process count <n> >= <n:limit>, skip the spawn request',
    source: 'fcgid_spawn_ctl.c',
    modes: ['pool-exhausted', 'spawn-failed'],
    meaning: 'There are as many processes as FcgidMaxProcesses (or ...PerClass) lets there be.',
    proves: ['pool-exhausted'],
    when: 'during',
  },
  {
    text: "mod_fcgid: don't know how to spawn child process: <path>",
    source: 'mod_fcgid.c',
    modes: ['spawn-failed'],
    meaning: 'The file is not executable and no FcgidWrapper is set for it, so there is nothing that could run it.',
  },
  {
    text: 'to access <uri> failed, reason: script returned status <n:status>',
    source: 'mod_fcgid.c',
    modes: ['authorizer-denied'],
    meaning: 'The authenticator or authorizer answered with a status other than 200: access is refused.',
  },
]);

export const MOD_FASTCGI = messages('mod_fastcgi', 'mod_fastcgi.c', [
  {
    text: 'connect() timed out (appConnTimeout=<n>sec)',
    modes: ['connect-timeout'],
    meaning: 'The backend did not take the connection within -appConnTimeout.',
    proves: ['connect-timeout'],
  },
  {
    text: 'FastCGI: failed to connect to server "<path>": ',
    modes: ['connect-refused-tcp', 'connect-timeout', 'unix-socket-missing', 'unix-socket-permission'],
    meaning: 'There was no connection to the backend; the reason stands behind it.',
  },
  {
    text: ' aborted: idle timeout (<n> sec)',
    modes: ['slow-script', 'stall-mid-response'],
    meaning: 'Nothing came from the backend for -idle-timeout (30 s by default).',
    turns: { into: 'slow-script', from: ['client-abort'] },
  },
  {
    text: ' aborted: (first read) idle timeout (<n> sec)',
    modes: ['slow-script', 'silent-after-accept'],
    meaning: 'Not one byte of an answer came for -idle-timeout (30 s by default).',
    turns: { into: 'slow-script', from: ['client-abort'] },
  },
  {
    text: ' aborted: read failed',
    modes: ['rst-before-any-byte', 'crash-mid-response'],
    meaning: 'The connection to the backend was reset.',
  },
  {
    text: ' aborted: write failed',
    modes: ['early-response'],
    meaning: 'The backend had closed the connection while the request was still being sent.',
  },
  {
    text: ' aborted: error parsing headers: <header>',
    modes: ['header-line-invalid'],
    meaning: 'The response’s header block could not be read; what was wrong is quoted at the end.',
    proves: ['header-line-invalid'],
  },
  {
    text: 'FastCGI: incomplete headers (0 bytes) received from server "<path>"',
    modes: ['eof-before-any-byte', 'end-without-header'],
    meaning: 'The backend closed the connection, and nothing had come.',
  },
  {
    text: 'FastCGI: incomplete headers (<n> bytes) received from server "<path>"',
    modes: ['header-not-terminated', 'eof-before-any-byte'],
    meaning: 'The response ended inside its header block.',
  },
  {
    text: 'FastCGI: client stopped connection before send body completed',
    modes: ['client-abort'],
    meaning: 'The client left before it had the whole response.',
    proves: ['client-abort'],
  },
  {
    text: 'FastCGI: authorization failed for user "<user>": <uri>',
    modes: ['authorizer-denied'],
    meaning: 'The authorizer refused access.',
  },
  {
    text: 'FastCGI: access denied: <uri>',
    modes: ['authorizer-denied'],
    meaning: 'The access checker refused access.',
  },
  {
    text: 'protocol error: invalid version: <n:version> != FCGI_VERSION(',
    source: 'fcgi_protocol.c',
    modes: ['version-mismatch', 'backend-speaks-http'],
    meaning: 'What came back is not FastCGI: the number is its first byte as a code (72 is "H" as in HTTP).',
    proves: ['version-mismatch', 'backend-speaks-http'],
  },
  {
    text: 'protocol error: invalid type: <n:type> > FCGI_MAXTYPE(',
    source: 'fcgi_protocol.c',
    modes: ['unknown-record-type'],
    meaning: 'A record of a type came that FastCGI does not have.',
    proves: ['unknown-record-type'],
  },
  {
    text: 'protocol error: invalid FCGI_END_REQUEST size: ',
    source: 'fcgi_protocol.c',
    modes: ['truncated-record'],
    meaning: 'END_REQUEST is not of the eight bytes that it must have.',
  },
  {
    text: 'protocol error: invalid FCGI_END_REQUEST status: <n:status> != ',
    source: 'fcgi_protocol.c',
    modes: ['overloaded', 'cant-mpx-conn', 'unknown-role'],
    meaning:
      'The backend refused the request: 1 it does not multiplex, 2 it is overloaded, 3 it does not know the role.',
    proves: ['overloaded', 'cant-mpx-conn', 'unknown-role'],
  },
  {
    text: 'FastCGI: "ExecCGI Option" is off in this directory: <path>',
    modes: ['spawn-failed'],
    meaning: 'Apache may not run programs in that folder (Options +ExecCGI).',
  },
  {
    text: 'server "<path>" (pid <pid>) terminated by calling exit with status \'<n:code>\'',
    source: 'fcgi_pm.c',
    modes: ['spawn-failed', 'eof-before-any-byte', 'rst-before-any-byte'],
    meaning: 'A process that mod_fastcgi had started ended by itself, with this exit code.',
    proves: PROCESS_GONE,
  },
  {
    text: 'server "<path>" (pid <pid>) terminated due to uncaught signal \'<n:signal>\'',
    source: 'fcgi_pm.c',
    modes: ['rst-before-any-byte', 'eof-before-any-byte', 'crash-mid-response', 'spawn-failed'],
    meaning: 'A process that mod_fastcgi had started was killed, or crashed, by this signal.',
    proves: PROCESS_GONE,
  },
  {
    text: 'FastCGI: server "<path>" stderr: <stderr>',
    modes: ['stderr-noise'],
    meaning: 'The application wrote to STDERR.',
    carries: 'stderr',
  },
]);
