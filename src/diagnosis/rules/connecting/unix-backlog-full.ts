import { defineRule } from '../../rule.js';

export const unixBacklogFull = defineRule({
  id: 'unix-backlog-full',
  severity: 'error',
  title: 'The backend’s listen queue is full',
  meaning: 'The backend’s listen queue is full',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {},
  seen: [],
  check({ failure }) {
    if (failure?.reason !== 'backlog-full') return null;
    return {
      detail: `${failure.message} (${failure.errno}): more connections wait than the queue holds.`,
      advice: [
        'All workers are busy: look for slow requests in the list (o orders by total), then raise pm.max_children.',
        'Raise listen.backlog and net.core.somaxconn together (the smaller one counts) and restart.',
      ],
    };
  },
});
