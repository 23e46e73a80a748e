import type { ConnectFailure } from '../../../model/connection.js';
import { defineRule } from '../../rule.js';

/** The resolver's own error codes: getaddrinfo's, and ENOTFOUND, which stands for several of them. */
export function isNameFailure(failure: ConnectFailure): boolean {
  return failure.errno === 'ENOTFOUND' || failure.errno === 'ENODATA' || failure.errno.startsWith('EAI_');
}

/**
 * No packet was sent: the name given to --upstream led to no address. Web servers look names up when they start and then refuse to, so
 * that this state has no message of theirs that its id could follow.
 */
export const backendNameUnknown = defineRule({
  id: 'backend-name-unknown',
  severity: 'error',
  title: 'The backend’s name has no address',
  meaning: 'The backend was given by a name, and no address could be found for that name. Nothing was sent to anybody.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: [
      'Names of containers are known on their own network only: run fcgi-inspect on it, or give --upstream the published port.',
      'An address in place of the name needs no lookup at all.',
    ],
  },
  look: ['/etc/hosts, /etc/resolv.conf and the hosts line of /etc/nsswitch.conf on this machine.'],
  needs: ['failure'],
  seen: ['a test client → a name that nobody has'],
  check({ failure, server }) {
    if (failure === null || server.kind !== 'tcp' || !isNameFailure(failure)) return null;
    const temporary = failure.errno === 'EAI_AGAIN';
    return {
      detail: `${failure.message} (${failure.errno}).`,
      advice: [
        ...(temporary ? ['The name server did not answer: see /etc/resolv.conf, and whether it can be reached.'] : []),
        `Look it up on this machine: getent hosts ${server.host}. A spelling mistake, or a name that only another network knows?`,
      ],
    };
  },
});
