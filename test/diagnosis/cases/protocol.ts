import type { Exchange, Problem, ProblemCode } from '../../../src/model/exchange.js';
import type { ExchangeOptions } from '../../support/exchange-fixture.js';

export function problem(code: ProblemCode, message: string, more: Partial<Problem> = {}): Problem {
  return { code, side: 'server', at: 0, offset: 64, length: 16, message, ...more };
}

/** A request on which something was remarked. */
export function remarked(
  one: Problem,
  override: Partial<Exchange> = {},
  options: ExchangeOptions = {},
): ExchangeOptions {
  return { ...options, override: { problems: [one], ...override } };
}

/** Something was remarked, and bytes are missing in the capture. */
const lossy = (one: Problem): ExchangeOptions =>
  remarked(one, { records: { total: 8, gaps: 1, problems: 1 }, outcome: 'completed' });

const rejected = (protocolStatus: string, override: Partial<Exchange> = {}): ExchangeOptions => ({
  outcome: 'rejected',
  stdout: '',
  override: { protocolStatus, ...override },
});
const foreign = (side: Problem['side']): ExchangeOptions =>
  remarked(
    problem('foreign-protocol', 'the stream begins with an HTTP response ("HTTP/1.1"), not with a FastCGI record', {
      side,
      offset: 0,
    }),
    {},
    { outcome: 'undecodable', stdout: '' },
  );
const unanswered: ExchangeOptions = { outcome: 'backend-closed', stdout: '' };

/** For each rule: what makes it the first finding, and the nearest thing that must not. */
export const CASES: readonly (readonly [id: string, trigger: ExchangeOptions, nearMiss: ExchangeOptions])[] = [
  ['peer-speaks-not-fastcgi', foreign('client'), foreign('server')],
  ['backend-speaks-http', foreign('server'), foreign('client')],
  [
    'version-mismatch',
    remarked(problem('bad-version', 'the STDOUT record has version 2, not 1')),
    remarked(problem('reserved-not-zero', 'the STDOUT record’s reserved byte is 2, not 0')),
  ],
  [
    'wrong-request-id',
    remarked(problem('no-begin-request', 'STDOUT for id 2, whose BEGIN_REQUEST was not seen'), {}, unanswered),
    lossy(problem('no-begin-request', 'STDOUT for id 2, whose BEGIN_REQUEST was not seen')),
  ],
  [
    'unknown-record-type',
    remarked(problem('unknown-record-type', '99 is no record type of the specification')),
    remarked(problem('unknown-record-type', '99 is no record type of the specification', { side: 'client' })),
  ],
  [
    'management-record-problems',
    remarked(problem('management-with-request-id', 'GET_VALUES_RESULT with request id 1')),
    lossy(problem('management-with-request-id', 'GET_VALUES_RESULT with request id 1')),
  ],
  [
    'padding-or-length-error',
    remarked(problem('lost-framing', '2f 73 72 76 2f 77 77 77 is no record header; 16 bytes belong to no record')),
    lossy(problem('lost-framing', 'a gap of 100 bytes goes over a record header; 16 bytes belong to no record')),
  ],
  ['overloaded', rejected('overloaded'), rejected('cant-mpx-conn')],
  ['cant-mpx-conn', rejected('cant-mpx-conn'), rejected('unknown-role')],
  ['unknown-role', rejected('unknown-role'), rejected('unknown-7')],
  ['unknown-protocol-status', rejected('unknown-7'), rejected('unknown-role')],
  [
    'truncated-record',
    remarked(
      problem('truncated-record', 'the stream ended 16 bytes into a STDOUT record of 8200'),
      {},
      {
        outcome: 'backend-closed',
      },
    ),
    remarked(
      problem('truncated-record', 'the stream ended 16 bytes into a STDOUT record of 8200'),
      {},
      {
        outcome: 'backend-reset',
      },
    ),
  ],
  [
    'capture-incomplete',
    lossy(problem('capture-gap', '100 bytes of the stream were not captured')),
    remarked(
      problem('stream-gap', '12 bytes of STDOUT are missing from its byte 4 on'),
      {},
      { outcome: 'backend-closed' },
    ),
  ],
  ['nonzero-app-status', { override: { appStatus: 3 } }, { override: { appStatus: 0 } }],
];
