import { formatDuration } from '../../../model/quantity.js';
import { seenWhole } from '../../blind-spots.js';
import { defineRule } from '../../rule.js';
import { ageAtDeath, causesOfClose, isSilent } from './death-words.js';

/** What is left when nothing tells why: a rule that knows the cause takes its place. */
export const eofBeforeAnyByte = defineRule({
  id: 'eof-before-any-byte',
  severity: 'error',
  title: 'The backend closed the connection without an answer',
  meaning:
    'The application read the request and then closed the connection in order (FIN), without a byte and without saying that the request is over. Mostly the program has ended itself.',
  layer: 'consequence',
  certainty: 'allowed',
  remedies: {
    any: [
      'Read what the program said last: its standard error goes to the service manager once it is gone, and not over FastCGI.',
      'Let something start it again when it ends: Restart=always in its systemd unit.',
    ],
    nginx: [
      'fastcgi_next_upstream error with a second server in the upstream block hides single deaths from visitors who only read.',
    ],
    lighttpd: [
      'It logs "unexpected end-of-file (perhaps the fastcgi process died)" for this and answers 500: the backend is what needs care.',
    ],
    apache: [
      'It logs AH01067 and "(70014)End of file found" and answers 503; mod_fcgid: FcgidMaxRequestsPerProcess, not above the program’s own limit.',
    ],
    caddy: ['It logs EOF and answers 502: the backend is what needs care.'],
    haproxy: ['retry-on empty-response in the backend hides single deaths from visitors who only read.'],
    iis: ['instanceMaxRequests, not above PHP_FCGI_MAX_REQUESTS.'],
    php: [
      'php-cgi ends after PHP_FCGI_MAX_REQUESTS (500) requests: PHP_FCGI_CHILDREN=4 lets a parent replace its children.',
    ],
    libfcgi: [
      'Answer and call FCGX_Finish_r (or FCGI_Accept again) on every way out: exit() inside the accept loop loses the request.',
      'It closes without a word on a role that it does not know: is the web server’s mode (responder, authorizer) right?',
    ],
  },
  alternatives: causesOfClose(Number.POSITIVE_INFINITY),
  look: [
    'journalctl -u of the backend’s service, at that moment.',
    'The web server’s error log: "upstream prematurely closed connection", "unexpected end-of-file", "End of file found".',
  ],
  needs: ['failure'],
  absence: 'server',
  seen: ['nginx → libfcgi'],
  check(exchange) {
    const { outcome, streams, precedingRequests } = exchange;
    if (outcome !== 'backend-closed' || !isSilent(exchange)) return null;
    const age = ageAtDeath(exchange);
    const kept = precedingRequests > 0 ? ` It was request ${precedingRequests + 1} on this connection.` : '';
    const words = streams.stderr.bytes > 0 ? ' Its last words are in STDERR.' : '';
    const reading =
      streams.stdin.ended || !seenWhole(exchange, 'client') ? '' : ' The request had not been sent to its end.';
    return {
      detail: `The close (FIN) came ${formatDuration(age)} after the request began, without a byte of STDOUT.${kept}${words}${reading}`,
      alternatives: causesOfClose(age),
      evidence: [{ kind: 'time', milliseconds: age }],
    };
  },
});
