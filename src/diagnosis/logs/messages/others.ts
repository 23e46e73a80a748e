import { messages } from '../log-message.js';

/**
 * The termination state of an httplog line (HAProxy's configuration manual, section 8.5): who ended the session, then at what. As of
 * version 2.x the third and fourth place are about cookies, and only count when both are dashes here.
 */
export const HAPROXY = messages('haproxy', 'httplog, termination flags', [
  {
    text: 'SC--',
    whole: true,
    modes: ['connect-refused-tcp', 'unix-socket-missing', 'unix-backlog-full'],
    meaning: 'The backend refused the connection (S: the server’s side; C: while connecting).',
  },
  {
    text: 'sC--',
    whole: true,
    modes: ['connect-timeout', 'tcp-backlog-full'],
    meaning: 'The backend did not take the connection within timeout connect.',
  },
  {
    text: 'SH--',
    whole: true,
    modes: ['eof-before-any-byte', 'rst-before-any-byte', 'peer-not-allowed', 'backend-speaks-http'],
    meaning:
      'The backend ended the connection before a header had come (S: the server’s side; H: waiting for the header).',
  },
  {
    text: 'sH--',
    whole: true,
    modes: [
      'slow-script',
      'pool-exhausted',
      'end-without-header',
      'wrong-request-id',
      'send-timeout',
      'silent-after-accept',
    ],
    meaning:
      'No header came within timeout server. HAProxy 2.6 waits that long also after END_REQUEST when no header came before it.',
    turns: { into: 'slow-script', from: ['client-abort'] },
  },
  {
    text: 'PH--',
    whole: true,
    modes: ['header-line-invalid', 'status-line-nph', 'too-many-headers', 'content-length-invalid', 'version-mismatch'],
    meaning: 'HAProxy itself refused the response: its header is not valid, or too large for tune.bufsize.',
  },
  {
    text: 'SD--',
    whole: true,
    modes: ['crash-mid-response'],
    meaning: 'The backend ended the connection in the middle of the response.',
  },
  {
    text: 'sD--',
    whole: true,
    modes: ['stall-mid-response', 'missing-end-request-hang'],
    meaning: 'The response began, and then nothing came for timeout server.',
    turns: { into: 'stall-mid-response', from: ['client-abort'] },
  },
  {
    text: 'CD--',
    whole: true,
    modes: ['client-abort'],
    meaning: 'The client left in the middle of the response.',
    proves: ['client-abort'],
  },
  {
    text: 'CH--',
    whole: true,
    modes: ['client-abort'],
    meaning: 'The client left while it waited for the response.',
    proves: ['client-abort'],
  },
  {
    text: 'Request too large to be sent',
    source: 'mux_fcgi.c (trace)',
    modes: ['params-too-large'],
    meaning: 'The request’s headers and params do not fit into one PARAMS record of tune.bufsize.',
  },
  {
    text: 'Application record with SID 0',
    source: 'mux_fcgi.c (trace)',
    modes: ['wrong-request-id'],
    meaning: 'The backend sent a record of a request with the id 0, which is for management records.',
  },
  {
    text: 'parsing error, reject H1 response',
    source: 'mux_fcgi.c (trace)',
    modes: ['header-line-invalid'],
    meaning: 'The response’s header block could not be read.',
  },
  {
    text: 'invalid GET_VALUES_RESULT record length',
    source: 'mux_fcgi.c (trace)',
    modes: ['management-record-problems'],
    meaning: 'The backend’s answer to GET_VALUES could not be read.',
  },
  {
    text: 'FATAL: bug condition "c_empty(ic)" matched at src/stconn.c:',
    source: 'stconn.c',
    versions: '2.6',
    modes: ['haproxy-split-header-crash'],
    meaning:
      'HAProxy itself crashed, as it does in 2.6 when a header block comes in several records. All its connections are gone.',
  },
]);

