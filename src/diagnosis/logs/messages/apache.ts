import { messages } from '../log-message.js';

/** What Apache says of an error number stands before the message: `(104)Connection reset by peer: AH01075: …`. The client is taken out. */
export const MOD_PROXY_FCGI = messages('mod_proxy_fcgi', 'mod_proxy_fcgi.c', [
  {
    text: 'AH01059: error parsing URL',
    modes: [],
    meaning:
      'The address in ProxyPass or SetHandler is none: it must look like fcgi://127.0.0.1:9000/ or unix:/path|fcgi://localhost/.',
  },
  {
    text: 'AH10414: To be forwarded path contains control characters',
    modes: ['script-filename-traversal'],
    meaning: 'The URL has control characters in it; Apache refused it.',
  },
  {
    text: "AH02536: couldn't encode envvar '<name>' in <n> bytes",
    modes: ['params-too-large'],
    meaning:
      'A param was too long for Apache’s 16 KB records, and was left out: the application never saw that header (often a large Cookie).',
  },
  {
    text: 'AH01067: Failed to read FastCGI header',
    modes: ['eof-before-any-byte', 'rst-before-any-byte', 'crash-mid-response', 'keepalive-idle-close-race'],
    meaning:
      'The connection ended where a record had to begin. The line after it says how: (70014) it was closed in order, (104) it was reset.',
  },
  {
    text: 'AH01068: Got bogus version <n:version>',
    modes: ['version-mismatch', 'backend-speaks-http'],
    meaning:
      'What came back is not FastCGI: the number is its first byte as a code (72 is "H" as in HTTP, 60 "<", 80 "P").',
    proves: ['version-mismatch', 'backend-speaks-http'],
  },
  {
    text: 'AH01069: Got bogus rid <n:id>, expected <n:expected>',
    modes: ['wrong-request-id', 'keepalive-desync'],
    meaning: 'A record of another request came.',
    proves: ['wrong-request-id'],
  },
  {
    text: 'AH01070: Error parsing script headers',
    modes: ['header-line-invalid', 'header-too-big'],
    meaning: 'The response’s header block could not be read; the line before this one quotes what was wrong.',
  },
  {
    text: "AH01071: Got error '<stderr>'",
    modes: ['stderr-noise'],
    meaning: 'The application wrote to STDERR, and Apache logs all of that as errors, whatever it is.',
    carries: 'stderr',
  },
  {
    text: 'AH01072: Got bogus record <n:type>',
    modes: ['unknown-record-type'],
    meaning: 'A record of a type came that a backend does not send; Apache leaves it out.',
    proves: ['unknown-record-type'],
  },
  {
    text: 'AH02537: Error occurred reading padding',
    modes: ['truncated-record'],
    meaning: 'The connection ended inside a record.',
    proves: ['truncated-record'],
  },
  {
    text: 'AH01073: Failed Writing Request to <address>:',
    modes: ['keepalive-idle-close-race', 'early-response'],
    meaning: 'Apache could not send the request: the backend had closed the connection.',
  },
  {
    text: 'AH01074: Failed writing Environment to <address>:',
    modes: ['keepalive-idle-close-race', 'peer-not-allowed'],
    meaning: 'Apache could not send the request: the backend had closed the connection.',
  },
  {
    text: '(70007)The timeout specified has expired: AH01075: Error dispatching request to <address>: (sending stdin)',
    modes: ['send-timeout'],
    meaning: 'The backend did not read the request’s body within ProxyTimeout (60 s by default).',
    proves: ['send-timeout'],
  },
  {
    text: '(70007)The timeout specified has expired: AH01075: Error dispatching request to <address>: (polling)',
    modes: ['slow-script', 'stall-mid-response', 'send-timeout', 'pool-exhausted', 'missing-end-request-hang'],
    meaning: 'Nothing came from the backend for ProxyTimeout (60 s by default).',
    turns: { into: 'slow-script', from: ['client-abort'] },
  },
  {
    text: '(104)Connection reset by peer: AH01075: Error dispatching request to <address>: (sending stdin)',
    modes: ['early-response', 'rst-before-any-byte'],
    meaning: 'The backend reset the connection while Apache was still sending the request’s body.',
  },
  {
    text: '(32)Broken pipe: AH01075: Error dispatching request to <address>: (sending stdin)',
    modes: ['early-response', 'rst-before-any-byte'],
    meaning: 'The backend had closed the connection while Apache was still sending the request’s body.',
  },
  {
    text: '(104)Connection reset by peer: AH01075: Error dispatching request to <address>:',
    modes: ['rst-before-any-byte', 'crash-mid-response', 'terminate-timeout', 'backend-restart-gap'],
    meaning:
      'The backend reset the connection. From PHP-FPM this means that the worker is gone: killed, or crashed; its log has the signal.',
  },
  {
    text: '(70014)End of file found: AH01075: Error dispatching request to <address>: (reading response body)',
    modes: ['crash-mid-response', 'truncated-record'],
    meaning: 'The backend closed the connection in order, and the response was not over.',
  },
  {
    text: '(70014)End of file found: AH01075: Error dispatching request to <address>:',
    modes: ['eof-before-any-byte', 'crash-mid-response', 'keepalive-idle-close-race', 'truncated-record'],
    meaning: 'The backend closed the connection in order, and the request was not over.',
  },
  {
    text: '(22)Invalid argument: AH01075: Error dispatching request to <address>:',
    modes: ['header-line-invalid', 'version-mismatch', 'wrong-request-id', 'header-too-big'],
    meaning: 'What the backend sent could not be read; the line before this one says what.',
  },
  {
    text: 'AH01075: Error dispatching request to <address>: (passing brigade to output filters)',
    modes: ['client-abort'],
    meaning: 'The response could not be passed on: the client had left.',
    proves: ['client-abort'],
  },
  {
    text: 'AH01075: Error dispatching request to <address>: (reading input brigade)',
    modes: ['client-abort', 'stdin-short'],
    meaning: 'The request’s body did not arrive from the client.',
    proves: ['client-abort'],
  },
  {
    text: 'AH01075: Error dispatching request to <address>:',
    modes: ['eof-before-any-byte', 'rst-before-any-byte', 'slow-script', 'header-line-invalid', 'early-response'],
    meaning:
      'The request failed between Apache and the backend. The number before it tells how: (70014) closed in order, (104) reset, (70007) time was up, (22) not understood; the words behind it tell at what.',
  },
  {
    text: 'AH01079: failed to make connection to backend: <address>',
    modes: ['connect-refused-tcp', 'unix-socket-missing', 'connect-timeout'],
    meaning: 'There was no connection to the backend; the line before this one has the reason.',
  },
]);

