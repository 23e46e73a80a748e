import { seenWhole } from '../../blind-spots.js';
import { refusal } from '../../refusal.js';
import { defineRule } from '../../rule.js';

export const unknownRole = defineRule({
  id: 'unknown-role',
  severity: 'error',
  title: 'The backend does not know the role it was asked to play',
  meaning:
    'A web server asks an application to answer a request (responder), to decide who may (authorizer), or to change a file (filter). This application cannot do what it was asked for.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: ['Send the application what it is made for, mostly the role responder.'],
    lighttpd: [
      'Remove "mode" => "authorizer" from this entry of fastcgi.server, or point it at an application that is one.',
    ],
    apache: ['AuthnzFcgiDefineProvider (mod_authnz_fcgi) and FcgidAuthorizer (mod_fcgid) must name an authorizer.'],
    'php-fpm': ['Takes every request for a responder’s, and closes the connection for a role that does not exist.'],
    libfcgi: ['Look at FCGX_IsCGI and at envp’s FCGI_ROLE in the application.'],
  },
  look: ['The Records tab, BEGIN_REQUEST: which role was asked for.'],
  needs: ['failure'],
  seen: ['test client → libfcgi', 'test client → PHP-FPM'],
  check(exchange) {
    const { protocolStatus, role, outcome, streams } = exchange;
    if (protocolStatus === 'unknown-role') return refusal(exchange, 'UNKNOWN_ROLE');
    if (outcome !== 'backend-closed' && outcome !== 'backend-reset') return null;
    // The specification’s three are known to everybody; what another number means is nobody’s knowledge.
    if (!role.startsWith('unknown-') || streams.stdout.bytes > 0 || !seenWhole(exchange, 'server')) return null;
    return {
      detail: `BEGIN_REQUEST asks for the role ${role.slice('unknown-'.length)}, which does not exist (1 to 3 do); the backend ended the connection.`,
      evidence: [{ kind: 'record', record: 0 }],
    };
  },
});