/** What Go's net package says is passed on as it is; it names both addresses. */
export const CADDY = messages('caddy', 'fastcgi.go', [
  {
    text: 'dialing backend: dial unix <socket>: connect: no such file or directory',
    modes: ['unix-socket-missing'],
    meaning: 'There is no socket at the path that php_fastcgi names.',
    proves: ['unix-socket-missing'],
  },
  {
    text: 'dialing backend: dial unix <socket>: connect: connection refused',
    modes: ['unix-socket-stale'],
    meaning: 'The socket file is there, and nobody listens on it.',
    proves: ['unix-socket-stale'],
  },
  {
    text: 'dialing backend: dial unix <socket>: connect: permission denied',
    modes: ['unix-socket-permission'],
    meaning: 'Caddy’s user may not write to the socket, or may not pass a folder on the way to it.',
    proves: ['unix-socket-permission'],
  },
  {
    text: 'dialing backend: dial unix <socket>: connect: resource temporarily unavailable',
    modes: ['unix-backlog-full', 'pool-exhausted'],
    meaning: 'The queue of connections that the backend has not accepted yet is full.',
    proves: ['unix-backlog-full'],
  },
  {
    text: 'dialing backend: dial tcp <address>: connect: connection refused',
    modes: ['connect-refused-tcp', 'backend-restart-gap'],
    meaning: 'Nothing listens at the address that php_fastcgi names.',
    proves: ['connect-refused-tcp'],
  },
  {
    text: 'dialing backend: dial tcp <address>: i/o timeout',
    modes: ['connect-timeout', 'tcp-backlog-full'],
    meaning: 'The backend did not take the connection within dial_timeout (3 s by default).',
    proves: ['connect-timeout', 'tcp-backlog-full'],
  },
  {
    text: 'dialing backend: <error>',
    modes: ['connect-refused-tcp', 'connect-timeout', 'unix-socket-missing'],
    meaning: 'There was no connection to the backend; the reason stands at the end.',
  },
  {
    text: 'fcgi: invalid header version',
    source: 'record.go',
    modes: ['backend-speaks-http', 'version-mismatch', 'header-not-terminated', 'params-missing-core'],
    meaning:
      'What came back is not FastCGI; or the header block did not end, and Caddy took what came after it for a record.',
  },
  {
    text: 'aborting with incomplete response',
    source: 'reverseproxy.go',
    modes: ['crash-mid-response', 'stall-mid-response', 'content-length-too-small'],
    meaning: 'The response broke off after its header; the reason stands beside it.',
  },
  {
    text: 'reading from backend',
    source: 'streaming.go',
    modes: ['crash-mid-response', 'stall-mid-response'],
    meaning: 'The response broke off after its header; the reason stands beside it.',
  },
  {
    text: 'malformed MIME header: missing colon: "<header>"',
    source: 'Go net/textproto',
    modes: ['header-line-invalid'],
    meaning: 'A line of the response’s header block is no header; it is quoted at the end.',
    proves: ['header-line-invalid'],
  },
  {
    text: 'malformed MIME header line: <header>',
    source: 'Go net/textproto',
    versions: 'built with Go before 1.20',
    modes: ['header-line-invalid'],
    meaning: 'A line of the response’s header block is no header; it is quoted at the end.',
    proves: ['header-line-invalid'],
  },
  {
    text: 'strconv.Atoi: parsing "<status>": invalid syntax',
    source: 'Go strconv',
    modes: ['status-bad'],
    meaning: 'The response’s Status header is no number.',
    proves: ['status-bad'],
  },
  {
    text: 'read tcp <address>: i/o timeout',
    source: 'Go net',
    modes: ['slow-script', 'pool-exhausted', 'stall-mid-response', 'silent-after-accept'],
    meaning: 'Nothing came from the backend for read_timeout.',
    turns: { into: 'slow-script', from: ['client-abort'] },
  },
  {
    text: 'read unix <address>: i/o timeout',
    source: 'Go net',
    modes: ['slow-script', 'pool-exhausted', 'stall-mid-response', 'silent-after-accept'],
    meaning: 'Nothing came from the backend for read_timeout.',
    turns: { into: 'slow-script', from: ['client-abort'] },
  },
  {
    text: 'write tcp <address>: i/o timeout',
    source: 'Go net',
    modes: ['send-timeout'],
    meaning: 'The backend did not read the request’s body within write_timeout.',
    proves: ['send-timeout'],
  },
  {
    text: 'write tcp <address>: write: broken pipe',
    source: 'Go net',
    modes: ['early-response', 'rst-before-any-byte'],
    meaning: 'The backend had closed the connection while Caddy was still sending it the request.',
  },
  {
    text: 'read tcp <address>: read: connection reset by peer',
    source: 'Go net',
    modes: ['rst-before-any-byte', 'crash-mid-response'],
    meaning: 'The backend reset the connection.',
  },
  {
    text: 'http: wrote more than the declared Content-Length',
    source: 'Go net/http',
    modes: ['content-length-too-small'],
    meaning: 'More body came than the response’s Content-Length says.',
    proves: ['content-length-too-small'],
  },
  {
    text: 'http: request method or response status code does not allow body',
    source: 'Go net/http',
    modes: ['body-not-allowed'],
    meaning: 'The response has a body, and none belongs to its status or to a HEAD request.',
    proves: ['body-not-allowed'],
  },
  {
    text: 'EOF',
    whole: true,
    source: 'Go io',
    modes: ['eof-before-any-byte', 'rst-before-any-byte', 'end-without-header', 'header-not-terminated', 'overloaded'],
    meaning:
      'The response ended before its header block did. Caddy says the same for a close, a reset and an END_REQUEST without a header.',
  },
]);

