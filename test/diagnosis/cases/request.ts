import type { Exchange, Problem, ProblemCode } from '../../../src/model/exchange.js';
import { STDOUT } from '../../support/exchange-fixture.js';
import { connectionEnd, type Situation, surroundings } from '../../support/surroundings-fixture.js';
import { died, givenUp } from './dying.js';
import { open, post, uploading } from './waiting.js';

const marked = (code: ProblemCode, side: 'client' | 'server'): Situation => ({
  override: {
    records: { total: 9, gaps: 0, problems: 1 },
    problems: [
      { code, side, at: 0, offset: 0, length: 8, message: 'STDIN before the end of PARAMS' } satisfies Problem,
    ],
  },
});

/** PARAMS of so many bytes in one record. */
const large = (bytes: number, more: Partial<Exchange> = {}): Partial<Exchange> => ({
  streams: { ...uploading(0, true), params: { bytes, records: 2, ended: true, missing: 0 } },
  ...more,
});

/** An answer of `stdout` while STDIN is under way. */
const answered = (stdin: number, more: Partial<Exchange> = {}): Partial<Exchange> => ({
  streams: { ...uploading(stdin), stdout: { bytes: STDOUT.length, records: 1, ended: false, missing: 0 } },
  ...more,
});

const BLANK = 'X-Powered-By: PHP/8.2\r\nContent-Type: text/html\r\n\r\n';
const cookies = (first: string, second: string): Situation['allParams'] => [
  { name: 'REQUEST_METHOD', value: 'GET' },
  { name: 'HTTP_COOKIE', value: first },
  { name: 'SCRIPT_NAME', value: '/a.php' },
  { name: 'HTTP_COOKIE', value: second },
];

/** For each rule: what makes it the first finding, and the nearest thing that must not. */
export const CASES: readonly (readonly [id: string, trigger: Situation, nearMiss: Situation])[] = [
  ['request-record-garbage', marked('data-before-params-end', 'client'), marked('data-before-params-end', 'server')],
  [
    'params-split-mid-pair',
    died('reset', 1, { override: { paramsSplit: true, connectionEnd: connectionEnd('backend', 'reset', 1) } }),
    { override: { paramsSplit: true } },
  ],
  [
    'params-too-large',
    died('reset', 1, { override: large(65_535, { connectionEnd: connectionEnd('backend', 'reset', 1) }) }),
    died('reset', 1, {
      around: surroundings({ backend: { answered: 1, peerAnswered: true } }),
      override: large(30_000, { connectionEnd: connectionEnd('backend', 'reset', 1) }),
    }),
  ],
  ['params-missing-core', { params: { REQUEST_METHOD: null }, stdout: BLANK }, { stdout: BLANK }],
  [
    'content-length-missing',
    { params: post('-1'), stdin: 'a=1', outcome: 'unfinished', stdout: '' },
    { params: post('3'), stdin: 'a=1', outcome: 'unfinished', stdout: '' },
  ],
  ['content-length-missing', { params: post(null), stdin: 'a=1' }, { params: post('3'), stdin: 'a=1' }],
  ['content-length-missing', { params: post('2'), stdin: 'a=1' }, { params: post(''), stdin: '' }],
  [
    'stdin-short',
    givenUp(4_321, { params: post('9'), stdin: 'a=1' }),
    givenUp(4_321, { params: post('3'), stdin: 'a=1' }),
  ],
  ['stdin-short', open(1_500, { params: post('9'), stdin: 'a=1' }), open(500, { params: post('9'), stdin: 'a=1' })],
  ['stdin-short', { params: post('9'), stdin: 'a=1' }, { params: { CONTENT_LENGTH: '9' } }],
  [
    'early-response',
    { params: post('3000000'), timing: { stdinEnd: null }, override: answered(200_000) },
    { params: post('200000'), timing: { stdinEnd: null }, override: answered(200_000) },
  ],
  [
    'early-response',
    {
      params: post('3000000'),
      outcome: 'backend-reset',
      timing: { stdinEnd: null },
      override: answered(200_000, { connectionEnd: connectionEnd('backend', 'reset', 14, 'STDOUT record 1') }),
    },
    {
      params: post('200000'),
      outcome: 'backend-reset',
      timing: { stdinEnd: null },
      override: answered(200_000, { connectionEnd: connectionEnd('backend', 'reset', 14, 'STDOUT record 1') }),
    },
  ],
  [
    'stdin-terminator-missing',
    open(3_000, { timing: { stdinEnd: null }, override: { streams: uploading(0) } }),
    open(1_000, { timing: { stdinEnd: null }, override: { streams: uploading(0) } }),
  ],
  ['params-duplicate', { allParams: cookies('a=1', 'b=2')! }, { allParams: cookies('a=1', 'a=1')! }],
];
