import type { ProblemCode } from '../../../model/exchange.js';
import { defineRule } from '../../rule.js';

export const requestRecordGarbage = defineRule({
  id: 'request-record-garbage',
  severity: 'warning',
  title: 'The web server’s records come in an order that FastCGI does not know',
  meaning:
    'A request begins with BEGIN_REQUEST, then come PARAMS and an empty one, then STDIN and an empty one, all with the same request id above 0. This one did not. Backends ignore, misread or drop such requests: PHP-FPM answers some of them with an empty page.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: [
      'No common web server does this: look for a FastCGI client, health check, test tool or proxy of one’s own, and mend the order of its records.',
    ],
  },
  look: [
    'The Timeline and Records tabs show the records in their order; the address of the client tells whose they are: ss -tnp.',
  ],
  absence: 'both',
  needs: ['problems'],
  seen: ['test client → PHP-FPM'],
  check({ records, problems, role, outcome }) {
    if (records.problems === 0 || records.gaps > 0 || role === 'unknown') return null;
    const problem = problems.find(({ code, side }) => side === 'client' && GARBAGE.has(code));
    if (problem === undefined) return null;
    const harm = outcome !== 'completed';
    return {
      detail: problem.message,
      ...(harm ? { severity: 'error' } : { beside: true }),
    };
  },
});

const GARBAGE: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  'data-before-params-end',
  'data-without-filter',
  'duplicate-begin-request',
  'no-begin-request',
  'null-request-id',
  'wrong-direction',
  'after-end-of-stream',
  'unknown-record-type',
  'params-cut',
]);
