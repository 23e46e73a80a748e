import type { ConnectFailure } from '../../../src/model/connection.js';
import { connectionEnd, type Situation, surroundings } from '../../support/surroundings-fixture.js';

/** A connection that could not be made. */
export const failed = (
  reason: ConnectFailure['reason'],
  kind: 'tcp' | 'unix' = 'tcp',
  errno = 'E',
  around: Situation['around'] = null,
): Situation => ({
  outcome: 'not-connected',
  stdout: '',
  around,
  override: {
    failure: { reason, errno, message: 'connect failed' },
    appStatus: null,
    protocolStatus: null,
    server: kind === 'tcp' ? { kind, host: '127.0.0.1', port: 9000 } : { kind, path: '/run/x.sock' },
  },
});

const lost = (age: number, shortest: number, longest: number, lostTogether = 1): Situation => ({
  outcome: 'backend-reset',
  stdout: '',
  override: { connectionEnd: connectionEnd('backend', 'reset', age) },
  around: surroundings({
    lostTogether,
    lostAges: { shortest, longest },
    backend: { answered: 9, peerAnswered: true, sinceAnswer: 100 },
  }),
});

const SERVED = { answered: 500, peerAnswered: true, sinceAnswer: 9_000 };

/** For each rule: what makes it the first finding, and the nearest thing that must not. */
export const CASES: readonly (readonly [id: string, trigger: Situation, nearMiss: Situation])[] = [
  ['backend-restart-gap', lost(300, 300, 4_000), lost(3, 2, 5)],
  [
    'backend-restart-gap',
    failed('refused', 'tcp', 'ECONNREFUSED', surroundings({ backend: { ...SERVED, sinceCut: 800 } })),
    failed('refused', 'tcp', 'ECONNREFUSED', surroundings({ backend: { ...SERVED, sinceCut: 60_000 } })),
  ],
  [
    'no-respawn-after-max-requests',
    failed('refused', 'tcp', 'ECONNREFUSED', surroundings({ backend: { ...SERVED, failingFor: 5_000 } })),
    failed('refused', 'tcp', 'ECONNREFUSED', surroundings({ backend: { ...SERVED, failingFor: 200 } })),
  ],
  ['connect-refused-tcp', failed('refused'), failed('missing')],
  ['unix-socket-missing', failed('missing', 'unix'), failed('refused', 'unix')],
  ['unix-socket-stale', failed('refused', 'unix'), failed('refused')],
  ['unix-socket-permission', failed('denied', 'unix'), failed('missing', 'unix')],
  ['unix-backlog-full', failed('backlog-full', 'unix'), failed('refused', 'unix')],
  ['local-port-exhaustion', failed('other', 'tcp', 'EADDRNOTAVAIL'), failed('other', 'tcp', 'EADDRINUSE')],
  ['backend-name-unknown', failed('unreachable', 'tcp', 'ENOTFOUND'), failed('unreachable', 'tcp', 'EHOSTUNREACH')],
  ['connect-timeout', failed('timed-out'), failed('unreachable', 'tcp', 'EAI_AGAIN')],
  ['connect-failed', failed('denied'), failed('denied', 'unix')],
  ['tcp-backlog-full', { around: surroundings({ opening: 3_024 }) }, { around: surroundings({ opening: 2_500 }) }],
];
