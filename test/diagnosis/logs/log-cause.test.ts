import { describe, expect, it } from 'vitest';
import { logCause, UNSEEN } from '../../../src/diagnosis/logs/log-cause.js';
import { WORKER_GONE } from '../../../src/diagnosis/logs/log-message.js';
import { LOG_MESSAGES } from '../../../src/diagnosis/logs/messages/index.js';
import { WIRE_MARKS } from '../../../src/diagnosis/logs/wire-marks.js';
import { ruleOf } from '../../../src/diagnosis/rule-groups.js';

const IDS = [
  ...new Set(LOG_MESSAGES.flatMap(({ modes, proves, turns }) => [...modes, ...proves, turns?.into ?? []].flat())),
].filter((id) => id !== WORKER_GONE);

describe('causes that log messages name', () => {
  it('each is a rule, or says itself what it is', () => {
    expect(IDS.filter((id) => ruleOf(id) === null && UNSEEN[id] === undefined)).toEqual([]);
    expect(Object.keys(UNSEEN).filter((id) => ruleOf(id) !== null)).toEqual([]);
  });

  it('each says what to look for on the wire, and nothing is said of others', () => {
    expect(IDS.filter((id) => WIRE_MARKS[id] === undefined)).toEqual([]);
    expect(Object.keys(WIRE_MARKS).filter((id) => !IDS.includes(id))).toEqual([]);
    for (const mark of Object.values(WIRE_MARKS)) expect(mark).toMatch(/^[^A-Z].*\.$|^["A-Z].*\.$/);
  });

  it('advises for the product whose log it is', () => {
    const advice = logCause('slow-script', 'nginx').advice.join('\n');
    expect(advice).toContain('fastcgi_read_timeout');
    expect(advice).not.toContain('lighttpd:');
  });

  it('advises for both, the web server that passes words on and who said them', () => {
    const advice = logCause('primary-script-unknown', 'php', 'nginx').advice.join('\n');
    expect(advice).toContain('nginx: root');
    expect(advice).toContain('PHP-FPM: With chroot');
    expect(advice).not.toContain('lighttpd:');
    expect(logCause('primary-script-unknown', 'php').advice.join('\n')).toContain('lighttpd:');
  });
});
