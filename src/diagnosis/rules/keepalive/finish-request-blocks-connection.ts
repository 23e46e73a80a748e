import { formatDuration } from '../../../model/quantity.js';
import { milliseconds } from '../../../model/time.js';
import { defineRule } from '../../rule.js';

/** Shorter waits have many reasons, milliseconds. */
const LONG = 500;
/** So many times the usual is not usual any more. */
const UNUSUAL = 4;

export const finishRequestBlocksConnection = defineRule({
  id: 'finish-request-blocks-connection',
  severity: 'note',
  title: 'A request on a kept connection waited for what the one before it left to do',
  meaning:
    'An application may answer early and go on working (fastcgi_finish_request(), shutdown functions). Its worker is busy meanwhile, and a next request on the same connection waits for it, though other workers are free.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: ['Give long work that follows an answer to a queue and a worker of its own.'],
    nginx: ['fastcgi_keep_conn off; for the locations whose scripts go on working after their answer.'],
    apache: ['ProxyPass … disablereuse=on for such scripts.'],
    haproxy: ['no option keep-conn in the fcgi-app section, or http-reuse never in the backend, for such scripts.'],
    php: ['Let what runs after fastcgi_finish_request() be short.'],
  },
  alternatives: [
    {
      cause: 'The script itself was slow this time.',
      tell: 'PHP-FPM’s slowlog (request_slowlog_timeout = 1s) names the script that was running.',
    },
  ],
  look: ['The request before it on the same connection: which script is it, and what does it do after its answer?'],
  needs: ['surroundings'],
  absence: 'server',
  seen: ['nginx → PHP-FPM'],
  check({ precedingRequests, times }, surroundings) {
    if (surroundings === null || precedingRequests === 0) return null;
    const { idleBefore, usualWait, openBeside } = surroundings;
    const waited = milliseconds(times.begin, times.firstStdout);
    if (waited === null || waited < LONG || idleBefore === null || openBeside > 0) return null;
    if (usualWait === null || waited < UNUSUAL * usualWait || idleBefore >= waited) return null;
    return {
      detail: `It began ${formatDuration(idleBefore)} after the end of the request before it on this connection and waited ${formatDuration(waited)} for its first byte; others for the same path waited ${formatDuration(usualWait)}.`,
      evidence: [{ kind: 'time', milliseconds: waited }],
    };
  },
});
