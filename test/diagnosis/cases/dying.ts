import { connectionEnd, type Situation, surroundings } from '../../support/surroundings-fixture.js';

type How = 'fin' | 'reset';

/** A backend that ended the connection without a byte, so many milliseconds after the request began. */
export const died = (how: How, after: number, more: Situation = {}): Situation => ({
  outcome: how === 'fin' ? 'backend-closed' : 'backend-reset',
  stdout: '',
  timing: { end: after },
  ...more,
  override: { connectionEnd: connectionEnd('backend', how, after), ...more.override },
});

/** A web server that gave up. */
export const givenUp = (after: number, more: Situation = {}): Situation => ({
  outcome: 'web-server-closed',
  stdout: '',
  timing: { end: after },
  ...more,
  override: { connectionEnd: connectionEnd('web-server', 'fin', after), ...more.override },
});

const stump = (after: number, offset = 0): Situation => ({
  outcome: 'undecodable',
  stdout: '',
  allParams: [],
  requestId: 0,
  override: {
    role: 'unknown',
    paramsComplete: false,
    streams: streams({ paramsEnded: false, stdinEnded: false }),
    connectionEnd: connectionEnd('web-server', 'fin', after, null),
    problems: [{ code: 'truncated-record', at: 0, side: 'client', offset, length: 5, message: 'cut' }],
  },
});

const UNHEARD = surroundings({ backend: { unanswered: 1 } });
const KNOWN = surroundings({ backend: { answered: 3, peerAnswered: true, sinceAnswer: 10 } });

/** A connection on which no request had begun. */
function unasked(around: Situation['around'] & object): Situation {
  return { around, allParams: [], override: { requestId: 0, role: 'unknown' } };
}

/** The streams of a small request that was not answered. */
export function streams(ended: { readonly paramsEnded: boolean; readonly stdinEnded: boolean }) {
  const stream = (bytes: number, isEnded: boolean) => ({
    bytes,
    records: bytes > 0 ? 1 : 0,
    ended: isEnded,
    missing: 0,
  });
  return {
    params: stream(300, ended.paramsEnded),
    stdin: stream(0, ended.stdinEnded),
    stdout: stream(0, false),
    stderr: stream(0, false),
    data: stream(0, false),
  };
}

/** For each rule: what makes it the first finding, and the nearest thing that must not. */
export const CASES: readonly (readonly [id: string, trigger: Situation, nearMiss: Situation])[] = [
  ['peer-not-allowed', died('reset', 1, { around: surroundings() }), died('reset', 1, { around: KNOWN })],
  ['peer-not-allowed', died('fin', -0.2, { around: surroundings() }), died('fin', 3, { around: surroundings() })],
  [
    'peer-not-allowed',
    died('fin', 3, { around: surroundings({ backend: { cutAtOnce: 2, leftUnread: true } }) }),
    died('fin', 30, { around: surroundings({ backend: { cutAtOnce: 1, leftUnread: true } }) }),
  ],
  [
    'peer-not-allowed',
    died('fin', 0.92, { around: surroundings({ backend: { cutAtOnce: 2, leftUnread: true } }) }),
    died('fin', 0.92, { around: surroundings({ backend: { cutAtOnce: 2 } }) }),
  ],
  [
    'peer-not-allowed',
    died('reset', 1, { around: surroundings({ backend: { cutAtOnce: 2, leftUnread: true } }) }),
    died('reset', 1, { around: surroundings({ backend: { cutAtOnce: 2, sinceCut: 900 } }) }),
  ],
  ['peer-not-allowed', died('fin', 1, unasked(surroundings())), died('fin', 1, unasked(KNOWN))],
  [
    'partial-request-pins-worker',
    givenUp(5_000, {
      override: { paramsComplete: false, streams: streams({ paramsEnded: false, stdinEnded: false }) },
    }),
    givenUp(200, {
      override: { paramsComplete: false, streams: streams({ paramsEnded: false, stdinEnded: false }) },
    }),
  ],
  ['partial-request-pins-worker', stump(4_000), stump(4_000, 16)],
  [
    'terminate-timeout',
    died('reset', 2_300, { around: surroundings({ cutAlike: 1, backend: { answered: 1 } }) }),
    died('reset', 2_300, { around: KNOWN }),
  ],
  [
    'terminate-timeout',
    died('fin', 4_000, {
      around: surroundings({ cutAlike: 2 }),
      override: { streams: streams({ paramsEnded: true, stdinEnded: false }) },
    }),
    died('fin', 4_000, { around: surroundings({ cutAlike: 2 }) }),
  ],
  ['silent-after-accept', givenUp(3_000, { around: UNHEARD }), givenUp(3_000, { around: surroundings() })],
  ['crash-mid-response', { outcome: 'backend-closed' }, { outcome: 'backend-closed', stdout: '' }],
  ['rst-before-any-byte', died('reset', 30), { outcome: 'backend-reset' }],
  ['eof-before-any-byte', died('fin', 30), died('reset', 30)],
];
