import { defineRule } from '../../rule.js';

export const endWithoutHeader = defineRule({
  id: 'end-without-header',
  severity: 'error',
  title: 'The request ended without a response',
  meaning: 'The request ended without a response',
  layer: 'consequence',
  certainty: 'allowed',
  remedies: {},
  seen: [],
  check({ outcome, streams, role, protocolStatus }) {
    if (
      outcome !== 'completed' ||
      streams.stdout.bytes > 0 ||
      streams.stdout.missing > 0 ||
      protocolStatus !== 'request-complete'
    )
      return null;
    const open = role === 'authorizer' ? ' lighttpd takes this for "allowed".' : '';
    return {
      detail: `END_REQUEST says that all is well, but no byte of STDOUT came.${open}`,
      advice: [
        'The application ended the request without printing a header (die or exit in its loop): read the STDERR tab and its log.',
        'nginx calls this "upstream sent unexpected FastCGI record: 3" or "upstream prematurely closed FastCGI stdout".',
      ],
    };
  },
});
