import type { Exchange, Problem } from '../../../src/model/exchange.js';
import { idleEnd, type Situation, surroundings } from '../../support/surroundings-fixture.js';
import { died, givenUp } from './dying.js';

const late = (side: 'client' | 'server', keepConnection = true): Situation => ({
  override: {
    keepConnection,
    records: { total: 9, gaps: 0, problems: 1 },
    problems: [
      {
        code: 'after-end-request',
        side,
        at: 0,
        offset: 400,
        length: 24,
        message: 'STDERR after its END',
      } satisfies Problem,
    ],
  },
});
const nth = (n: number, more: Partial<Exchange> = {}): Partial<Exchange> => ({
  keepConnection: true,
  precedingRequests: n,
  ...more,
});
const waited = (ms: number): NonNullable<Situation['timing']> => ({ firstStdout: ms, lastStdout: ms, end: ms + 1 });

/** For each rule: what makes it fire, and the nearest thing that must not. */
export const CASES: readonly (readonly [id: string, trigger: Situation, nearMiss: Situation])[] = [
  [
    'keepalive-idle-close-race',
    died('reset', 0.4, { override: nth(3), around: surroundings({ idleBefore: 60_000 }) }),
    died('reset', 400, { override: nth(3), around: surroundings({ idleBefore: 60_000 }) }),
  ],
  ['keepalive-desync', late('server'), late('server', false)],
  [
    'multiplex-mixup',
    { timing: waited(900), override: nth(1), around: surroundings({ openBeside: 1, freedBeside: 3 }) },
    { timing: waited(900), override: nth(1), around: surroundings({ openBeside: 1, freedBeside: 400 }) },
  ],
  [
    'keepalive-pins-worker',
    { timing: waited(900), around: surroundings({ idleConnections: 2, releasedBefore: 4, freedBefore: null }) },
    { timing: waited(900), around: surroundings({ idleConnections: 2, releasedBefore: 400, freedBefore: null }) },
  ],
  [
    'keepalive-pins-worker',
    givenUp(3_000, { around: surroundings({ idleConnections: 2, usualWait: 5, backend: { answered: 9 } }) }),
    givenUp(3_000, {
      around: surroundings({ idleConnections: 2, usualWait: 5, overtakenBy: 1, backend: { answered: 9 } }),
    }),
  ],
  [
    'finish-request-blocks-connection',
    { timing: waited(2_000), override: nth(1), around: surroundings({ idleBefore: 5, usualWait: 8 }) },
    { timing: waited(2_000), override: nth(1), around: surroundings({ idleBefore: 5, usualWait: 900 }) },
  ],
  [
    'keepalive-max-requests',
    { override: nth(4), around: surroundings({ idleEnd: idleEnd({ idle: 0.4, requests: 5, alikeCount: 1 }) }) },
    { override: nth(4), around: surroundings({ idleEnd: idleEnd({ idle: 5_000, requests: 5, alikeCount: 1 }) }) },
  ],
  [
    'keepalive-killed-by-terminate-timeout',
    { override: nth(0), around: surroundings({ idleEnd: idleEnd({ idle: 30_500, alikeAge: 1 }) }) },
    { override: nth(0), around: surroundings({ idleEnd: idleEnd({ idle: 30_500, alikeCount: 1 }) }) },
  ],
  [
    'keep-conn-ignored',
    { override: nth(0), around: surroundings({ idleEnd: idleEnd({ idle: 0.2, alikeCount: 2, neverReused: true }) }) },
    { override: nth(0), around: surroundings({ idleEnd: idleEnd({ idle: 0.2, alikeCount: 2 }) }) },
  ],
];