export const H2O = messages('h2o', 'lib/handler/fastcgi.c', [
  {
    text: 'connection failed:<error>',
    modes: ['connect-refused-tcp', 'unix-socket-missing', 'unix-backlog-full', 'unix-socket-permission'],
    meaning: 'There was no connection to the backend; the reason stands at the end.',
  },
  {
    text: 'connect timeout',
    whole: true,
    modes: ['connect-timeout', 'tcp-backlog-full'],
    meaning: 'The backend did not take the connection in time.',
    proves: ['connect-timeout', 'tcp-backlog-full'],
  },
  {
    text: 'I/O timeout',
    whole: true,
    modes: ['slow-script', 'send-timeout', 'pool-exhausted', 'silent-after-accept'],
    meaning: 'Nothing went to or came from the backend for fastcgi.timeout.io (30 s by default).',
    turns: { into: 'slow-script', from: ['client-abort'] },
  },
  {
    text: 'fastcgi connection closed unexpectedly',
    modes: ['eof-before-any-byte', 'rst-before-any-byte', 'backend-speaks-http'],
    meaning: 'The backend ended the connection before a header had come.',
  },
  {
    text: 'received FCGI_END_REQUEST before end of the headers',
    modes: ['end-without-header', 'header-not-terminated', 'overloaded', 'cant-mpx-conn', 'unknown-role'],
    meaning: 'The request ended before the blank line that ends the header block: no header at all, or half of one.',
  },
  {
    text: 'received unexpected record, type: <n:type>',
    modes: ['unknown-record-type'],
    meaning: 'A record of a type came that a backend does not send.',
    proves: ['unknown-record-type'],
  },
  {
    text: 'received broken response',
    modes: ['header-line-invalid', 'backend-speaks-http', 'status-line-nph', 'too-many-headers'],
    meaning: 'The response’s header block could not be read, or what came back is not FastCGI.',
  },
  {
    text: 'received multiple content-length headers from fcgi',
    modes: ['content-length-invalid'],
    meaning: 'The response has two Content-Length headers.',
    proves: ['content-length-invalid'],
  },
  {
    text: 'failed to parse content-length header sent from fcgi: <value>',
    modes: ['content-length-invalid'],
    meaning: 'The response’s Content-Length is no number.',
    proves: ['content-length-invalid'],
  },
  {
    text: 'failed to parse Status header, got: <value>',
    modes: ['status-bad'],
    meaning: 'The response’s Status header is not a number of three digits.',
    proves: ['status-bad'],
  },
]);

export const OPENLITESPEED = messages('openlitespeed', 'extconn.cpp', [
  {
    text: 'FcgiConnection::endOfRequest( <n:app>, <n:protocol>)!',
    source: 'fcgiconnection.cpp',
    modes: ['nonzero-app-status', 'overloaded'],
    meaning:
      'END_REQUEST came with a status other than 0: the application’s, then the protocol’s. LiteSpeed answers 500 for the first.',
    proves: ['nonzero-app-status'],
  },
  {
    text: 'Premature end of response header.',
    source: 'httpextconnector.cpp',
    modes: ['header-not-terminated', 'end-without-header', 'eof-before-any-byte'],
    meaning: 'The response ended before the blank line that ends its header block.',
  },
  {
    text: 'The size of dynamic response header: <n:size> is over the limit.',
    source: 'httpextconnector.cpp',
    modes: ['header-too-big'],
    meaning: 'The response’s header block is larger than the server takes.',
    proves: ['header-too-big'],
  },
  {
    text: '[STDERR] <stderr>',
    source: 'httpextconnector.cpp',
    modes: ['stderr-noise'],
    meaning: 'The application wrote to STDERR.',
    carries: 'stderr',
  },
  {
    text: 'ExtConn timed out while connecting.',
    modes: ['connect-timeout', 'tcp-backlog-full'],
    meaning: 'The backend did not take the connection within Initial Request Timeout.',
    proves: ['connect-timeout', 'tcp-backlog-full'],
  },
  {
    text: 'ExtConn timed out while processing.',
    modes: ['slow-script', 'pool-exhausted', 'stall-mid-response'],
    meaning: 'Nothing came from the backend for as long as the external application may take.',
    turns: { into: 'slow-script', from: ['client-abort'] },
  },
  {
    text: 'Connection refused, restart!',
    source: 'extworker.cpp',
    modes: ['connect-refused-tcp', 'unix-socket-stale'],
    meaning: 'Nothing listens at the backend’s address; LiteSpeed starts it anew when it is its own.',
    proves: ['connect-refused-tcp', 'unix-socket-stale'],
  },
  {
    text: 'All connections had gone bad, mark it as bad and retry after a while!!!',
    source: 'extworker.cpp',
    modes: ['backend-marked-down'],
    meaning: 'The backend failed on all its connections, and LiteSpeed does not try it for a while.',
  },
  {
    text: 'External processor is not available!',
    source: 'httpextconnector.cpp',
    modes: ['backend-marked-down'],
    meaning: 'The backend failed a moment ago, and LiteSpeed does not try it yet: the request is answered 503.',
  },
]);

