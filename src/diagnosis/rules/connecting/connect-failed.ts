import { defineRule } from '../../rule.js';

const DENIED = [
  'A local rule forbids the connection: look at the output chain (nft list ruleset, iptables -L OUTPUT).',
  'SELinux or AppArmor: ausearch -m avc -ts recent, or journalctl -k | grep DENIED; setsebool -P httpd_can_network_connect on allows it.',
];

/** What no rule before it has a name for: the system's own words, and how to see the same without us. Asked last of the connect rules. */
export const connectFailed = defineRule({
  id: 'connect-failed',
  severity: 'error',
  title: 'The connection to the backend could not be made',
  meaning:
    'The operating system refused to make the connection, for a reason that is seldom met. Its own words are given.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {},
  look: ['man 2 connect says what the system’s name for it stands for.'],
  needs: ['failure'],
  seen: [],
  check({ failure, server }) {
    if (failure === null) return null;
    const tool = server.kind === 'tcp' ? `nc -vz ${server.host} ${server.port}` : 'nc -U with the path';
    return {
      detail: `${failure.message} (${failure.errno}).`,
      advice: [
        ...(failure.reason === 'denied' ? DENIED : []),
        ...(failure.errno === 'EPROTOTYPE' ? ['The socket is no stream socket: another service has that path.'] : []),
        `Try the same by hand, on this machine and as the same user: ${tool}`,
      ],
    };
  },
});
