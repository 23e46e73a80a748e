import { defineRule } from '../../rule.js';
import { pastWords } from './past-words.js';

export const unixSocketMissing = defineRule({
  id: 'unix-socket-missing',
  severity: 'error',
  title: 'The backend’s socket file does not exist',
  meaning:
    'The application is reached through a file, and there is no such file: the application is not running, or it made its file at another path, or it and the web server do not see the same file system.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: [
      'A service with PrivateTmp, a chroot or a container has a /tmp and /run of its own: put the socket into a directory that both share.',
    ],
    nginx: [
      'fastcgi_pass unix:/run/php/php8.2-fpm.sock; with the path that is there, and with the word unix: before it.',
    ],
    lighttpd: ['"socket" => "/run/php/php8.2-fpm.sock" in fastcgi.server, with the path that is there.'],
    apache: ['SetHandler "proxy:unix:/run/php/php8.2-fpm.sock|fcgi://localhost" with the path that is there.'],
    caddy: ['php_fastcgi unix//run/php/php8.2-fpm.sock with the path that is there (two slashes after unix).'],
    haproxy: ['server app unix@/run/php/php8.2-fpm.sock proto fcgi with the path that is there; mind its chroot.'],
    litespeed: ['The address of the external application: uds://run/php/php8.2-fpm.sock with the path that is there.'],
    h2o: ['fastcgi.connect: port: the path that is there, type: unix.'],
    'php-fpm': [
      'Start it: systemctl start php8.2-fpm (with the version at hand). Compare listen = in its pool file: the path often carries PHP’s version.',
    ],
    libfcgi: ['Start it on that path: spawn-fcgi -s /path/of/socket -- /path/of/program'],
  },
  look: ['grep -r "^listen" /etc/php/*/fpm/pool.d/', 'The web server’s error log: "No such file or directory".'],
  needs: ['failure'],
  seen: ['nginx → PHP-FPM'],
  check({ failure, server }, surroundings) {
    if (failure?.reason !== 'missing' || server.kind !== 'unix') return null;
    const socket = failure.errno === 'ENOENT';
    return {
      detail: `${failure.message} (${failure.errno}).${socket ? '' : ' There is a file, but it is no socket.'}${pastWords(surroundings)}`,
      advice: [
        server.path.startsWith('@')
          ? 'See which abstract sockets there are: ss -xl | grep @'
          : 'See which sockets there are: ls -l in the directory of the path, and ss -xl',
      ],
    };
  },
});
