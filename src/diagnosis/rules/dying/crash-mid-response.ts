import { formatBytes } from '../../../model/quantity.js';
import { defineRule } from '../../rule.js';

export const crashMidResponse = defineRule({
  id: 'crash-mid-response',
  severity: 'error',
  title: 'The backend died in the middle of its response',
  meaning: 'The backend died in the middle of its response',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {},
  seen: [],
  check({ outcome, streams, connectionEnd, problems }) {
    if (outcome !== 'backend-reset' && outcome !== 'backend-closed') return null;
    // A record header that announced content is a beginning too, though none of the content was seen.
    if (streams.stdout.bytes + streams.stdout.missing === 0) return null;
    const how = outcome === 'backend-reset' ? 'reset' : 'closed';
    const cut = problems.some(({ code }) => code === 'truncated-record') ? ', inside a record' : '';
    return {
      detail: `It ${how} the connection after ${connectionEnd?.afterRecord ?? 'its last record'}${cut}: ${formatBytes(streams.stdout.bytes)} of STDOUT had come, END_REQUEST had not.`,
      advice: [
        'PHP-FPM’s log names the worker and the signal: "child N exited on signal 9 (SIGKILL)" (memory), 11 (SIGSEGV: an extension), 15 (request_terminate_timeout).',
        'nginx and lighttpd pass such a page on as if it were whole when the backend closes in order: do not trust the 200.',
      ],
    };
  },
});
