import { milliseconds } from '../../../model/time.js';
import { defineRule } from '../../rule.js';

export const rstBeforeAnyByte = defineRule({
  id: 'rst-before-any-byte',
  severity: 'error',
  title: 'The backend reset the connection without an answer',
  meaning: 'The backend reset the connection without an answer',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {},
  seen: [],
  check({ outcome, streams, times, connectionEnd, script }) {
    if (outcome !== 'backend-reset' || streams.stdout.bytes + streams.stdout.missing > 0) return null;
    const after = milliseconds(times.begin, connectionEnd?.at ?? null);
    return {
      detail: `The reset came ${after ?? '?'} ms after the request began; not one byte of STDOUT had come${script ? ` (${script})` : ''}.`,
      advice: [
        'PHP-FPM’s log says whether a worker was killed: "child N exited on signal 9 (SIGKILL)" or 11 (SIGSEGV).',
        'Signal 9: the OOM killer (dmesg | grep -i kill). Signal 11: a crashing extension; bisect them, try opcache.jit=0.',
        'Always after the same time: request_terminate_timeout of the pool.',
        'At once, for every connection from this address: listen.allowed_clients of the pool.',
      ],
    };
  },
});
