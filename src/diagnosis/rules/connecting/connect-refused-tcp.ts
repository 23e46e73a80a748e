import { formatEndpoint } from '../../../model/connection.js';
import { defineRule } from '../../rule.js';

export const connectRefusedTcp = defineRule({
  id: 'connect-refused-tcp',
  severity: 'error',
  title: 'Nothing listens at the backend’s address',
  meaning: 'Nothing listens at the backend’s address',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {},
  seen: [],
  check({ failure, server }) {
    if (failure?.reason !== 'refused' || server.kind !== 'tcp') return null;
    return {
      detail: `${failure.message} (${failure.errno}).`,
      advice: [
        `See who listens: ss -ltnp | grep ${server.port}. Nobody: start the backend (systemctl status php8.2-fpm) and read its own log.`,
        'PHP-FPM may listen on a Unix socket instead: look at "listen =" in the pool file and give --upstream the same address.',
        'In containers the backend must listen on 0.0.0.0 or [::], not on its own 127.0.0.1.',
        `The web server, without fcgi-inspect in between, needs the same address: nginx fastcgi_pass ${formatEndpoint(server)};`,
      ],
    };
  },
});
