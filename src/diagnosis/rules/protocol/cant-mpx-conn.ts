import { refusal } from '../../refusal.js';
import { defineRule } from '../../rule.js';

export const cantMpxConn = defineRule({
  id: 'cant-mpx-conn',
  severity: 'error',
  title: 'The backend does not take several requests at once on one connection',
  meaning:
    'The web server began a request on a connection on which another one was still open. The backend serves one at a time there and refused the new one.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    haproxy: ['Remove option mpxs-conns from the fcgi-app section (no option mpxs-conns), and reload.'],
    libfcgi: ['It serves one request at a time on a connection; more processes serve more.'],
    any: ['Let the web server open a connection for each request that is under way: do not switch multiplexing on.'],
  },
  look: ['haproxy.cfg: option mpxs-conns. The other request on this connection: filter by the connection’s number.'],
  needs: ['failure'],
  seen: ['test client → libfcgi'],
  check(exchange) {
    return exchange.protocolStatus === 'cant-mpx-conn' ? refusal(exchange, 'CANT_MPX_CONN') : null;
  },
});