/** Of mod_proxy itself, and of the part of Apache's core that reads CGI headers for all of its modules. */
export const APACHE = messages('apache', 'proxy_util.c', [
  {
    text: '(111)Connection refused: AH00957: FCGI: attempt to connect to <address> (<worker>) failed',
    modes: ['connect-refused-tcp', 'backend-restart-gap'],
    meaning: 'Nothing listens at the address that ProxyPass or SetHandler names.',
    proves: ['connect-refused-tcp'],
  },
  {
    text: '(70007)The timeout specified has expired: AH00957: FCGI: attempt to connect to <address> (<worker>) failed',
    modes: ['connect-timeout', 'tcp-backlog-full'],
    meaning: 'The backend did not take the connection in time (connectiontimeout, or ProxyTimeout).',
    proves: ['connect-timeout', 'tcp-backlog-full'],
  },
  {
    text: 'AH00957: FCGI: attempt to connect to <address> (<worker>) failed',
    modes: ['connect-refused-tcp', 'connect-timeout'],
    meaning: 'There was no connection to the backend; the system’s reason stands at the beginning.',
  },
  {
    text: '(2)No such file or directory: AH02454: FCGI: attempt to connect to Unix domain socket <socket> (<worker>) failed',
    modes: ['unix-socket-missing'],
    meaning: 'There is no socket at the path that ProxyPass or SetHandler names.',
    proves: ['unix-socket-missing'],
  },
  {
    text: '(111)Connection refused: AH02454: FCGI: attempt to connect to Unix domain socket <socket> (<worker>) failed',
    modes: ['unix-socket-stale'],
    meaning: 'The socket file is there, and nobody listens on it.',
    proves: ['unix-socket-stale'],
  },
  {
    text: '(13)Permission denied: AH02454: FCGI: attempt to connect to Unix domain socket <socket> (<worker>) failed',
    modes: ['unix-socket-permission'],
    meaning: 'Apache’s user may not write to the socket, or may not pass a folder on the way to it.',
    proves: ['unix-socket-permission'],
  },
  {
    text: 'AH02454: FCGI: attempt to connect to Unix domain socket <socket> (<worker>) failed',
    modes: ['unix-socket-missing', 'unix-socket-stale', 'unix-socket-permission'],
    meaning: 'There was no connection to the backend’s socket; the system’s reason stands at the beginning.',
  },
  {
    text: 'AH00959: ap_proxy_connect_backend disabling worker for (<worker>) for <n>s',
    modes: ['backend-marked-down'],
    meaning: 'An attempt to connect failed, and Apache will not try this backend for a while (retry=).',
  },
  {
    text: 'AH00940: FCGI: disabled connection for (<worker>)',
    modes: ['backend-marked-down'],
    meaning: 'The request was refused without an attempt: the backend failed a moment ago (retry=).',
  },
  {
    text: "malformed header from script '<script>': Bad header: <header>",
    source: 'util_script.c',
    modes: ['header-line-invalid'],
    meaning: 'A line of the response’s header block is no header; it is quoted at the end.',
    proves: ['header-line-invalid'],
  },
  {
    text: "AH02429: Response header name '<header>' contains invalid characters, aborting request",
    source: 'http_filters.c',
    modes: ['header-line-invalid'],
    meaning: 'A header of the response has a blank or another forbidden character in its name.',
    proves: ['header-line-invalid'],
  },
  {
    text: 'Premature end of script headers: <script>',
    source: 'util_script.c',
    modes: ['header-not-terminated', 'header-too-big'],
    meaning: 'The response ended inside its header block, or one of its lines is longer than 8 KB.',
  },
  {
    text: 'End of script output before headers: <script>',
    source: 'util_script.c',
    modes: ['end-without-header', 'eof-before-any-byte', 'slow-script'],
    meaning: 'No header came: the program ended, or died, or was given up before it had written one.',
  },
  {
    text: 'Script timed out before returning headers: <script>',
    source: 'util_script.c',
    modes: ['slow-script'],
    meaning: 'No header came within the time that the module waits for one.',
    turns: { into: 'slow-script', from: ['client-abort'] },
  },
  {
    text: "Invalid status line from script '<script>': <status>",
    source: 'util_script.c',
    modes: ['status-bad'],
    meaning: 'The response’s Status header is no number that HTTP knows.',
    proves: ['status-bad'],
  },
]);

