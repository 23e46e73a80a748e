import { defineRule } from '../../rule.js';

export const unixSocketStale = defineRule({
  id: 'unix-socket-stale',
  severity: 'error',
  title: 'The backend’s socket file is there, but nobody listens on it',
  meaning: 'The backend’s socket file is there, but nobody listens on it',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {},
  seen: [],
  check({ failure, server }) {
    if (failure?.reason !== 'refused' || server.kind !== 'unix') return null;
    return {
      detail: `${failure.message} (${failure.errno}).`,
      advice: [
        'The backend died and left the file behind: restart it.',
        'Two services may fight for one path: compare their "listen =" lines.',
      ],
    };
  },
});
