import { defineRule } from '../../rule.js';

export const unixSocketPermission = defineRule({
  id: 'unix-socket-permission',
  severity: 'error',
  title: 'No permission to connect to the backend’s socket',
  meaning: 'No permission to connect to the backend’s socket',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {},
  seen: [],
  check({ failure, server }) {
    if (failure?.reason !== 'denied' || server.kind !== 'unix') return null;
    return {
      detail: `${failure.message} (${failure.errno}). This is what fcgi-inspect’s own user may do; the web server’s user may have other rights.`,
      advice: [
        'PHP-FPM pool file: listen.owner, listen.group and listen.mode = 0660, with the web server’s user in that group; restart both.',
        'Every directory above the socket needs the x bit: namei -l PATH.',
        'Mode bits look right: SELinux or AppArmor, see the audit log.',
      ],
    };
  },
});
