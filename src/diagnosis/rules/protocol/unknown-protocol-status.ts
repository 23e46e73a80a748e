import { refusal } from '../../refusal.js';
import { defineRule } from '../../rule.js';

export const unknownProtocolStatus = defineRule({
  id: 'unknown-protocol-status',
  severity: 'error',
  title: 'The backend ended the request with a status that does not exist',
  meaning:
    'The end of a request carries one of four statuses: complete, and three reasons to refuse it. This is none of them: the application’s FastCGI library is at fault, or the bytes are out of place.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: [
      'Update the application’s FastCGI library; in one of your own, the eight bytes of END_REQUEST are appStatus (4), protocolStatus (1: 0), reserved (3).',
    ],
  },
  look: ['The Records tab, END_REQUEST: its bytes.'],
  needs: ['failure'],
  seen: [],
  check(exchange) {
    const { protocolStatus } = exchange;
    if (protocolStatus === null || !protocolStatus.startsWith('unknown-') || protocolStatus === 'unknown-role')
      return null;
    return refusal(exchange, `protocol status ${protocolStatus.slice('unknown-'.length)}`);
  },
});
