import { describe, expect, it } from 'vitest';
import { diagnosed, type Situation } from '../support/surroundings-fixture.js';
import { CASES } from './cases/roles.js';
import { uploading } from './cases/waiting.js';

const ids = (situation: Situation): string[] => diagnosed(situation).map(({ id }) => id);

describe('rules on authorizers and filters', () => {
  it.each(CASES)('%s is the one finding', (id, trigger, nearMiss) => {
    // A header that leaks comes with a refusal.
    const others = ids(trigger).filter((other) => other !== 'authorizer-denied' || id === 'authorizer-denied');
    expect(others).toEqual([id]);
    expect(ids(nearMiss)).not.toContain(id);
  });

  it.each(['overloaded', 'cant-mpx-conn', 'unknown-role'])('put what is open before %s', (protocolStatus) => {
    const silent: Situation = { outcome: 'rejected', stdout: '', override: { role: 'authorizer', protocolStatus } };
    expect(ids(silent)).toEqual(['authorizer-fail-open']);
    expect(diagnosed(silent)[0]?.detail).toContain(protocolStatus);
  });

  it('take a header that has no end for no answer', () => {
    const response = { status: 200, reason: '', headers: [], complete: false, length: 8, invalidLines: [] };
    expect(ids({ stdout: 'Status: ', override: { role: 'authorizer', response } })).toEqual(['authorizer-fail-open']);
    expect(ids({ stdout: 'Status: ', gaps: { stdout: [[2, 4]] }, override: { role: 'authorizer', response } })).toEqual(
      [],
    );
  });

  it('say nothing of an authorizer that allows, with its variables and without a Status', () => {
    for (const stdout of ['Status: 200 OK\r\nVariable-USER: jo\r\n\r\n', 'Content-Type: text/plain\r\n\r\n'])
      expect(ids({ stdout, override: { role: 'authorizer' } })).toEqual([]);
  });

  it('take a broken authorizer for worse than one that refuses', () => {
    const answer = (status: string) =>
      diagnosed({ stdout: `Status: ${status}\r\n\r\n`, override: { role: 'authorizer' } })[0];
    expect(answer('403 No')?.severity).toBe('note');
    expect(answer('500 Oops')?.severity).toBe('warning');
  });

  it('say nothing of a filter whose file is as long as announced, or that was left alone', () => {
    const filter = (data: number, ended: boolean, outcome: 'completed' | 'web-server-closed'): Situation => ({
      outcome,
      params: { FCGI_DATA_LENGTH: '6', FCGI_DATA_LAST_MOD: '1' },
      override: {
        role: 'filter',
        streams: {
          ...uploading(0, true),
          stdout: { bytes: 90, records: 1, ended: true, missing: 0 },
          data: { bytes: data, records: 2, ended, missing: 0 },
        },
      },
    });
    expect(ids(filter(6, true, 'completed'))).toEqual([]);
    expect(ids(filter(3, false, 'web-server-closed'))).not.toContain('filter-data-length-mismatch');
    expect(diagnosed(filter(9, true, 'completed'))).toMatchObject([{ severity: 'warning' }]);
  });
});
