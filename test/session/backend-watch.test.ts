import { afterEach, describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/model/bytes.js';
import type { Surroundings } from '../../src/model/surroundings.js';
import { protocols } from '../../src/protocol/index.js';
import { recordingSession } from '../../src/session/recording-session.js';
import type { Session } from '../../src/session/session.js';
import { answer, FakeSource, type RequestOptions, request, tcp } from '../support/fake-source.js';

const open: Session[] = [];
afterEach(async () => {
  for (const session of open.splice(0)) await session.close();
});

/** A session that tells what it knew around each request when its findings were made, each time that they were. */
class Traffic extends FakeSource {
  readonly seen = new Map<number, (Surroundings | null)[]>();

  static async start(): Promise<Traffic> {
    const traffic = new Traffic();
    const session = recordingSession({
      source: traffic,
      protocol: protocols.fastcgi,
      clock: () => traffic.now,
      diagnose: ({ n, outcome }, surroundings) => {
        if (outcome !== null) traffic.seen.set(n, [...(traffic.seen.get(n) ?? []), surroundings]);
        return [];
      },
    });
    open.push(session);
    await session.start();
    return traffic;
  }

  /** The last word on a request. */
  around(n: number): Surroundings | null | undefined {
    return this.seen.get(n)?.at(-1);
  }

  wait(milliseconds: number): this {
    this.now += milliseconds * 1_000;
    return this;
  }

  ask(id: number, options: RequestOptions = {}): void {
    this.bytes(id, 'client', request(options));
  }

  reply(id: number, options: RequestOptions = {}): void {
    this.bytes(id, 'server', answer(options));
  }

  /** A request and its answer, `milliseconds` later. */
  exchange(id: number, milliseconds: number, options: RequestOptions = {}): void {
    this.ask(id, options);
    this.wait(milliseconds).reply(id, options);
  }

  over(id: number, side: 'client' | 'server', how: 'fin' | 'reset' = 'fin'): void {
    this.end(id, side, how);
    this.end(id, side === 'server' ? 'client' : 'server', 'fin');
    this.close(id);
  }

  refuse(): number {
    const id = this.connect();
    this.ask(id);
    this.say({
      kind: 'failed',
      connection: id,
      at: this.now,
      failure: { reason: 'refused', errno: 'ECONNREFUSED', message: 'connect failed' },
    });
    this.close(id);
    return id;
  }
}

describe('what is known around a request', () => {
  it('is nothing for one that is quick and answered', async () => {
    const traffic = await Traffic.start();
    traffic.exchange(traffic.connect(), 499);
    expect(traffic.seen.get(1)).toEqual([null]);
  });

  it('tells one that waited for a worker from one that was overtaken', async () => {
    const traffic = await Traffic.start();
    const [a, b, c] = [traffic.connect(), traffic.connect(), traffic.connect()];
    traffic.ask(a);
    traffic.ask(b);
    traffic.wait(600).reply(a);
    traffic.wait(2).reply(b);
    expect(traffic.around(2)).toMatchObject({ openBefore: 1, servedMeanwhile: 1, overtakenBy: 0, freedBefore: 2.1 });
    traffic.ask(a);
    const late = traffic.connect();
    traffic.exchange(late, 5);
    traffic.exchange(c, 5);
    traffic.wait(900).reply(a);
    expect(traffic.around(3)).toMatchObject({ servedMeanwhile: 2, overtakenBy: 2, openBeside: 0 });
  });

  it('ends the wait of a request when the web server gives it up, and knows how many are worked on at once', async () => {
    const traffic = await Traffic.start();
    const [slow, given] = [traffic.connect(), traffic.connect()];
    traffic.ask(slow);
    traffic.exchange(traffic.connect(), 5);
    traffic.wait(600).reply(slow);
    traffic.ask(slow);
    traffic.ask(given);
    traffic.wait(900).end(given, 'client', 'fin');
    traffic.wait(900).exchange(traffic.connect(), 5);
    traffic.reply(slow);
    traffic.wait(2).reply(given);
    traffic.end(given, 'server', 'fin');
    traffic.close(given);
    expect(traffic.around(4)).toMatchObject({ openBefore: 1, servedMeanwhile: 0, overtakenBy: 0, abreast: 2 });
  });

  it('counts kept connections that are idle, and not such as are about to close', async () => {
    const traffic = await Traffic.start();
    const kept = traffic.connect();
    traffic.exchange(kept, 1);
    traffic.exchange(traffic.connect(), 1, { keep: false });
    const waiting = traffic.connect();
    traffic.ask(waiting);
    traffic.wait(900).over(kept, 'server');
    traffic.wait(3).reply(waiting);
    expect(traffic.around(3)).toMatchObject({ idleConnections: 1, idleBefore: null, freedBefore: null });
    expect(traffic.around(3)?.releasedBefore).toBeCloseTo(3.3);
    traffic.exchange(traffic.connect(), 600);
    expect(traffic.around(4)).toMatchObject({ idleConnections: 1, releasedBefore: null });
  });

  it('does not take a connection that could not be made for an idle one', async () => {
    const traffic = await Traffic.start();
    traffic.refuse();
    traffic.exchange(traffic.connect(), 600);
    expect(traffic.around(2)).toMatchObject({ idleConnections: 0, releasedBefore: null });
  });

  it('tells how long the connection was idle, and how long it took to come to its first request', async () => {
    const traffic = await Traffic.start();
    const id = traffic.connect();
    traffic.wait(1_000).exchange(id, 1);
    expect(traffic.around(1)).toMatchObject({ opening: 1000.1, idleBefore: null });
    traffic.wait(70).exchange(id, 700);
    expect(traffic.around(2)).toMatchObject({ opening: null, idleBefore: 70.1 });
  });

  it('knows what is usual for a path, whatever its query, once three have told', async () => {
    const traffic = await Traffic.start();
    const id = traffic.connect();
    traffic.exchange(id, 800, { path: '/b?0' });
    for (const [i, wait] of [7, 3, 5].entries()) {
      expect(traffic.around(1)?.usualWait).toBeNull();
      traffic.exchange(id, wait, { path: `/b?${i}` });
    }
    for (let i = 0; i < 2; i += 1) traffic.exchange(id, 4, { path: '/bc' });
    traffic.exchange(id, 900, { path: '/b' });
    expect(traffic.around(7)?.usualWait).toBe(7.1);
    traffic.exchange(id, 900, { path: '/bc' });
    expect(traffic.around(8)?.usualWait).toBeNull();
  });

  it('knows which of the requests on its own connection ended last', async () => {
    const traffic = await Traffic.start();
    const id = traffic.connect();
    traffic.ask(id, { requestId: 1 });
    traffic.ask(id, { requestId: 3 });
    traffic.wait(700).reply(id, { requestId: 1 });
    traffic.wait(4).reply(id, { requestId: 3 });
    expect(traffic.around(2)).toMatchObject({ openBeside: 1, freedBeside: 4.1 });
    expect(traffic.around(1)).toMatchObject({ openBeside: 0, freedBeside: null });
  });

  it('is not how long a connection was silent where requests may have been lost', async () => {
    const traffic = await Traffic.start();
    const id = traffic.connect();
    traffic.gap(id, 'client', 500);
    traffic.gap(id, 'server', 500);
    traffic.wait(1_000).exchange(id, 600);
    expect(traffic.around(1)).toMatchObject({ opening: null });
    traffic.gap(id, 'client', 500);
    traffic.wait(70).exchange(id, 700);
    expect(traffic.around(2)).toMatchObject({ idleBefore: null });
  });

  it('keeps backends apart', async () => {
    const traffic = await Traffic.start();
    const other = traffic.connect(tcp(40_001), tcp(9_001));
    traffic.ask(other);
    traffic.exchange(traffic.connect(), 600);
    expect(traffic.around(2)).toMatchObject({ openBefore: 0, backend: { answered: 0 } });
  });
});

describe('connections that a backend ends together', () => {
  it('are seen in the light of all, the first ones once more', async () => {
    const traffic = await Traffic.start();
    const ids = [traffic.connect(), traffic.connect(), traffic.connect()];
    traffic.ask(ids[0]!);
    traffic.wait(300).ask(ids[1]!);
    traffic.wait(300).ask(ids[2]!);
    for (const id of ids) traffic.over(id, 'server', 'reset');
    for (const n of [1, 2, 3]) expect(traffic.around(n)?.lostTogether).toBe(2);
    const ages = traffic.around(2)?.lostAges;
    expect([Math.floor(ages!.shortest), Math.floor(ages!.longest)]).toEqual([0, 600]);
    expect(traffic.seen.get(1)?.map((seen) => seen?.lostTogether)).toEqual([0, 1, 2]);
  });

  it('are no companions when they end apart, even if they are told of late', async () => {
    const traffic = await Traffic.start();
    const [a, b] = [traffic.connect(), traffic.connect()];
    traffic.ask(a);
    traffic.ask(b);
    traffic.end(a, 'server', 'reset');
    traffic.wait(90).over(b, 'server', 'reset');
    traffic.end(a, 'client', 'fin');
    traffic.close(a);
    expect(traffic.around(1)).toMatchObject({ lostTogether: 0 });
    expect(traffic.around(2)).toMatchObject({ lostTogether: 0 });
  });

  it('are counted as connections, of which several requests may be lost', async () => {
    const traffic = await Traffic.start();
    const id = traffic.connect();
    for (const requestId of [1, 3, 5]) traffic.ask(id, { requestId });
    traffic.wait(200).over(id, 'server', 'reset');
    for (const n of [1, 2, 3]) expect(traffic.around(n)).toMatchObject({ lostTogether: 0 });
  });

  it('may have been idle, but not if their last request had just been answered', async () => {
    const traffic = await Traffic.start();
    const [idle, brief, busy] = [traffic.connect(), traffic.connect(), traffic.connect()];
    traffic.exchange(idle, 1);
    traffic.wait(400).ask(busy);
    traffic.wait(300).exchange(brief, 1);
    traffic.over(busy, 'server', 'reset');
    traffic.over(idle, 'server');
    traffic.over(brief, 'server');
    expect(traffic.around(2)).toMatchObject({ lostTogether: 1 });
  });

  it('cost little when they are very many', async () => {
    const traffic = await Traffic.start();
    const ids = Array.from({ length: 100 }, () => traffic.connect());
    for (const id of ids) traffic.ask(id);
    for (const id of ids) {
      traffic.now -= 250;
      traffic.over(id, 'server', 'reset');
    }
    const looks = [...traffic.seen.values()].reduce((sum, seen) => sum + seen.length, 0);
    expect(looks).toBeLessThan(100 * 8);
    expect(traffic.around(100)?.lostTogether).toBeGreaterThan(30);
  });
});

describe('what a backend did before', () => {
  it('is counted, and whom it answered is known', async () => {
    const traffic = await Traffic.start();
    traffic.roundTrip();
    traffic.wait(2_000).exchange(traffic.connect(tcp(1, '10.0.0.1')), 800);
    const { answered, peerAnswered, sinceAnswer } = traffic.around(2)!.backend;
    expect({ answered, peerAnswered, sinceAnswer: Math.floor(sinceAnswer!) }).toEqual({
      answered: 1,
      peerAnswered: false,
      sinceAnswer: 2_000,
    });
    traffic.exchange(traffic.connect(), 800);
    expect(traffic.around(3)?.backend).toMatchObject({ answered: 2, peerAnswered: true });
  });

  it('is that it cannot be reached, until it answers', async () => {
    const traffic = await Traffic.start();
    traffic.refuse();
    traffic.wait(4_000).refuse();
    expect(traffic.around(1)?.backend.failingFor).toBeLessThan(1);
    expect(Math.floor(traffic.around(2)!.backend.failingFor!)).toBe(4_000);
    traffic.roundTrip();
    traffic.refuse();
    expect(traffic.around(4)?.backend.failingFor).toBeLessThan(1);
  });

  it('is that it cut requests off after the same time, and others as they came', async () => {
    const traffic = await Traffic.start();
    const cut = (after: number) => {
      const id = traffic.connect();
      traffic.ask(id);
      traffic.wait(after).over(id, 'server', 'reset');
    };
    for (const after of [2_100, 900, 2_600, 5, 2_300]) cut(after);
    expect([1, 2, 3, 5].map((n) => traffic.around(n)?.cutAlike)).toEqual([0, 0, 1, 2]);
    expect(traffic.around(5)?.backend).toMatchObject({ cutAtOnce: 1 });
    expect(Math.floor(traffic.around(5)!.backend.sinceCut!)).toBe(5);
    traffic.roundTrip();
    cut(3);
    expect(traffic.around(7)?.backend.cutAtOnce).toBe(0);
  });

  it('is that it left a request unread, until it answers: a reset says so, a close after the request does not', async () => {
    const traffic = await Traffic.start();
    const cut = (how: 'fin' | 'reset') => {
      const id = traffic.connect();
      traffic.ask(id);
      traffic.wait(1).over(id, 'server', how);
    };
    for (const how of ['fin', 'fin', 'reset', 'fin'] as const) cut(how);
    const unread = (n: number) => traffic.around(n)?.backend.leftUnread;
    expect([1, 2, 3, 4].map(unread)).toEqual([false, false, false, true]);
    traffic.roundTrip();
    cut('fin');
    expect(unread(6)).toBe(false);
  });

  it('is that it was silent, not that it was slow', async () => {
    const traffic = await Traffic.start();
    const giveUp = (stderr: boolean) => {
      const id = traffic.connect();
      traffic.ask(id);
      if (stderr) traffic.bytes(id, 'server', answer({ stderr: 'x', stdout: '' }).subarray(0, 16));
      traffic.wait(1_000).over(id, 'client');
    };
    giveUp(false);
    giveUp(true);
    giveUp(false);
    expect(traffic.around(3)?.backend).toMatchObject({ unanswered: 1, answered: 0 });
  });
});

describe('a kept connection that the backend ends while it is idle', () => {
  const serve = (traffic: Traffic, requests: number, idle: number): void => {
    const id = traffic.connect();
    for (let i = 0; i < requests; i += 1) traffic.exchange(id, 1);
    traffic.wait(idle).over(id, 'server');
  };

  it('says nothing of a number of requests that is not known', async () => {
    const traffic = await Traffic.start();
    for (let i = 0; i < 3; i += 1) {
      const id = traffic.connect();
      traffic.exchange(id, 1);
      traffic.gap(id, 'client', 40);
      traffic.exchange(id, 1);
      traffic.over(id, 'server');
    }
    expect([...traffic.seen.values()].flat().every((seen) => seen === null)).toBe(true);
  });

  it('says nothing once, and a habit the second time', async () => {
    const traffic = await Traffic.start();
    serve(traffic, 3, 0);
    serve(traffic, 3, 0);
    expect(traffic.seen.get(3)).toEqual([null]);
    expect(traffic.around(6)?.idleEnd).toMatchObject({ requests: 3, alikeCount: 1 });
    serve(traffic, 2, 3_000);
    serve(traffic, 4, 3_600);
    expect(traffic.around(8)).toBeNull();
    expect(traffic.around(12)?.idleEnd).toMatchObject({ requests: 4, alikeAge: 1 });
  });

  it('is no habit when many end at the same moment', async () => {
    const traffic = await Traffic.start();
    const ids = [traffic.connect(), traffic.connect(), traffic.connect()];
    for (const id of ids) traffic.exchange(id, 1);
    traffic.wait(5_000);
    for (const id of ids) traffic.over(id, 'server');
    for (const n of [1, 2, 3]) expect(traffic.around(n)).toBeNull();
  });

  it('is told of a few times where none was ever kept', async () => {
    const traffic = await Traffic.start();
    for (let i = 0; i < 6; i += 1) serve(traffic, 1, 0);
    expect([1, 2, 3, 4, 5, 6].map((n) => traffic.around(n)?.idleEnd ?? null)).toEqual([
      null,
      null,
      expect.objectContaining({ requests: 1, alikeCount: 2, neverReused: true }),
      null,
      null,
      expect.objectContaining({ alikeCount: 5 }),
    ]);
  });

  it('is nobody’s fault when it was not to be kept, or the web server ended it', async () => {
    const traffic = await Traffic.start();
    for (let i = 0; i < 4; i += 1) {
      traffic.roundTrip();
      const id = traffic.connect();
      traffic.exchange(id, 1);
      traffic.over(id, 'client');
    }
    expect([...traffic.seen.values()].flat().every((around) => around === null)).toBe(true);
  });

  it('explains the request that met it', async () => {
    const traffic = await Traffic.start();
    serve(traffic, 2, 0);
    const id = traffic.connect();
    traffic.exchange(id, 1);
    traffic.exchange(id, 1);
    traffic.end(id, 'server', 'fin');
    traffic.ask(id);
    traffic.end(id, 'client', 'fin');
    traffic.close(id);
    expect(traffic.around(5)).toMatchObject({ idleBefore: 0.2, backend: { closedAtCount: 1 } });
  });

  it('is held apart from requests of the same bytes', async () => {
    const traffic = await Traffic.start();
    const id = traffic.connect();
    traffic.bytes(id, 'client', concatBytes([request({ requestId: 1 }), request({ requestId: 3 })]));
    traffic.reply(id, { requestId: 1 });
    traffic.wait(700).reply(id, { requestId: 3 });
    traffic.exchange(traffic.connect(), 600);
    expect(traffic.around(3)).toMatchObject({ idleConnections: 1, openBefore: 0 });
  });
});
