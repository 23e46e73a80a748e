import { formatEndpoint } from '../../../model/connection.js';
import { defineRule } from '../../rule.js';
import { isNameFailure } from './backend-name-unknown.js';

export const connectTimeout = defineRule({
  id: 'connect-timeout',
  severity: 'error',
  title: 'The backend’s address does not answer',
  meaning: 'The backend’s address does not answer',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {},
  seen: [],
  check({ failure, server }) {
    if (failure?.reason !== 'timed-out' && failure?.reason !== 'unreachable') return null;
    if (isNameFailure(failure)) return null;
    return {
      detail: `${failure.message} (${failure.errno}).`,
      advice: [
        `A firewall drops the packets, or the address is wrong (a container that was made anew has another one): try nc -vz from this machine to ${formatEndpoint(server)}.`,
        'The backend’s listen queue may be full, when some connections do get through: ss -ltn there shows Recv-Q above Send-Q.',
        'nginx looks a name up once, at its start: reload it, or use a resolver with a variable.',
      ],
    };
  },
});
