import type { Problem } from '../../../model/exchange.js';
import { defineRule } from '../../rule.js';

export const managementRecordProblems = defineRule({
  id: 'management-record-problems',
  severity: 'warning',
  title: 'Questions about the backend itself are not asked or answered as they should be',
  meaning:
    'Beside requests, a web server may ask a backend what it can do (GET_VALUES); such records belong to no request. Here one of them carries a request’s number, or was sent by the wrong side; whoever is strict about that ends the connection.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: ['Update the FastCGI library of the one that sends it: management records have the request id 0.'],
    haproxy: ['Remove option get-values and option mpxs-conns from the fcgi-app section: it then asks nothing.'],
  },
  look: ['The Records tab: the record with the mark. Apache’s error log: AH01069 "Got bogus rid".'],
  seen: [],
  check(exchange) {
    const { records, problems } = exchange;
    if (records.problems === 0 || records.gaps > 0) return null;
    const problem = problems.find(isManagement);
    if (problem === undefined) return null;
    const from = problem.side === 'server' ? 'backend' : 'web server';
    return { detail: `At byte ${problem.offset} of what the ${from} sent: ${problem.message}.` };
  },
});

function isManagement({ code, message }: Problem): boolean {
  if (code === 'management-with-request-id') return true;
  return code === 'wrong-direction' && /^(?:GET_VALUES|UNKNOWN_TYPE)/.test(message);
}
