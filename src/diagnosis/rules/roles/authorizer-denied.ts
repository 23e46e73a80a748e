import { defineRule } from '../../rule.js';

export const authorizerDenied = defineRule({
  id: 'authorizer-denied',
  severity: 'note',
  title: 'The authorizer refused the request',
  meaning:
    'The web server asked a program whether it may serve this request, and the answer was no. That is what an authorizer is for; with a status of 500 or above it is rather broken.',
  layer: 'remark',
  certainty: 'proven',
  remedies: {
    any: [
      'If the visitor should have been let in: compare the credentials in the params (REMOTE_USER, HTTP_AUTHORIZATION, HTTP_COOKIE) with what the authorizer expects.',
    ],
    lighttpd: ['it passes the authorizer’s whole answer on: status, headers and body.'],
    apache: [
      'mod_authnz_fcgi answers 401 whatever the authorizer said, unless it is told to be authoritative (FcgidAuthorizerAuthoritative for mod_fcgid).',
    ],
  },
  look: [
    'Apache: AH02515 (LogLevel debug) names the status; auth_basic: AH01617 "authentication failure". mod_fcgid: "script returned status N".',
  ],
  needs: ['role'],
  seen: ['lighttpd → libfcgi', 'Apache → libfcgi', 'lighttpd → test backend'],
  check({ role, outcome, response }) {
    if (role !== 'authorizer' || outcome !== 'completed' || !response?.complete) return null;
    const { status } = response;
    if (status === 200 || status === null) return null;
    return {
      detail: `Its answer has status ${status}.`,
      ...(status >= 500 ? { severity: 'warning' } : {}),
      evidence: [{ kind: 'header', name: 'Status' }],
    };
  },
});
