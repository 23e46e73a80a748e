import { milliseconds } from '../../../model/time.js';
import { defineRule } from '../../rule.js';

export const clientAbort = defineRule({
  id: 'client-abort',
  severity: 'warning',
  title: 'The web server ended the request before its answer was complete',
  meaning: 'The web server ended the request before its answer was complete',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {},
  seen: [],
  check({ outcome, times, connectionEnd, abortSeen }) {
    if (outcome !== 'web-server-closed' && outcome !== 'web-server-reset' && outcome !== 'aborted') return null;
    const after = milliseconds(times.begin, connectionEnd?.at ?? times.end);
    const what = abortSeen
      ? 'sent ABORT_REQUEST'
      : outcome === 'web-server-reset'
        ? 'reset the connection'
        : 'closed the connection';
    return {
      detail: `It ${what} ${after ?? '?'} ms after the request began.`,
      advice: [
        'Close to 60 s (nginx, Apache), 30 s (h2o) or another round figure: the web server’s read timeout; make the script faster or raise it (nginx fastcgi_read_timeout).',
        'At any other time: its own client went away (nginx logs 499). fastcgi_ignore_client_abort on lets the work finish.',
        'In the middle of a large answer: the disk of fastcgi_temp_path is full or not writable.',
      ],
    };
  },
});
