import type { Exchange } from '../../../model/exchange.js';
import { paramValue } from '../../../model/param-value.js';
import { visibleText } from '../../../model/visible-text.js';
import { headerValue } from '../../header-value.js';
import { MARK, paramMarks } from '../../param-marks.js';
import { webServerOf } from '../../products.js';
import { defineRule } from '../../rule.js';

export const remoteUserSpoof = defineRule({
  id: 'remote-user-spoof',
  severity: 'note',
  title: 'REMOTE_USER is what the client claims, and nobody checked it',
  meaning:
    'REMOTE_USER should be a user whose password the web server has checked. nginx and HAProxy fill it from any Basic Authorization header, even where they check nothing. An application that trusts REMOTE_USER then lets everybody in under any name.',
  layer: 'remark',
  certainty: 'allowed',
  remedies: {
    any: ['The application must not trust REMOTE_USER where the web server has no authentication of its own.'],
    nginx: ['fastcgi_param REMOTE_USER ""; where there is no auth_basic (Debian’s fastcgi.conf sends $remote_user).'],
    haproxy: ['http-request del-header authorization, where no http-request auth stands before it.'],
  },
  alternatives: [
    {
      cause: 'The web server does check the password, and the application wants another login beside it.',
      tell: 'auth_basic (nginx) or http-request auth (HAProxy) applies to this URL: curl -i -u x:y URL gets the web server’s own 401.',
    },
  ],
  look: ['curl -i -u nobody:wrong URL: does the application take the name?'],
  needs: ['marks'],
  seen: ['nginx → PHP-FPM'],
  check(exchange) {
    if ((paramMarks(exchange) & MARK.REMOTE_USER) === 0 || exchange.role !== 'responder') return null;
    const server = webServerOf(exchange);
    if (server !== 'nginx' && server !== 'haproxy') return null;
    const user = paramValue(exchange.params, 'REMOTE_USER') ?? '';
    const sign = oddity(exchange, user);
    if (sign === null) return null;
    return {
      detail: `REMOTE_USER is ${visibleText(user, 60)}, and ${sign.text}.`,
      severity: sign.grave ? 'warning' : 'note',
      evidence: [{ kind: 'param', name: 'REMOTE_USER' }],
    };
  },
});

/** A name alone is what every site with a login has. What no checked name has: no password, or an application that asks for one still. */
function oddity(exchange: Exchange, user: string): { readonly text: string; readonly grave: boolean } | null {
  const authorization = paramValue(exchange.params, 'HTTP_AUTHORIZATION');
  const credentials = authorization === null ? null : decodedBasic(authorization);
  if (credentials === `${user}:`) return { text: 'the client sent no password with it', grave: true };
  // Without the header the application asks because it did not get it, which authorization-missing tells.
  if (authorization !== null && exchange.response?.status === 401 && headerValue(exchange, 'www-authenticate') !== null)
    return { text: 'the application answers 401: it still asks for the login itself', grave: false };
  return null;
}

/** `user:password` of a Basic Authorization header, null when it is none. Latin-1: only compared. */
function decodedBasic(authorization: string): string | null {
  const encoded = /^basic\s+([A-Za-z0-9+/=]{1,1024})\s*$/i.exec(authorization)?.[1];
  if (encoded === undefined) return null;
  try {
    return atob(encoded);
  } catch {
    return null;
  }
}
