import { paramValue } from '../../../model/param-value.js';
import { headerValue } from '../../header-value.js';
import { webServerOf } from '../../products.js';
import { defineRule } from '../../rule.js';

export const authorizationMissing = defineRule({
  id: 'authorization-missing',
  severity: 'note',
  title: 'The application asks for a login, and the web server keeps the Authorization header to itself',
  meaning:
    'The application answers 401 because it sees no Authorization header. Apache and HAProxy do not pass that header on unless they are told to: then logging in never works, whatever the password.',
  layer: 'remark',
  certainty: 'allowed',
  remedies: {
    apache: [
      'CGIPassAuth On in the <Directory> or <Location>; or SetEnvIf Authorization "(.+)" HTTP_AUTHORIZATION=$1. mod_fcgid: FcgidPassHeader Authorization.',
    ],
    haproxy: ['pass-header authorization in the fcgi-app section.'],
  },
  alternatives: [
    {
      cause: 'The client has not sent one yet: the first answer to a browser is always 401.',
      tell: 'curl -i -u user:password URL gets 401 too when the header is lost.',
    },
  ],
  needs: ['status'],
  absence: 'client',
  seen: ['Apache mod_proxy_fcgi → PHP-FPM', 'HAProxy → PHP-FPM'],
  check(exchange) {
    if (exchange.response?.status !== 401 || !exchange.paramsComplete || exchange.role !== 'responder') return null;
    const { params } = exchange;
    if (paramValue(params, 'HTTP_AUTHORIZATION') !== null || headerValue(exchange, 'www-authenticate') === null)
      return null;
    if (paramValue(params, 'REDIRECT_HTTP_AUTHORIZATION'))
      return {
        detail: 'The header came under the name REDIRECT_HTTP_AUTHORIZATION, which applications do not look for.',
        certainty: 'proven',
        severity: 'warning',
        advice: [
          'Apache: a rewrite renamed it. Use CGIPassAuth On in place of RewriteRule … [E=HTTP_AUTHORIZATION:…].',
        ],
        evidence: [{ kind: 'param', name: 'REDIRECT_HTTP_AUTHORIZATION' }],
      };
    const server = webServerOf(exchange);
    // HAProxy makes REMOTE_USER out of the header, and then leaves the header out.
    if (server === 'haproxy' && paramValue(params, 'REMOTE_USER'))
      return {
        detail: 'REMOTE_USER shows that the client sent an Authorization header; HTTP_AUTHORIZATION is not there.',
        certainty: 'proven',
        severity: 'warning',
        evidence: [{ kind: 'param', name: 'REMOTE_USER' }],
      };
    if (server !== 'apache' && server !== 'haproxy') return null;
    return {
      detail: 'Status 401 with a WWW-Authenticate header, and the request has no HTTP_AUTHORIZATION.',
      evidence: [{ kind: 'header', name: 'WWW-Authenticate' }],
    };
  },
});
