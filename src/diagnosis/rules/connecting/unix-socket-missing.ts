import { defineRule } from '../../rule.js';

export const unixSocketMissing = defineRule({
  id: 'unix-socket-missing',
  severity: 'error',
  title: 'The backend’s socket file does not exist',
  meaning: 'The backend’s socket file does not exist',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {},
  seen: [],
  check({ failure, server }) {
    if (failure?.reason !== 'missing' || server.kind !== 'unix') return null;
    return {
      detail: `${failure.message} (${failure.errno}).`,
      advice: [
        'The path often carries a version: ls -l /run/php/ and compare with "listen =" in the pool file.',
        'The backend is not running: systemctl status php8.2-fpm.',
        'A service with PrivateTmp or a chroot has another /tmp: put the socket under /run.',
      ],
    };
  },
});
