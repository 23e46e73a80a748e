import type { StreamTotals } from '../../../src/model/exchange.js';
import { STDOUT } from '../../support/exchange-fixture.js';
import { connectionEnd, type Situation, surroundings } from '../../support/surroundings-fixture.js';
import { givenUp } from './dying.js';

export const NGINX = { SERVER_SOFTWARE: 'nginx/1.22.1' };
export const HEAD = 'Content-Type: text/plain\r\n\r\n';

/** A web server that leaves an answer under way, `after` ms after the request began, the last record having come at `last`. */
export const left = (after: number, last: number, more: Situation = {}): Situation => ({
  outcome: 'web-server-closed',
  stdout: STDOUT,
  timing: { firstStdout: 5, lastStdout: last, end: after },
  ...more,
  override: { connectionEnd: connectionEnd('web-server', 'fin', after, 'STDOUT record 1'), ...more.override },
});

/** An open request of which nothing has come for so long. */
export const open = (silence: number, more: Situation = {}): Situation => ({
  outcome: null,
  stdout: '',
  ...more,
  timing: { end: silence + 0.2, ...more.timing },
});

/** So many bytes of STDIN, and not their end. */
export const upload = (bytes: number): { readonly stdin: StreamTotals } => ({
  stdin: { bytes, records: bytes === 0 ? 0 : 1, ended: false, missing: 0 },
});

/** Streams of a POST whose body has not come whole; nothing came back. */
export const uploading = (bytes: number, ended = false) => ({
  params: { bytes: 300, records: 2, ended: true, missing: 0 },
  stdin: { bytes, records: 1, ended, missing: 0 },
  stdout: { bytes: 0, records: 0, ended: false, missing: 0 },
  stderr: { bytes: 0, records: 0, ended: false, missing: 0 },
  data: { bytes: 0, records: 0, ended: false, missing: 0 },
});

export const post = (length: string | null): NonNullable<Situation['params']> => ({
  REQUEST_METHOD: 'POST',
  CONTENT_LENGTH: length,
});

const served = (first: number): NonNullable<Situation['timing']> => ({
  firstStdout: first,
  lastStdout: first,
  end: first + 1,
});
const whole = (): Partial<StreamTotals> => ({ ended: true });

/** What is answered at once as a rule, behind another that does not end. */
const quick = (around: Parameters<typeof surroundings>[0]) =>
  surroundings({ usualWait: 0.3, backend: { answered: 9 }, ...around });
const QUICK = quick({ openBefore: 1 });
/** It is given up after nginx's read timeout. */
const refused = (around: Parameters<typeof surroundings>[0]): Situation =>
  givenUp(5_003, { params: NGINX, around: quick(around) });

/** For each rule: what makes it the first finding, and the nearest thing that must not. */
export const CASES: readonly (readonly [id: string, trigger: Situation, nearMiss: Situation])[] = [
  [
    'pool-exhausted',
    { timing: served(3_000), around: surroundings({ openBefore: 2, servedMeanwhile: 2, freedBefore: 2 }) },
    { timing: served(3_000), around: surroundings({ openBefore: 2, servedMeanwhile: 2, freedBefore: 900 }) },
  ],
  [
    'pool-exhausted',
    { timing: served(3_000), around: surroundings({ openBefore: 2, servedMeanwhile: 2, takenUp: 4 }) },
    {
      timing: served(3_000),
      around: surroundings({ openBefore: 2, servedMeanwhile: 2, freedBefore: 4, overtakenBy: 1 }),
    },
  ],
  [
    'pool-exhausted',
    open(6_000, { around: surroundings({ openBefore: 3, servedMeanwhile: 2, backend: { answered: 9 } }) }),
    open(6_000, { around: surroundings({ openBefore: 2, servedMeanwhile: 2, backend: { answered: 9 } }) }),
  ],
  // The pool is as full as it can be: nobody was served while it waited.
  ['pool-exhausted', refused({ openBefore: 1 }), refused({ openBefore: 0 })],
  ['pool-exhausted', refused({ openBefore: 4, abreast: 4 }), refused({ openBefore: 4, abreast: 5 })],
  ['pool-exhausted', refused({ openBefore: 4, usualWait: 200 }), refused({ openBefore: 4, usualWait: 300 })],
  ['pool-exhausted', refused({ openBefore: 4 }), refused({ openBefore: 4, overtakenBy: 1 })],
  ['pool-exhausted', open(1_500, { around: QUICK }), open(900, { around: QUICK })],
  [
    'slow-script',
    givenUp(60_000, { params: NGINX, around: surroundings({ backend: { answered: 3 } }) }),
    givenUp(43_210, { params: NGINX, around: surroundings({ backend: { answered: 3 } }) }),
  ],
  ['slow-script', { timing: served(7_000) }, { timing: served(4_000) }],
  ['slow-script', open(6_000), open(4_000)],
  ['stall-mid-response', left(60_010, 10, { params: NGINX }), left(20_230, 10, { params: NGINX })],
  [
    'missing-end-request-hang',
    left(60_010, 10, { override: { ...ended(), connectionEnd: connectionEnd('web-server', 'fin', 60_010) } }),
    left(12, 10, { override: { ...ended(), connectionEnd: connectionEnd('web-server', 'fin', 12) } }),
  ],
  [
    'send-timeout',
    givenUp(60_005, {
      params: { ...post('3000000'), ...NGINX },
      timing: { stdinEnd: null, lastRecord: 5, end: 60_005 },
      override: { streams: uploading(200_000), connectionEnd: connectionEnd('web-server', 'fin', 60_005) },
    }),
    givenUp(60_005, {
      params: { ...post('3000000'), ...NGINX },
      timing: { stdinEnd: null, lastRecord: 5, end: 60_005 },
      override: { streams: uploading(20_000), connectionEnd: connectionEnd('web-server', 'fin', 60_005) },
    }),
  ],
  [
    'stdin-stall',
    open(9_000, { params: post('3000000'), timing: { stdinEnd: null }, override: { streams: uploading(20_000) } }),
    open(3_000, { params: post('3000000'), timing: { stdinEnd: null }, override: { streams: uploading(20_000) } }),
  ],
  [
    'web-server-aborts-response',
    left(20, 10, {
      stdout: HEAD + 'x'.repeat(200_000),
      outcome: 'web-server-reset',
      params: NGINX,
      override: { connectionEnd: connectionEnd('web-server', 'reset', 20) },
    }),
    left(20, 10, {
      stdout: HEAD + 'x'.repeat(200_000),
      outcome: 'web-server-reset',
      params: { SERVER_SOFTWARE: 'HAProxy' },
      override: { connectionEnd: connectionEnd('web-server', 'reset', 20) },
    }),
  ],
  ['client-abort', { outcome: 'web-server-closed' }, { outcome: 'unfinished' }],
  ['client-abort', givenUp(1_234, { params: NGINX }), { params: NGINX }],
];

/** STDOUT was ended, and END_REQUEST did not come. */
function ended(): NonNullable<Situation['override']> {
  const none = { bytes: 0, records: 0, ended: true, missing: 0 };
  return {
    streams: {
      params: none,
      stdin: none,
      stdout: { bytes: STDOUT.length, records: 2, missing: 0, ...whole() } as StreamTotals,
      stderr: { ...none, ended: false },
      data: { ...none, ended: false },
    },
  };
}
