import { describe, expect, it } from 'vitest';
import { RecentRequests } from '../../src/session/recent-requests.js';
import { BEGIN, storedExchange } from '../support/exchange-fixture.js';
import { connectionEnd } from '../support/surroundings-fixture.js';

/** Requests for one path, each by when it began, got its first byte and ended, in milliseconds. */
function recent(...requests: readonly (readonly [begin: number, first: number, end: number])[]): RecentRequests {
  const all = new RecentRequests();
  for (const [begin, first, end] of requests) {
    const timing = { firstStdout: first - begin, lastStdout: end - begin, end: end - begin };
    const { exchange } = storedExchange({ begin: at(begin), timing });
    all.add(exchange, at(end));
  }
  return all;
}

const at = (milliseconds: number): number => BEGIN + milliseconds * 1_000;
const URL = storedExchange().exchange.url;
/** Began 100 ms after the first, and got its first byte at `first`. */
const takenUp = (all: RecentRequests, first: number): number | null => all.takenUp(URL, at(100), at(first));

describe('when a request was taken up', () => {
  it('is told by the quickest for its path, and how near another ended', () => {
    const all = recent([0, 1_500, 1_501], [0, 1_520, 1_521]);
    expect(takenUp(all, 3_004)).toBe(3);
    expect(takenUp(all, 3_400)).toBe(379);
  });

  it('is not told of one that was about as quick, for an unknown path, or when none ended', () => {
    const all = recent([0, 1_500, 1_501]);
    expect(takenUp(all, 1_900)).toBeNull();
    expect(all.takenUp('http://shop.example/other.php', at(100), at(3_004))).toBeNull();
    expect(all.takenUp(null, at(100), at(3_004))).toBeNull();
    expect(all.takenUp(URL, at(1_600), at(9_000))).toBeNull();
  });

  it('is not told of one that newer ones had overtaken by then, but of one that was overtaken while it was served', () => {
    expect(takenUp(recent([0, 1_500, 1_501], [200, 1_490, 1_491]), 3_004)).toBeNull();
    expect(takenUp(recent([0, 1_500, 1_501], [200, 1_800, 1_801]), 3_004)).toBe(3);
  });
});

describe('how many requests a backend works on at once', () => {
  it('is told by those that were answered while some before them were open', () => {
    expect(recent().abreast()).toBe(1);
    // Many are open at once, and one is served after the other.
    expect(recent([0, 100, 101], [10, 200, 201], [20, 300, 301]).abreast()).toBe(1);
    expect(recent([10, 20, 21], [30, 40, 41], [0, 500, 501]).abreast()).toBe(2);
    expect(recent([10, 20, 21], [5, 500, 501], [0, 500, 501]).abreast()).toBe(3);
  });
});

describe('what is usual for a path', () => {
  it('is not told by answers that came when the web server had gone', () => {
    const all = recent([0, 3, 4], [10, 13, 14], [20, 23, 24]);
    expect(all.usualWait(URL)).toBe(3);
    for (let i = 0; i < 9; i += 1) {
      const { exchange } = storedExchange({
        timing: { firstStdout: 8_000, lastStdout: 8_000, end: 8_001 },
        override: { connectionEnd: connectionEnd('web-server', 'fin', 5_000) },
      });
      all.add(exchange, at(8_001));
    }
    expect(all.usualWait(URL)).toBe(3);
  });
});
