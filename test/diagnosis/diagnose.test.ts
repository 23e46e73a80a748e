import { describe, expect, it } from 'vitest';
import { describeFinding, diagnose } from '../../src/diagnosis/diagnose.js';
import { RULES } from '../../src/diagnosis/rules/index.js';
import type { ConnectFailure } from '../../src/model/connection.js';
import { type ExchangeOptions, storedExchange } from '../support/exchange-fixture.js';
import { CASES as PHP } from './cases/php.js';
import { CASES as PROTOCOL } from './cases/protocol.js';
import { CASES as RESPONSE } from './cases/response.js';
import { CASES as SECURITY } from './cases/security.js';

const failed = (reason: ConnectFailure['reason'], kind: 'tcp' | 'unix' = 'tcp', errno = 'E'): ExchangeOptions => ({
  outcome: 'not-connected',
  stdout: '',
  override: {
    failure: { reason, errno, message: 'connect failed' },
    appStatus: null,
    protocolStatus: null,
    server: kind === 'tcp' ? { kind, host: '127.0.0.1', port: 9000 } : { kind, path: '/run/x.sock' },
  },
});
const headless = { status: 200, reason: '', headers: [], complete: false, length: 4, invalidLines: [] };

/** For each rule: what makes it the first finding, and the nearest thing that must not. */
const CASES: readonly (readonly [id: string, trigger: ExchangeOptions, nearMiss: ExchangeOptions])[] = [
  ['connect-refused-tcp', failed('refused'), failed('missing')],
  ['unix-socket-missing', failed('missing', 'unix'), failed('refused', 'unix')],
  ['unix-socket-stale', failed('refused', 'unix'), failed('refused')],
  ['unix-socket-permission', failed('denied', 'unix'), failed('missing', 'unix')],
  ['unix-backlog-full', failed('backlog-full', 'unix'), failed('refused', 'unix')],
  ['local-port-exhaustion', failed('other', 'tcp', 'EADDRNOTAVAIL'), failed('other', 'tcp', 'EADDRINUSE')],
  ['backend-name-unknown', failed('unreachable', 'tcp', 'ENOTFOUND'), failed('unreachable', 'tcp', 'EHOSTUNREACH')],
  ['connect-timeout', failed('timed-out'), failed('unreachable', 'tcp', 'EAI_AGAIN')],
  ['connect-failed', failed('denied'), failed('denied', 'unix')],
  ['client-abort', { outcome: 'web-server-closed' }, { outcome: 'unfinished' }],
  ['rst-before-any-byte', { outcome: 'backend-reset', stdout: '' }, { outcome: 'backend-reset' }],
  ['eof-before-any-byte', { outcome: 'backend-closed', stdout: '' }, { outcome: 'backend-reset', stdout: '' }],
  ['crash-mid-response', { outcome: 'backend-closed' }, { outcome: 'backend-closed', stdout: '' }],
  ...PHP,
  ...PROTOCOL,
  ...RESPONSE,
  ...SECURITY,
];

const ids = (options: ExchangeOptions): string[] =>
  diagnose(storedExchange(options).exchange).map((finding) => finding.id);

describe('rules', () => {
  it('each has a trigger and a near miss here', () => {
    expect(CASES.map(([id]) => id).sort()).toEqual(RULES.map((rule) => rule.id).sort());
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

  it.each([
    ['EMFILE', 'other', 'local-port-exhaustion', 'ulimit -n'],
    ['ENFILE', 'other', 'local-port-exhaustion', 'fs.file-max'],
    ['EADDRNOTAVAIL', 'other', 'local-port-exhaustion', 'ip_local_port_range'],
    ['EAI_AGAIN', 'unreachable', 'backend-name-unknown', 'resolv.conf'],
    ['ENETUNREACH', 'unreachable', 'connect-timeout', 'firewall'],
    ['EPERM', 'denied', 'connect-failed', 'output chain'],
    ['EPROTOTYPE', 'other', 'connect-failed', 'no stream socket'],
  ] as const)('%s gets the advice that fits it', (errno, reason, id, words) => {
    const [finding] = diagnose(storedExchange(failed(reason, 'tcp', errno)).exchange);
    expect(finding?.id).toBe(id);
    expect(finding?.advice.join()).toContain(words);
  });

  it('thinks of missing IPv6 when an IPv6 address has no local one to go from', () => {
    const { exchange } = storedExchange(failed('other', 'tcp', 'EADDRNOTAVAIL'));
    const advice = (host: string) =>
      diagnose({ ...exchange, server: { kind: 'tcp', host, port: 9000 } })[0]?.advice.join();
    expect(advice('::1')).toContain('IPv6');
    expect(advice('127.0.0.1')).not.toContain('IPv6');
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
      for (const finding of diagnose(storedExchange(trigger).exchange)) {
        expect(finding.detail.length).toBeGreaterThan(10);
        expect(finding.advice.length).toBeGreaterThan(0);
      }
  });
});
