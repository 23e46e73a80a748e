import type { Exchange } from '../../../src/model/exchange.js';
import type { Situation } from '../../support/surroundings-fixture.js';
import { open, uploading } from './waiting.js';

const authorizer = (stdout: string, more: Situation = {}): Situation => ({
  stdout,
  ...more,
  override: { role: 'authorizer', ...more.override },
});

const OK = 'Status: 200 OK\r\n';
const NO = 'Status: 403 Forbidden\r\n';

/** A filter request that announces `length` bytes and sends others. */
const filter = (length: string | null, data: string, more: Partial<Exchange> = {}): Situation => ({
  params: { FCGI_DATA_LENGTH: length, FCGI_DATA_LAST_MOD: '1789000000' },
  override: {
    role: 'filter',
    streams: {
      ...uploading(0, true),
      stdout: { bytes: 90, records: 1, ended: true, missing: 0 },
      data: { bytes: data.length, records: 2, ended: true, missing: 0 },
    },
    ...more,
  },
});

/** For each rule: what makes it the first finding, and the nearest thing that must not. */
export const CASES: readonly (readonly [id: string, trigger: Situation, nearMiss: Situation])[] = [
  ['authorizer-fail-open', authorizer(''), authorizer(`${OK}\r\n`)],
  [
    'authorizer-fail-open',
    authorizer('', { outcome: 'rejected', override: { protocolStatus: 'unknown-role' } }),
    {
      ...authorizer(''),
      outcome: 'backend-closed',
    },
  ],
  ['authorizer-denied', authorizer(`${NO}\r\n`), authorizer(`${OK}\r\n`)],
  [
    'authorizer-variable-headers',
    authorizer(`${NO}Variable-USER: jo\r\n\r\n`),
    authorizer(`${OK}Variable-USER: jo\r\n\r\n`),
  ],
  ['authorizer-variable-headers', authorizer(`${OK}Variable-: jo\r\n\r\n`), authorizer(`${NO}\r\n`)],
  ['authorizer-body-on-200', authorizer(`${OK}\r\nwelcome`), authorizer(`${NO}\r\ngo away`)],
  [
    'authorizer-hangs-on-stdin',
    open(3_000, { timing: { stdinEnd: null }, override: { role: 'authorizer', streams: uploading(0) } }),
    open(3_000, { override: { role: 'authorizer', streams: uploading(0, true) } }),
  ],
  ['filter-data-length-mismatch', filter('12', 'a file'), filter('6', 'a file')],
];
