import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seenWhole } from '../../src/diagnosis/blind-spots.js';
import { diagnose } from '../../src/diagnosis/diagnose.js';
import type { Rule } from '../../src/diagnosis/rule.js';
import { RULES } from '../../src/diagnosis/rules/index.js';
import type { Exchange } from '../../src/model/exchange.js';
import type { Surroundings } from '../../src/model/surroundings.js';
import { storedExchange } from '../support/exchange-fixture.js';
import type { Situation } from '../support/surroundings-fixture.js';
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

/** A rule is asked only where one of its needs holds. It must have nothing to say anywhere else. */

const SITUATIONS: readonly Situation[] = [
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
].flatMap(([, trigger, nearMiss]) => [trigger, nearMiss]);

/** What diagnose says when every rule is asked, whatever it needs. */
function askedAll(exchange: Exchange, around: Surroundings | null): string[] {
  const allowed = RULES.filter(({ absence }) => {
    if (absence === undefined) return true;
    return absence === 'both'
      ? seenWhole(exchange, 'client') && seenWhole(exchange, 'server')
      : seenWhole(exchange, absence);
  });
  const ids: string[] = [];
  const of = (layer: Rule['layer']) => allowed.filter((rule) => rule.layer === layer);
  for (const rule of [...of('cause'), ...of('consequence')]) {
    const sighting = rule.check(exchange, around);
    if (sighting === null) continue;
    ids.push(rule.id);
    if (!sighting.beside) break;
  }
  return [...ids, ...of('remark').flatMap((rule) => (rule.check(exchange, around) === null ? [] : [rule.id]))].sort();
}

function asked(exchange: Exchange, around: Surroundings | null): string[] {
  return diagnose(exchange, around)
    .map(({ id }) => id)
    .sort();
}

const situation = fc.constantFrom(...SITUATIONS);

describe('what rules need', () => {
  it.each(SITUATIONS.map((each, index) => [index, each] as const))('loses no finding in situation %i', (_, each) => {
    const { exchange } = storedExchange(each);
    if (exchange.outcome === null) return;
    const around = each.around ?? null;
    expect(asked(exchange, around)).toEqual(askedAll(exchange, around));
  });

  it('loses none where one’s request gets another’s answer', () => {
    const part = fc.record(
      {
        method: fc.constantFrom('GET', 'HEAD', 'POST', null),
        role: fc.constantFrom('responder', 'authorizer', 'filter'),
        appStatus: fc.constantFrom(0, 1, null),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(situation, situation, part, (sent, answered, other) => {
        const request = storedExchange(sent).exchange;
        const { response, bodyHead, streams, stderrHead } = storedExchange(answered).exchange;
        const exchange: Exchange = {
          ...request,
          response,
          bodyHead,
          stderrHead,
          streams: { ...request.streams, stdout: streams.stdout, stderr: streams.stderr },
          ...(other as Partial<Exchange>),
        };
        if (exchange.outcome === null) return;
        const around = sent.around ?? null;
        expect(asked(exchange, around)).toEqual(askedAll(exchange, around));
      }),
      { numRuns: 2_000 },
    );
  });
});
