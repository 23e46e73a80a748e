import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/diagnosis/diagnose.js';
import { storedExchange } from '../support/exchange-fixture.js';
import { diagnosed, type Situation, surroundings } from '../support/surroundings-fixture.js';
import { CASES, failed } from './cases/connecting.js';

const ids = (situation: Situation): string[] => diagnosed(situation).map(({ id }) => id);

describe('rules on connecting', () => {
  it.each(CASES)('%s is the one finding', (id, trigger, nearMiss) => {
    expect(ids(trigger)).toEqual([id]);
    expect(ids(nearMiss)).not.toContain(id);
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
    const [finding] = diagnosed(failed(reason, 'tcp', errno));
    expect(finding?.id).toBe(id);
    expect(finding?.advice.join()).toContain(words);
  });

  it('think of missing IPv6 when an IPv6 address has no local one to go from', () => {
    const { exchange } = storedExchange(failed('other', 'tcp', 'EADDRNOTAVAIL'));
    const advice = (host: string) =>
      diagnose({ ...exchange, server: { kind: 'tcp', host, port: 9000 } })[0]?.advice.join();
    expect(advice('::1')).toContain('IPv6');
    expect(advice('127.0.0.1')).not.toContain('IPv6');
  });

  it('tell a path with something else than a socket from one with nothing', () => {
    expect(diagnosed(failed('missing', 'unix', 'ENOTSOCK'))[0]?.detail).toContain('no socket');
    expect(diagnosed(failed('missing', 'unix', 'ENOENT'))[0]?.detail).not.toContain('no socket');
  });

  it('say what a backend had done that is gone now', () => {
    const around = surroundings({ backend: { answered: 12, sinceAnswer: 1_500 } });
    expect(diagnosed(failed('refused', 'tcp', 'ECONNREFUSED', around))[0]?.detail).toContain(
      '12 requests before, the last 1.50s earlier',
    );
  });

  it('take a backend that answers again for one that has not gone', () => {
    const back = surroundings({ backend: { answered: 12, sinceAnswer: 300, sinceCut: 800, failingFor: 5_000 } });
    const first = surroundings({ backend: { answered: 12, sinceAnswer: 900, sinceCut: 800, failingFor: 0 } });
    expect(ids(failed('refused', 'unix', 'ECONNREFUSED', back))).toEqual(['no-respawn-after-max-requests']);
    expect(ids(failed('refused', 'unix', 'ECONNREFUSED', first))).toEqual(['backend-restart-gap']);
    expect(ids(failed('timed-out', 'tcp', 'ETIMEDOUT', first))).toEqual(['connect-timeout']);
  });

  it('leave a connection that took whole seconds to what went wrong on it', () => {
    const around = surroundings({ opening: 1_010 });
    expect(ids({ around })).toEqual(['tcp-backlog-full']);
    expect(ids({ around, override: { server: { kind: 'unix', path: '/run/x.sock' } } })).toEqual([]);
  });

  it('give the web server at hand its directive, and no other', () => {
    const params = { SERVER_SOFTWARE: 'lighttpd/1.4.69' };
    const advice = diagnosed({ ...failed('refused'), params })[0]?.advice.join('\n');
    expect(advice).toContain('fastcgi.server');
    expect(advice).not.toContain('nginx');
  });
});
