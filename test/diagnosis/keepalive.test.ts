import { describe, expect, it } from 'vitest';
import { diagnosed, type Situation, surroundings } from '../support/surroundings-fixture.js';
import { died } from './cases/dying.js';
import { CASES } from './cases/keepalive.js';

const ids = (situation: Situation): string[] => diagnosed(situation).map(({ id }) => id);

describe('rules on kept connections', () => {
  it.each(CASES)('%s is the one finding', (id, trigger, nearMiss) => {
    expect(ids(trigger)).toEqual([id]);
    expect(ids(nearMiss)).not.toContain(id);
  });

  const raced = (after: number, closed: { closedAtCount?: number; closedAtAge?: number } = {}): Situation =>
    died('fin', after, {
      override: { keepConnection: true, precedingRequests: 7 },
      around: surroundings({ idleBefore: 10_000, backend: { answered: 7, peerAnswered: true, ...closed } }),
    });

  it('are sure of a close that came before the request', () => {
    expect(diagnosed(raced(-3))[0]).toMatchObject({ id: 'keepalive-idle-close-race', certainty: 'proven' });
    expect(diagnosed(raced(0.5))[0]).toMatchObject({ id: 'keepalive-idle-close-race', certainty: 'allowed' });
  });

  it('say which habit of the backend it was', () => {
    expect(diagnosed(raced(0, { closedAtCount: 2 }))[0]?.detail).toContain('after 7 requests');
    expect(diagnosed(raced(0, { closedAtAge: 1 }))[0]?.detail).toContain('as long an idle time');
    expect(diagnosed(raced(0))[0]?.detail).not.toContain('limit');
  });

  it('do not take a script that dies of its request for a close that met it', () => {
    const dies = died('reset', 9, {
      override: { keepConnection: true, precedingRequests: 7 },
      around: surroundings({ idleBefore: 2 }),
    });
    expect(ids(dies)).toEqual(['rst-before-any-byte']);
  });
});
