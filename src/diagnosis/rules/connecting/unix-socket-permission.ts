import { defineRule } from '../../rule.js';

export const unixSocketPermission = defineRule({
  id: 'unix-socket-permission',
  severity: 'error',
  title: 'No permission to connect to the backend’s socket',
  meaning:
    'The socket file is there, but the user who connects may not write to it, or may not enter one of the directories above it.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: [
      'Every directory above the socket must let the user pass (the x bit): namei -l with the path shows all of them; chmod o+x the one that does not.',
      'When the mode bits look right, SELinux or AppArmor forbids it: ausearch -m avc -ts recent, journalctl -k | grep DENIED.',
    ],
    nginx: [
      'The user of the user directive must be in the group of the socket; restart nginx, a reload keeps the old groups.',
    ],
    lighttpd: ['The user of server.username must be in the group of the socket; restart lighttpd.'],
    apache: ['The user of the User directive (APACHE_RUN_USER) must be in the group of the socket; restart Apache.'],
    caddy: ['The user caddy must be in the group of the socket: usermod -aG www-data caddy; restart Caddy.'],
    haproxy: ['The user haproxy must be in the group of the socket: usermod -aG www-data haproxy; restart HAProxy.'],
    'php-fpm': [
      'In the pool file: listen.owner = www-data, listen.group = www-data (the web server’s own), listen.mode = 0660; then restart PHP-FPM.',
    ],
    libfcgi: ['spawn-fcgi -s PATH -U www-data -M 0660 -- program gives the socket an owner and a mode.'],
  },
  look: ['ls -l of the socket, and id of the web server’s user.', 'The web server’s error log: "Permission denied".'],
  needs: ['failure'],
  seen: ['a test client → a socket of another user'],
  check({ failure, server }) {
    if (failure?.reason !== 'denied' || server.kind !== 'unix') return null;
    return {
      detail: `${failure.message} (${failure.errno}). This is what fcgi-inspect’s own user may do; the web server’s user may have other rights.`,
    };
  },
});
