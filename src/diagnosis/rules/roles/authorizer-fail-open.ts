import { defineRule } from '../../rule.js';

export const authorizerFailOpen = defineRule({
  id: 'authorizer-fail-open',
  severity: 'error',
  title: 'The authorizer gave no answer, and lighttpd takes that for "allowed"',
  meaning:
    'The web server asked a program whether it may serve this request, and the program ended without saying yes or no. lighttpd then serves the page as if it had said yes: whatever the authorizer was to protect is open. Apache answers 500.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: [
      'The authorizer has to print a Status line each time, also when it fails: "Status: 403 Forbidden", a blank line; and "Status: 200 OK" to allow.',
      'Let the program die rather than end in order when something is wrong: lighttpd answers 500 to a connection that breaks.',
      'A responder cannot be used as an authorizer: Go’s net/http/fcgi and others end such a request with UNKNOWN_ROLE, which opens everything.',
    ],
    lighttpd: [
      'until it is mended, take "mode" => "authorizer" out and protect the place otherwise (auth.require, or deny all).',
    ],
    apache: ['mod_authnz_fcgi refuses such an answer (AH02510, 500): nothing is open, but nobody gets in.'],
  },
  look: ['The STDERR tab, and the authorizer’s own log. Ask for the protected page without credentials: curl -i.'],
  absence: 'server',
  needs: ['role'],
  seen: ['lighttpd → test backend'],
  check({ role, outcome, response, streams, protocolStatus, appStatus }) {
    if (role !== 'authorizer' || (outcome !== 'completed' && outcome !== 'rejected')) return null;
    if (response?.complete || streams.stdout.missing > 0) return null;
    const said =
      streams.stdout.bytes > 0
        ? `${streams.stdout.bytes} bytes of STDOUT without the blank line that ends a header`
        : streams.stderr.bytes > 0
          ? 'only something on STDERR'
          : 'nothing';
    return {
      detail: `It sent ${said}, and END_REQUEST with protocol status ${protocolStatus}, app status ${appStatus}.`,
      evidence: [{ kind: 'bytes', stream: 'stdout', offset: 0, length: streams.stdout.bytes }],
    };
  },
});
