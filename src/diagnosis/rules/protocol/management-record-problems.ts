import type { Problem } from '../../../model/exchange.js';
import { defineRule } from '../../rule.js';

export const managementRecordProblems = defineRule({
  id: 'management-record-problems',
  severity: 'warning',
  title: 'Questions about the backend itself are not asked or answered as they should be',
  meaning:
    'A web server may ask a backend what it can do (GET_VALUES); such records belong to no request. Here the question was never answered, or one of the records carries a request’s number or came from the wrong side. HAProxy sends no request before it has its answer.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: ['Update the FastCGI library: it must answer GET_VALUES, and management records have the request id 0.'],
    libfcgi: ['2.4.2 does not answer GET_VALUES: do not let the web server ask.'],
    haproxy: ['Remove option get-values and option mpxs-conns from the fcgi-app section: it then asks nothing.'],
  },
  look: [
    'haproxy.cfg: option get-values, option mpxs-conns. HAProxy’s log: 502 or 504 without a request at the backend.',
    'Apache’s error log: AH01069 "Got bogus rid".',
  ],
  needs: ['problems'],
  absence: 'both',
  seen: ['HAProxy → libfcgi'],
  check({ records, problems }) {
    if (records.problems === 0 || records.gaps > 0) return null;
    const problem = problems.find(isManagement);
    if (problem === undefined) return null;
    if (problem.code === 'values-unanswered') {
      return {
        detail: `${problem.message}, and the connection ended without a request.`,
        severity: 'error',
      };
    }
    const from = problem.side === 'server' ? 'backend' : 'web server';
    return { detail: `At byte ${problem.offset} of what the ${from} sent: ${problem.message}.`, beside: true };
  },
});

function isManagement({ code, message }: Problem): boolean {
  if (code === 'management-with-request-id' || code === 'values-unanswered') return true;
  return code === 'wrong-direction' && /^(?:GET_VALUES|UNKNOWN_TYPE)/.test(message);
}
