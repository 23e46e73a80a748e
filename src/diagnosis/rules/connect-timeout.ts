import { defineRule } from '../rule.js';

export const connectTimeout = defineRule({
  id: 'connect-timeout',
  severity: 'error',
  title: 'The backend’s address does not answer',
  about: 'end',
  check({ failure }) {
    if (failure === null || !['timed-out', 'unreachable', 'other'].includes(failure.reason)) return null;
    return {
      detail: `${failure.message} (${failure.errno}).`,
      advice: [
        'A firewall drops the packets, or the address is wrong (a container that was made anew has another one).',
        'nginx looks a name up once, at its start: reload it, or use a resolver with a variable.',
      ],
    };
  },
});
