import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/model/exchange.js';
import { connectionEnd, diagnosed, type Situation, surroundings } from '../support/surroundings-fixture.js';
import { givenUp } from './cases/dying.js';
import { CASES, HEAD, left, NGINX, open, post, uploading } from './cases/waiting.js';

const ids = (situation: Situation): string[] => diagnosed(situation).map(({ id }) => id);
const KNOWN = surroundings({ backend: { answered: 3 } });
const waitedFor = (ms: number, SERVER_SOFTWARE: string | null, more: Situation = {}): string | undefined =>
  ids(givenUp(ms, { params: { SERVER_SOFTWARE }, around: KNOWN, ...more }))[0];

describe('rules on who waits for whom', () => {
  it.each(CASES)('%s is the one finding', (id, trigger, nearMiss) => {
    expect(ids(trigger)).toEqual([id]);
    expect(ids(nearMiss)).not.toContain(id);
  });

  it.each([
    // Defaults, to within five per cent, each where it belongs.
    ['nginx/1.22.1', 60_020, 'slow-script'],
    ['nginx/1.22.1', 57_100, 'slow-script'],
    ['nginx/1.22.1', 29_100, 'client-abort'],
    ['h2o/2.2.5', 29_100, 'slow-script'],
    ['Apache/2.4.66', 41_500, 'slow-script'],
    [null, 30_700, 'slow-script'],
    [null, 41_500, 'client-abort'],
    // Whole seconds are set by somebody.
    ['nginx/1.22.1', 5_004, 'slow-script'],
    ['nginx/1.22.1', 5_204, 'client-abort'],
    ['nginx/1.22.1', 7_004, 'client-abort'],
    ['nginx/1.22.1', 9_950, 'slow-script'],
    ['nginx/1.22.1', 1_950, 'client-abort'],
    ['nginx/1.22.1', 4, 'client-abort'],
    // These do not look whether their client is there.
    ['lighttpd/1.4.69', 5_204, 'slow-script'],
    ['Apache/2.4.66', 5_204, 'slow-script'],
    ['Caddy/v2.6.2', 5_204, 'slow-script'],
  ])('%s that leaves after %d ms: %s', (software, ms, id) => {
    expect(waitedFor(ms, software)).toBe(id);
  });

  it('know a timeout by its being kept to again and again', () => {
    expect(waitedFor(5_204, 'nginx/1.22.1', { around: { ...KNOWN, givenUpAlike: 2 } })).toBe('slow-script');
  });

  it('take ABORT_REQUEST without output for HAProxy’s timeout', () => {
    expect(waitedFor(502, null, { outcome: 'aborted' })).toBe('slow-script');
  });

  it('say nothing of web servers that have all they need', () => {
    const leaves = (stdout: string, more: Situation = {}) => ids(left(20, 10, { stdout, ...more }));
    expect(leaves(`Content-Length: 5\r\n${HEAD}hello`)).toEqual([]);
    expect(leaves(`Status: 304 Not Modified\r\n${HEAD}`)).toEqual([]);
    expect(leaves(HEAD, { params: { REQUEST_METHOD: 'HEAD' } })).toEqual([]);
    expect(leaves(`${HEAD}x`, { override: { role: 'authorizer' } })).not.toContain('client-abort');
    expect(leaves(`${HEAD}x`)).toEqual(['client-abort']);
  });

  it('are graver where the visitor had to wait', () => {
    const severity = (ms: number) => diagnosed(givenUp(ms, { params: NGINX }))[0]?.severity;
    expect(severity(1_234)).toBe('note');
    expect(severity(8_234)).toBe('warning');
  });

  it('do not count what came after the web server had left', () => {
    const late = givenUp(60_000, {
      params: NGINX,
      stdout: `${HEAD}late`,
      timing: { firstStdout: 70_000, lastStdout: 70_000, lastRecord: 0.2, end: 70_001 },
      override: {
        appStatus: 0,
        protocolStatus: 'request-complete',
        connectionEnd: connectionEnd('web-server', 'fin', 60_000),
      },
    });
    expect(ids(late)).toEqual(['slow-script']);
    expect(diagnosed(late)[0]?.detail).toContain('nobody took it');
  });

  it.each<[Outcome | null, string]>([
    [null, 'note'],
    ['unfinished', 'note'],
    ['web-server-closed', 'error'],
  ])('are told of while they last: %s', (outcome, severity) => {
    const end = outcome === 'web-server-closed' ? { connectionEnd: connectionEnd('web-server', 'fin', 10_000) } : {};
    const waiting: Situation = { outcome, stdout: '', timing: { end: 10_000 }, params: NGINX, override: end };
    expect(diagnosed(waiting)).toMatchObject([{ id: 'slow-script', severity }]);
  });

  it('get graver as they last', () => {
    expect(diagnosed(open(31_000))[0]?.severity).toBe('warning');
    expect(ids(open(500))).toEqual([]);
  });

  it('tell an upload that stands still from a backend that does not read', () => {
    const upload = (bytes: number, software: string): string[] =>
      ids(
        open(9_000, {
          params: { ...post('3000000'), SERVER_SOFTWARE: software },
          timing: { stdinEnd: null },
          override: { streams: uploading(bytes) },
        }),
      );
    expect(upload(300_000, 'nginx/1.22.1')).toEqual(['send-timeout']);
    expect(upload(30_000, 'nginx/1.22.1')).toEqual(['stdin-stall']);
    expect(upload(300_000, 'Apache/2.4.66')).toEqual(['stdin-stall']);
  });

  it('know the script for quick, and are not sure', () => {
    const given = (openBefore: number) =>
      diagnosed(
        givenUp(5_003, {
          params: NGINX,
          around: surroundings({ openBefore, usualWait: 0.3, backend: { answered: 9 } }),
        }),
      )[0];
    expect(given(4)).toMatchObject({ id: 'pool-exhausted', severity: 'error', certainty: 'allowed' });
    expect(given(4)?.detail).toMatch(/while none was served: 4 of those .* usually it takes 0\.30ms\.$/);
    expect(given(0)).toMatchObject({ id: 'slow-script', certainty: 'allowed' });
    expect(given(0)?.detail).toContain('Others for the same path were answered in 0.30ms');
  });

  it('keep quiet of a queue where the script is as slow without one', () => {
    const served = (around: Parameters<typeof surroundings>[0]) =>
      ids({ timing: { firstStdout: 3_000, lastStdout: 3_000, end: 3_001 }, around: surroundings(around) });
    expect(served({ openBefore: 9, servedMeanwhile: 9, usualWait: 900 })).toEqual(['pool-exhausted']);
    expect(served({ openBefore: 9, servedMeanwhile: 9, usualWait: 2_900 })).toEqual([]);
    expect(served({ openBefore: 2, servedMeanwhile: 300, freedBefore: 2 })).toEqual([]);
    expect(served({ openBefore: 2, openBeside: 2, servedMeanwhile: 2, freedBefore: 2 })).toEqual([]);
  });
});
