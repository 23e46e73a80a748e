import type { Problem } from '../../../model/exchange.js';
import { isLostByGap } from '../../blind-spots.js';
import { defineRule } from '../../rule.js';

/** More bytes than a record can have of padding are no forgotten padding (specification section 3.3). */
const MAX_PADDING = 255;

export const paddingOrLengthError = defineRule({
  id: 'padding-or-length-error',
  severity: 'error',
  title: 'The lengths that records announce are not those of what follows',
  meaning:
    'Each record says how many bytes of content and of padding follow, and the next record must begin right after them. Here something else stands there, so whoever reads it is lost: it takes content for a header, or waits for bytes that never come.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'Update the FastCGI library of the one that sends it. In one of your own: send as many bytes of padding as paddingLength says, none when it says 0, and cut content above 65535 bytes into several records.',
      'Let nothing but the library write to the connection: a printf to file descriptor 0 or 1 of a FastCGI process gets between the records.',
    ],
    'php-fpm': [
      'Closes the connection when content and padding of a PARAMS record are more than 65535 bytes together.',
    ],
  },
  alternatives: [
    {
      cause: 'Padding is announced and not sent, or sent and not announced.',
      tell: 'The bytes passed over are fewer than 256, often fewer than 8.',
    },
    {
      cause: 'The content is longer than 65535 bytes and its length was cut to 16 bits.',
      tell: 'It happens with large pages only.',
    },
    {
      cause: 'Something else writes to the same connection (a print in the program, a second process).',
      tell: 'The bytes passed over are readable text.',
    },
  ],
  look: [
    'nginx’s error log: "upstream sent unsupported FastCGI protocol version"; Apache’s: AH01068 "Got bogus version"; Caddy’s: "fcgi: invalid header version".',
    'The Records tab: the record before the marked bytes, its content and padding lengths.',
  ],
  needs: ['problems'],
  seen: [],
  check(exchange) {
    const { records, problems, role } = exchange;
    // Framing that a gap in the capture broke is nobody’s fault, and neither is what began before we looked.
    if (records.problems === 0 || records.gaps > 0 || role === 'unknown') return null;
    const problem = problems.find(isShifted);
    if (problem === undefined || problems.some(({ code }) => code === 'midstream-start')) return null;
    const from = problem.side === 'server' ? 'backend' : 'web server';
    const few = problem.code === 'lost-framing' && problem.length <= MAX_PADDING;
    return {
      detail: `At byte ${problem.offset} of what the ${from} sent: ${problem.message}.${few ? ` So few bytes look like padding (${problem.length}).` : ''}`,
    };
  },
});

function isShifted(problem: Problem): boolean {
  const { code } = problem;
  return code === 'bad-body-length' || (code === 'lost-framing' && !isLostByGap(problem));
}
