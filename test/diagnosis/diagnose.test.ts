import { describe, expect, it } from 'vitest';
import { describeFinding } from '../../src/diagnosis/diagnose.js';
import { RULES } from '../../src/diagnosis/rules/index.js';
import type { ExchangeOptions } from '../support/exchange-fixture.js';
import { diagnosed, type Situation } from '../support/surroundings-fixture.js';
import { CASES as CONNECTING } from './cases/connecting.js';
import { CASES as DYING } from './cases/dying.js';
import { CASES as KEEPALIVE } from './cases/keepalive.js';
import { CASES as PHP } from './cases/php.js';
import { CASES as PROTOCOL } from './cases/protocol.js';
import { CASES as REQUEST } from './cases/request.js';
import { CASES as RESPONSE } from './cases/response.js';
import { CASES as ROLES } from './cases/roles.js';
import { CASES as SECURITY } from './cases/security.js';
import { CASES as WAITING } from './cases/waiting.js';

const headless = { status: 200, reason: '', headers: [], complete: false, length: 4, invalidLines: [] };

/** For each rule: what makes it the first finding, and the nearest thing that must not. */
const CASES: readonly (readonly [id: string, trigger: Situation, nearMiss: Situation])[] = [
  ...CONNECTING,
  ...DYING,
  ...KEEPALIVE,
  ...PHP,
  ...PROTOCOL,
  ...REQUEST,
  ...RESPONSE,
  ...ROLES,
  ...SECURITY,
  ...WAITING,
];

const ids = (situation: Situation): string[] => diagnosed(situation).map((finding) => finding.id);

describe('rules', () => {
  it('each has a trigger and a near miss here', () => {
    expect([...new Set(CASES.map(([id]) => id))].sort()).toEqual(RULES.map((rule) => rule.id).sort());
  });

  it.each(CASES)('%s', (id, trigger, nearMiss) => {
    // A remark is told beside a cause, which may be graver.
    if (RULES.find((rule) => rule.id === id)?.layer === 'remark') expect(ids(trigger)).toContain(id);
    else expect(ids(trigger)[0]).toBe(id);
    expect(ids(nearMiss)).not.toContain(id);
  });

  it('say of nothing that it did not come when its bytes are missing', () => {
    const unseen = (outcome: 'backend-closed' | 'backend-reset' | 'completed'): ExchangeOptions => ({
      outcome,
      stdout: 'x'.repeat(100),
      gaps: { stdout: [[0, 100]] },
      override: { response: null },
    });
    expect(ids(unseen('backend-closed'))).toEqual(['crash-mid-response']);
    expect(ids(unseen('backend-reset'))).toEqual(['crash-mid-response']);
    expect(ids(unseen('completed'))).toEqual([]);
    expect(ids({ stdout: 'oops', gaps: { stdout: [[2, 4]] }, override: { response: headless } })).toEqual([]);
  });

  it('describe their findings without an exchange', () => {
    for (const { id, severity, title } of RULES) expect(describeFinding(id)).toMatchObject({ severity, title });
    expect(describeFinding('no-rule')).toBeNull();
  });

  it('says nothing of an ordinary request', () => {
    expect(ids({})).toEqual([]);
  });

  it('gives one cause one finding, and what STDERR says beside it, the graver first', () => {
    expect(
      ids({
        outcome: 'web-server-closed',
        stderr: 'PHP message: PHP Fatal error:  Allowed memory size of 1 bytes exhausted',
      }),
    ).toEqual(['php-fatal']);
    expect(ids({ outcome: 'backend-reset', stdout: '', stderr: 'a word' })).toEqual([
      'rst-before-any-byte',
      'stderr-noise',
    ]);
  });

  it('always says what to do', () => {
    for (const [, trigger] of CASES)
      for (const finding of diagnosed(trigger)) {
        expect(finding.detail.length).toBeGreaterThan(10);
        expect(finding.advice.length).toBeGreaterThan(0);
      }
  });
});
