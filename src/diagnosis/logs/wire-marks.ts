/** What a failing state looks like between web server and backend, for somebody who only has the log yet and could capture it. */
export const WIRE_MARKS: Readonly<Record<string, string>> = {
  'authorizer-body-on-200': 'a request of role authorizer with status 200 and STDOUT beyond the blank line.',
  'authorizer-denied': 'a request of role authorizer whose Status is not 200.',
  'backend-marked-down':
    'nothing: the web server does not try. What made it give up came just before: look for requests that failed then.',
  'backend-restart-gap':
    'several connections reset in the same moment, then attempts to connect that are refused, or silence, for a short while.',
  'backend-speaks-http': 'the backend’s first bytes are "HTTP/1.".',
  'body-not-allowed': 'STDOUT beyond the blank line, with status 204 or 304, or for a HEAD request.',
  'cant-mpx-conn':
    'END_REQUEST with protocol status 1, for a request that began while another was open on the connection.',
  'client-abort':
    'the web server ends the connection first, or sends ABORT_REQUEST, before END_REQUEST, and not after a round time such as 60 s.',
  'connect-refused-tcp': 'a SYN that is answered by RST; no FastCGI at all.',
  'connect-timeout': 'SYN packets again after 1, 3 and 7 seconds, and no answer.',
  'content-length-invalid': 'two Content-Length headers, one that is no number, or one beside Transfer-Encoding.',
  'content-length-too-big': 'the body ends before Content-Length is reached, and END_REQUEST comes all the same.',
  'content-length-too-small': 'more bytes after the blank line than Content-Length says.',
  'crash-mid-response': 'STDOUT has begun, and FIN or RST of the backend comes without END_REQUEST.',
  'early-response': 'STDOUT and END_REQUEST while STDIN is still being sent, then RST of the backend.',
  'end-without-header': 'END_REQUEST, and no byte of STDOUT before it; often something on STDERR.',
  'eof-before-any-byte': 'the request is whole, then FIN of the backend, and no byte came from it.',
  'fcgiwrap-403':
    'Status 403 and fcgiwrap’s own words on STDERR; compare DOCUMENT_ROOT, SCRIPT_NAME and SCRIPT_FILENAME.',
  'fcgiwrap-502': 'Status 502 and fcgiwrap’s own words on STDERR or in the body.',
  'force-redirect-alert': 'a body with "Security Alert!", and no REDIRECT_STATUS among the params.',
  'haproxy-split-header-crash':
    'a header block in several STDOUT records, and at once all of HAProxy’s connections are reset.',
  'header-line-invalid':
    'a line before the blank line without a colon, or with a blank or control character in its name.',
  'header-not-terminated': 'STDOUT ends, or the request does, and there was no blank line.',
  'header-too-big':
    'more than 4096 bytes (8192, 65535: by the server) before the blank line, STDERR before it counted in.',
  'headers-already-sent': 'that warning on STDERR, and no Location or Set-Cookie in the header block.',
  'keepalive-desync': 'bytes of the backend between END_REQUEST and the next BEGIN_REQUEST on a kept connection.',
  'keepalive-idle-close-race':
    'a connection that has served requests before, idle for a while; FIN of the backend crosses the next BEGIN_REQUEST.',
  'keepalive-killed-by-terminate-timeout':
    'a kept connection that the backend ends after it was idle for exactly request_terminate_timeout.',
  'keepalive-max-requests': 'FIN of the backend after END_REQUEST on a kept connection, always after as many requests.',
  'keepalive-pins-worker': 'as many idle kept connections as there are workers, and new connections that get no byte.',
  'limit-extensions': 'Status 403 and that text on STDERR; look at SCRIPT_FILENAME.',
  'local-port-exhaustion': 'nothing for the request itself; before it, thousands of short connections to the backend.',
  'management-record-problems': 'GET_VALUES without a GET_VALUES_RESULT, or with one that cannot be read.',
  'missing-end-request-hang': 'STDOUT ends with its empty record, and then nothing: no END_REQUEST, no close.',
  'no-input-file-specified': 'a body "No input file specified."; look at SCRIPT_FILENAME.',
  'nonzero-app-status': 'END_REQUEST with an application status other than 0.',
  overloaded: 'END_REQUEST with protocol status 2, mostly as the only record of the answer.',
  'params-missing-core': 'PARAMS without REQUEST_METHOD or SCRIPT_FILENAME.',
  'params-too-large': 'no request at all; or, behind Apache, PARAMS without a header that the client sent.',
  'partial-request-pins-worker': 'BEGIN_REQUEST, or a part of PARAMS, and then nothing for long.',
  'peer-not-allowed': 'the backend ends each connection of one address within a millisecond, whatever is asked.',
  'php-fatal': '"PHP message: PHP Fatal error" on STDERR; status 500 and an empty body, or a body that breaks off.',
  'php-value-injection': 'PHP_VALUE or PHP_ADMIN_VALUE among the params.',
  'pool-exhausted':
    'many requests are open, and only as many as there are workers get bytes; each END_REQUEST lets one more begin.',
  'primary-script-unknown':
    'Status 404, "Primary script unknown" on STDERR, "File not found." as body; look at SCRIPT_FILENAME.',
  'rst-before-any-byte': 'the request is whole, then RST of the backend, and no byte came from it.',
  'script-filename-traversal': '"..", a backslash or an encoded character in SCRIPT_FILENAME or PATH_TRANSLATED.',
  'send-timeout':
    'STDIN stops in the middle: the backend’s receive window is 0, and the web server ends the connection.',
  'silent-after-accept': 'the connection is made, the request sent, and no byte comes, for any request.',
  'slow-script': 'the request is whole, no byte comes, and the web server ends the connection after its time limit.',
  'spawn-failed': 'no connection, or one that is accepted and closed at once.',
  'stall-mid-response': 'STDOUT begins, stops, and the web server ends the connection after its time limit.',
  'status-bad': 'a Status header that is empty, no number, out of range, or there twice.',
  'status-line-nph': 'STDOUT begins with "HTTP/1.".',
  'stderr-noise': 'STDERR records; what is in them decides whether anything is wrong.',
  'stdin-short': 'fewer bytes of STDIN than CONTENT_LENGTH says.',
  'tcp-backlog-full': 'connections that take 1, 3 or 7 seconds to be made and are fast from then on.',
  'terminate-timeout': 'RST of the backend after request_terminate_timeout and up to a second more, each time.',
  'too-many-headers': 'a hundred or more lines before the blank line.',
  'transfer-encoding-from-app': 'a Transfer-Encoding header in the response.',
  'truncated-record': 'the connection ends inside a record.',
  'unable-to-open-primary-script': 'Status 403 or 404 and that text on STDERR; look at SCRIPT_FILENAME.',
  'unix-backlog-full':
    'nothing for the request itself; other requests at that moment are open and wait for a first byte.',
  'unix-socket-missing': 'nothing: there is no connection.',
  'unix-socket-permission': 'nothing: there is no connection.',
  'unix-socket-stale': 'nothing: there is no connection.',
  'unknown-record-type': 'a record of the backend of a type other than STDOUT, STDERR and END_REQUEST.',
  'unknown-role': 'END_REQUEST with protocol status 3, or FIN, right after a BEGIN_REQUEST of role 2 or 3.',
  'upload-refused-by-web-server': 'nothing: the web server answers 413 and does not ask the backend.',
  'upload-too-large':
    'a warning of PHP on STDERR that names post_max_size’s limit, or that part of the form was dropped.',
  'version-mismatch': 'the backend’s first byte is not 1.',
  'web-server-aborts-response':
    'STDOUT flows, then RST of the web server in the middle, while its client is still there.',
  'wrong-request-id': 'records of the backend with another request id than BEGIN_REQUEST had.',
  'x-accel-redirect-missing': 'an X-Accel-Redirect header and no body.',
  'x-sendfile-missing': 'an X-Sendfile header and no body.',
};
