import { describe, expect, it } from 'vitest';
import { STDOUT } from '../support/exchange-fixture.js';
import { connectionEnd, diagnosed, type Situation, surroundings } from '../support/surroundings-fixture.js';
import { CASES, died, givenUp, streams } from './cases/dying.js';

const ids = (situation: Situation): string[] => diagnosed(situation).map(({ id }) => id);
const causes = (situation: Situation): string[] => diagnosed(situation)[0]!.alternatives.map(({ cause }) => cause);

describe('rules on backends that die', () => {
  it.each(CASES)('%s is the one finding', (id, trigger, nearMiss) => {
    expect(ids(trigger)).toEqual([id]);
    expect(ids(nearMiss)).not.toContain(id);
  });

  it('rank the causes by the time that it took', () => {
    expect(causes(died('reset', 12))[0]).toContain('crashed');
    expect(causes(died('reset', 2_000))[0]).toContain('limit on the time');
    expect(causes(died('fin', 12))[0]).toContain('ended itself');
  });

  it('take a late death for a limit even once, and an early one only with others', () => {
    expect(ids(died('reset', 30_400))).toEqual(['terminate-timeout']);
    expect(ids(died('reset', 2_000))).toEqual(['rst-before-any-byte']);
    expect(ids(died('fin', 30_400))).toEqual(['eof-before-any-byte']);
  });

  it('tell workers that reached a limit together from a backend that went away', () => {
    const together = (shortest: number, longest: number): Situation =>
      died('reset', 3_000, {
        around: surroundings({
          lostTogether: 1,
          lostAges: { shortest, longest },
          cutAlike: 1,
          backend: { answered: 1 },
        }),
      });
    expect(ids(together(2_700, 3_000))).toEqual(['terminate-timeout']);
    expect(ids(together(400, 3_000))).toEqual(['backend-restart-gap']);
  });

  it('know a response that was whole before the end', () => {
    const closed = (stdout: string): Situation => ({
      outcome: 'backend-closed',
      stdout,
      override: { connectionEnd: connectionEnd('backend', 'fin', 14, 'STDOUT record 1') },
    });
    const [whole] = diagnosed(closed('Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello'));
    expect(whole).toMatchObject({ id: 'crash-mid-response', severity: 'warning' });
    expect(whole?.alternatives[0]?.cause).toContain('never sends END_REQUEST');
    const [cut] = diagnosed(closed('Content-Type: text/plain\r\nContent-Length: 50\r\n\r\nhello'));
    expect(cut).toMatchObject({ id: 'crash-mid-response', severity: 'error' });
    expect(diagnosed(closed(STDOUT))[0]).toMatchObject({ severity: 'error' });
  });

  it('say nothing of a page being whole when bytes of it are missing', () => {
    const [finding] = diagnosed({
      outcome: 'backend-closed',
      stdout: 'Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello',
      gaps: { stdout: [[10, 20]] },
    });
    expect(finding).toMatchObject({ id: 'crash-mid-response', severity: 'error' });
  });

  it('do not suspect the list of allowed clients where a Unix socket is, or anything came', () => {
    const around = surroundings();
    expect(ids(died('reset', 1, { around, override: { server: { kind: 'unix', path: '/run/x.sock' } } }))).toEqual([
      'rst-before-any-byte',
    ]);
    expect(ids(died('reset', 1, { around, stderr: 'a word' }))).not.toContain('peer-not-allowed');
    expect(ids(died('reset', 1))).toEqual(['rst-before-any-byte']);
  });

  it('say nothing of a request of which the beginning was not seen, or that still goes on at the capture’s end', () => {
    const partial = { paramsComplete: false, streams: streams({ paramsEnded: false, stdinEnded: false }) };
    expect(ids(givenUp(5_000, { override: { ...partial, role: 'unknown' } }))).not.toContain(
      'partial-request-pins-worker',
    );
    expect(
      ids({
        outcome: 'unfinished',
        stdout: '',
        override: { ...partial, connectionEnd: connectionEnd('capture-end', 'capture-end', 5_000) },
      }),
    ).toEqual([]);
  });

  it('leave a web server that gave up to the rules on waiting, once the backend was heard', () => {
    const heard = surroundings({ backend: { answered: 4, peerAnswered: true, unanswered: 3 } });
    expect(ids(givenUp(3_000, { around: heard }))).not.toContain('silent-after-accept');
  });

  it('say that nginx logs a reset, and a close only on a kept connection', () => {
    const [finding] = diagnosed({ outcome: 'backend-reset', params: { SERVER_SOFTWARE: 'nginx/1.22.1' } });
    expect(finding!.id).toBe('crash-mid-response');
    const said = finding!.advice.find((text) => text.includes('nothing is logged'));
    expect(said).toMatch(/^nginx: A reset it notices.* A close \(FIN\) only with fastcgi_keep_conn on/);
  });
});
