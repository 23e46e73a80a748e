import { defineRule } from '../../rule.js';
import { pastWords } from './past-words.js';

export const unixSocketStale = defineRule({
  id: 'unix-socket-stale',
  severity: 'error',
  title: 'The backend’s socket file is there, but nobody listens on it',
  meaning:
    'The application that made this file has ended without removing it. The file alone is of no use: connections to it are refused.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: [
      'Start the backend again; one that does not replace the file needs it removed first.',
      'Let the service manager start it again whenever it ends: Restart=on-failure in its systemd unit.',
      'When two services have the same path, give each a path of its own.',
    ],
    'php-fpm': [
      'systemctl restart php8.2-fpm (with the version at hand); it replaces the file. Its log says why it ended.',
    ],
    php: [
      'php-cgi started with spawn-fcgi ends after PHP_FCGI_MAX_REQUESTS requests: set PHP_FCGI_CHILDREN to 1 or more.',
    ],
    libfcgi: ['spawn-fcgi starts a program once and does not watch it: run it under systemd or multiwatch.'],
    lighttpd: ['Let lighttpd start the program itself: "bin-path" and "socket" in fastcgi.server.'],
  },
  look: [
    'PHP-FPM’s log: "Another FPM instance seems to already listen on", "exiting, bye-bye!"',
    'journalctl -u of the backend’s service: why it ended.',
    'The web server’s error log: "Connection refused" with the path of the socket.',
  ],
  needs: ['failure'],
  seen: ['nginx → a socket without a listener'],
  check({ failure, server }, surroundings) {
    if (failure?.reason !== 'refused' || server.kind !== 'unix') return null;
    return {
      detail: `${failure.message} (${failure.errno}).${pastWords(surroundings)}`,
      advice: ['See whether anybody listens on the path: ss -xlp'],
    };
  },
});