export const FCGIWRAP = messages('fcgiwrap', 'fcgiwrap.c', [
  {
    text: 'Cannot get script name, are DOCUMENT_ROOT and SCRIPT_NAME (or SCRIPT_FILENAME) set and is the script executable?',
    modes: ['fcgiwrap-403'],
    meaning:
      'fcgiwrap found no program to run: the params that name it are missing, it is not there, or not executable.',
    proves: ['fcgiwrap-403'],
  },
  {
    text: 'Cannot execute script (<script>)',
    modes: ['fcgiwrap-502'],
    meaning:
      'The program cannot be run: the interpreter of its first line is missing (a CR at its end?), or the file system is mounted noexec.',
    proves: ['fcgiwrap-502'],
  },
  {
    text: 'Cannot chdir to script directory (<path>)',
    modes: ['fcgiwrap-403', 'fcgiwrap-502'],
    meaning: 'fcgiwrap’s user may not enter the program’s folder.',
  },
  {
    text: 'An error occurred while reading CGI reply (no response received)',
    modes: ['fcgiwrap-502'],
    meaning: 'The program ended and had printed nothing.',
    proves: ['fcgiwrap-502'],
  },
  {
    text: 'An error occurred while <what> CGI reply',
    modes: ['fcgiwrap-502', 'client-abort'],
    meaning: 'What the program printed could not be passed on, or is no CGI reply.',
  },
]);

/** What a program with libfcgi says on its own STDERR when it is started; FCGX_OpenSocket writes it. */
export const LIBFCGI = messages('libfcgi', 'os_unix.c', [
  {
    text: 'bind path too long (>=<n>): <path>',
    modes: ['spawn-failed'],
    meaning: 'The path of the socket is longer than the system allows (108 bytes): the program did not start.',
  },
  {
    text: "Listening socket's path name is too long.",
    modes: ['spawn-failed'],
    meaning: 'The path of the socket is longer than the system allows (108 bytes): the program did not start.',
  },
  {
    text: 'Cannot resolve host name <host> -- exiting!',
    modes: ['spawn-failed'],
    meaning: 'The host on which the program is to listen has no address: the program did not start.',
  },
]);

export const IIS = messages('iis', 'FastCgiModule', [
  {
    text: 'The FastCGI process exited unexpectedly',
    modes: ['spawn-failed', 'rst-before-any-byte', 'eof-before-any-byte'],
    meaning:
      'The process ended before it had answered. The error code is its exit code: 0xc0000005 is a crash, 0x000000ff php-cgi that could not start, 0xc0000135 a DLL that is missing.',
  },
  {
    text: 'The FastCGI process exceeded configured activity timeout',
    modes: ['slow-script'],
    meaning: 'Nothing came from the process for activityTimeout (30 s by default).',
  },
  {
    text: 'The FastCGI process exceeded configured request timeout',
    modes: ['slow-script'],
    meaning: 'The request took longer than requestTimeout (90 s by default).',
  },
  {
    text: 'The FastCGI Handler was unable to process the request.',
    versions: 'IIS 6',
    modes: ['spawn-failed', 'slow-script', 'eof-before-any-byte'],
    meaning: 'The frame around every FastCGI error of IIS 6; the error’s number and text stand below it.',
  },
]);
