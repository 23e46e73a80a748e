import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Exchange } from '../../src/model/exchange.js';
import { RecentRequests } from '../../src/session/recent-requests.js';
import { storedExchange } from '../support/exchange-fixture.js';

/** In milliseconds. */
interface Answered {
  readonly begin: number;
  readonly wait: number;
  readonly rest: number;
  readonly path: string;
  readonly late: boolean;
}

const KEPT = 256;
const MS = 1_000;

const answered: fc.Arbitrary<Answered> = fc.record({
  begin: fc.nat(3_000),
  wait: fc.nat(2_000),
  rest: fc.nat(200),
  path: fc.constantFrom('/a', '/b', '/b?x=1', '/bc', '/c?y'),
  late: fc.boolean(),
});

function exchangeOf({ begin, wait, path, late }: Answered): Exchange {
  const { exchange } = storedExchange();
  return {
    ...exchange,
    url: `http://h${path}`,
    times: { ...exchange.times, begin: begin * MS, firstStdout: (begin + wait) * MS },
    connectionEnd: late
      ? { endedBy: 'web-server', how: 'fin', at: begin * MS - 1, afterRecords: 1, afterRecord: null }
      : null,
  };
}

const pathOf = (path: string): string => path.split('?')[0]!;

/** What the last ones say when each is looked at. */
function looked(all: readonly Answered[], path: string): { usual: number | null; abreast: number } {
  const last = all.slice(-KEPT);
  const waits = last
    .filter((one) => !one.late && pathOf(one.path) === pathOf(path))
    .map(({ wait }) => wait)
    .sort((a, b) => a - b);
  const abreast = last
    .filter(({ late }) => !late)
    .map((one) => {
      const answer = one.begin + one.wait + 50;
      return last.filter(({ begin, wait, rest }) => begin < one.begin && begin + wait + rest > answer).length + 1;
    });
  return { usual: waits.length < 3 ? null : waits[waits.length >> 1]!, abreast: Math.max(1, ...abreast) };
}

describe('recent requests', () => {
  it('say what a look at each of the last ones would, however seldom they are asked', () => {
    const steps = fc.array(fc.tuple(fc.array(answered, { maxLength: 40 }), fc.integer({ min: 1, max: 12 })), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(steps, (rounds) => {
        const recent = new RecentRequests();
        const all: Answered[] = [];
        for (const [some, times] of rounds) {
          for (let i = 0; i < times; i += 1) {
            for (const one of some) {
              recent.add(exchangeOf(one), (one.begin + one.wait + one.rest) * MS);
              all.push(one);
            }
          }
          for (const path of ['/a', '/b?other', '/c', '/none']) {
            expect(recent.usualWait(`http://h${path}`)).toBe(looked(all, path).usual);
          }
          expect(recent.abreast()).toBe(looked(all, '/a').abreast);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('remember as many as they did', () => {
    const recent = new RecentRequests();
    const add = (path: string, wait: number) =>
      recent.add(exchangeOf({ begin: 0, wait, rest: 0, path, late: false }), wait * MS);
    for (let i = 0; i < 3; i += 1) add('/old', 7);
    expect(recent.usualWait('http://h/old')).toBe(7);
    for (let i = 0; i < KEPT - 1; i += 1) add(`/new/${i}`, 1);
    expect(recent.usualWait('http://h/old')).toBeNull();
    expect(recent.takenUp('http://h/old', 0, 2_000 * MS)).toBe(1_986);
    add('/new', 1);
    expect(recent.takenUp('http://h/old', 0, 2_000 * MS)).toBeNull();
  });
});
