import { webServerOf } from '../../products.js';
import { defineRule } from '../../rule.js';

export const nonzeroAppStatus = defineRule({
  id: 'nonzero-app-status',
  severity: 'note',
  title: 'The application ended the request with an exit status',
  meaning:
    'At the end of a request an application may say a number, like the exit status of a program; 0 means success. Only LiteSpeed takes notice: it answers 500. All others ignore it.',
  layer: 'consequence',
  certainty: 'allowed',
  remedies: {
    any: ['Look up what the number means in the application; for a CGI program behind a wrapper it is its exit code.'],
    libfcgi: [
      'FCGI_SetExitStatus keeps its value for all later requests of the process: set it to 0 at the beginning of each.',
    ],
    litespeed: ['Let the application end with 0, or it is a 500.'],
  },
  alternatives: [
    { cause: 'This very request failed.', tell: 'The page, STDERR or the application’s log says so.' },
    {
      cause: 'An earlier request of the same process set it (libfcgi).',
      tell: 'All later requests carry the same number, whatever they are.',
    },
  ],
  look: ['The application’s log; LiteSpeed’s error log: "FcgiConnection::endOfRequest".'],
  needs: ['status'],
  seen: [
    'nginx → libfcgi',
    'lighttpd → libfcgi',
    'Apache mod_proxy_fcgi → libfcgi',
    'Caddy → libfcgi',
    'HAProxy → libfcgi',
  ],
  check(exchange) {
    const { appStatus, outcome, records } = exchange;
    if (appStatus === null || appStatus === 0 || outcome !== 'completed') return null;
    return {
      detail: `END_REQUEST carries the app status ${appStatus}.`,
      severity: webServerOf(exchange) === 'litespeed' ? 'error' : 'note',
      evidence: [{ kind: 'record', record: records.total - 1 }],
    };
  },
});
