import { defineRule } from '../../rule.js';

export const recordsAfterEnd = defineRule({
  id: 'records-after-end',
  severity: 'note',
  title: 'The backend sent more after the end of the request',
  meaning:
    'The application had said that the request is done, and sent more for it. The connection is closed after each request here, so nobody sees that; on a kept one the next request would get what is left over.',
  layer: 'consequence',
  certainty: 'proven',
  remedies: {
    any: [
      'Update the application’s FastCGI library; in one of your own, send END_REQUEST last and once. Keep no connections until then.',
    ],
  },
  look: ['The Records tab: what follows END_REQUEST.'],
  needs: ['problems'],
  absence: 'both',
  seen: [],
  check({ records, problems, protocolStatus, keepConnection }) {
    // After a request that was given up a late answer is no fault, and on a kept connection it is one of the connection’s.
    if (records.problems === 0 || protocolStatus === null || keepConnection === true) return null;
    const problem = problems.find(({ code, side }) => code === 'after-end-request' && side === 'server');
    return problem === undefined ? null : { detail: `${problem.message}. Web servers do not read it.` };
  },
});