export const MOD_AUTHNZ_FCGI = messages('mod_authnz_fcgi', 'mod_authnz_fcgi.c', [
  {
    text: 'AH02495: attempt to connect to <address> (',
    modes: ['connect-refused-tcp', 'connect-timeout'],
    meaning: 'There was no connection to the authorizer.',
  },
  {
    text: "AH02497: Couldn't read from backend <address>",
    modes: ['eof-before-any-byte', 'rst-before-any-byte'],
    meaning: 'The authorizer ended the connection before it had answered.',
  },
  {
    text: 'AH02501: <function>: Error occurred before reading',
    modes: ['eof-before-any-byte', 'rst-before-any-byte', 'truncated-record'],
    meaning: 'The authorizer ended the connection before the record that had begun was over.',
  },
  {
    text: 'AH02502: <function>: Got bogus FastCGI header',
    modes: ['version-mismatch', 'backend-speaks-http'],
    meaning: 'What came from the authorizer is not FastCGI.',
  },
  {
    text: 'AH02503: <function>: Got bogus FastCGI header',
    modes: ['wrong-request-id'],
    meaning: 'The authorizer sent a record of another request.',
  },
  {
    text: "AH02507: <function>: Logged from <address>: '<stderr>'",
    modes: ['stderr-noise'],
    meaning: 'The authorizer wrote to STDERR.',
    carries: 'stderr',
  },
  {
    text: 'AH02510: <function>: Never reached end of script headers',
    modes: ['end-without-header', 'header-not-terminated'],
    meaning:
      'The authorizer’s answer ended before the blank line that ends its header block: access is refused with 500.',
  },
  {
    text: 'AH02514: <function>: Failed handling response',
    modes: ['end-without-header', 'eof-before-any-byte', 'version-mismatch', 'wrong-request-id'],
    meaning: 'The authorizer’s answer could not be used; the line before this one says why.',
  },
  {
    text: 'AH02515: <function>: Received HTTP status <n:status>',
    modes: ['authorizer-denied'],
    meaning: 'The authorizer answered with a status other than 200: access is refused.',
  },
  {
    text: 'AH02522: <function>: Ignoring response body from non-',
    modes: ['authorizer-body-on-200'],
    meaning: 'The authorizer let the request pass and sent a body all the same; nobody sees it.',
  },
  {
    text: 'AH01617: user <user>: authentication failure for "<uri>": Password Mismatch',
    source: 'mod_auth_basic.c',
    modes: ['authorizer-denied'],
    meaning: 'The login was refused: by the authorizer when one is asked (AuthBasicProvider), else by a password file.',
  },
]);
