import { describe, expect, it } from 'vitest';
import { LINGER_LIMIT, LINGER_TIME } from '../../src/packet/ended-flows.js';
import { FLOWS_LIMIT } from '../../src/packet/flow-table.js';
import { FlowWatch, SERVER, Talk } from '../support/flow-watch.js';
import { FLAGS } from '../support/packets.js';

describe('a connection in order', () => {
  it('opens with its first bytes, keeps the order of the two sides, and ends with both', () => {
    const watch = new FlowWatch();
    new Talk(watch)
      .shake()
      .say('client', '>ask')
      .ack('server')
      .say('server', 'answer')
      .fin('client')
      .fin('server')
      .ack('client');
    expect(watch.told()).toEqual(['open', '>>ask', '<answer', '> fin', '< fin', 'closed']);
    const [open, bytes] = watch.events;
    expect(open).toMatchObject({
      at: 1_000_010,
      client: { kind: 'tcp', host: '10.0.0.1', port: 40_000 },
      server: { kind: 'tcp', host: '10.0.0.2', port: 9000 },
    });
    expect(bytes).toMatchObject({ at: 1_000_040, origin: 1_000 + 3 * (40 + 16) + 40 });
  });

  it('ends what is open when the capture does', () => {
    const watch = new FlowWatch();
    new Talk(watch).shake().say('client', '>ask').fin('client');
    watch.table.finish();
    expect(watch.told()).toEqual(['open', '>>ask', '> fin', '< capture-end', 'closed']);
  });
});

describe('time', () => {
  it('never goes back within a connection', () => {
    const watch = new FlowWatch();
    const talk = new Talk(watch).shake();
    for (const at of [2_000_000, 1_500_000, 2_500_000]) talk.send('client', '>', FLAGS.ack, { at });
    watch.table.finish();
    expect(watch.events.map((event) => event.at)).toEqual([
      1_000_010, 2_000_000, 2_000_000, 2_500_000, 2_500_000, 2_500_000, 2_500_000,
    ]);
  });

  it('ends what was silent for hours', () => {
    const watch = new FlowWatch();
    new Talk(watch).shake().say('client', '>ask');
    for (let minutes = 0; minutes < 140; minutes += 20) {
      watch.time += 20 * 60_000_000;
      new Talk(watch, { host: '10.0.0.9', port: 1 }, SERVER, { client: minutes, server: 0 }).syn();
    }
    expect(watch.told()).toEqual(['open', '>>ask', '> timeout', '< timeout', 'closed']);
    expect(watch.table.flows).toBe(1);
  });

  it.each([2.2, 3, 9])('does not end a connection that speaks again after %d hours', (hours) => {
    const watch = new FlowWatch();
    const talks = [1, 2].map((port) => new Talk(watch, { host: '10.0.0.1', port }).shake().say('client', '>one'));
    for (const talk of talks) talk.say('server', 'eins');
    watch.time += hours * 3_600_000_000;
    // The clock believes the second of these packets, which is that of another connection than the first.
    for (const talk of talks) talk.say('client', 'two');
    for (const talk of talks) talk.say('server', 'zwei').say('client', 'three');
    for (const connection of [1, 2])
      expect(watch.told(connection)).toEqual(['open', '>>one', '<eins', '>two', '<zwei', '>three']);
  });

  it('ends a connection that does not, when others go on', () => {
    const watch = new FlowWatch();
    new Talk(watch, { host: '10.0.0.1', port: 1 }).shake().say('client', '>one');
    const talk = new Talk(watch).shake().say('client', '>one');
    watch.time += 9 * 3_600_000_000;
    talk.say('server', 'eins').say('client', 'two');
    expect(watch.told(1).slice(-3)).toEqual(['> timeout', '< timeout', 'closed']);
    expect(watch.told(2)).toEqual(['open', '>>one', '<eins', '>two']);
  });

  it('is not moved by a single packet from another age', () => {
    const watch = new FlowWatch();
    const talk = new Talk(watch).shake().say('client', '>ask');
    new Talk(watch, { host: '10.0.0.9', port: 1 }).send('client', '', FLAGS.syn, { at: 4e15 });
    new Talk(watch, { host: '10.0.0.9', port: 2 }).send('client', '', FLAGS.syn, { at: 0 });
    talk.say('server', 'answer');
    expect(watch.told()).toEqual(['open', '>>ask', '<answer']);
    expect(watch.events.at(-1)?.at).toBe(1_000_070);
  });

  it('may begin anew, as in files that were put together', () => {
    const watch = new FlowWatch();
    new Talk(watch).shake().say('client', '>ask');
    watch.time = 5;
    const talk = new Talk(watch, { host: '10.0.0.9', port: 1 }).shake().say('client', '>').lose('client', 'lost');
    talk.say('server', 'answer');
    watch.time += 200_000;
    talk.ack('client');
    expect(watch.told(2)).toEqual(['open', '>>', '> gap 4', '<answer']);
  });
});

describe('many connections', () => {
  it('in which something waits are given up in time, though not all are looked at for each packet', () => {
    const watch = new FlowWatch({ ports: [9000] });
    const count = 3_000;
    for (let port = 1; port <= count; port += 1) {
      const talk = new Talk(watch, { host: '10.0.0.1', port }).shake().say('client', '>');
      talk.lose('client', 'lost').say('client', 'more');
      watch.time += 1_000;
    }
    const talk = new Talk(watch, { host: '10.0.0.9', port: 1 }).shake();
    for (let i = 0; i < count; i += 1) {
      watch.time += 30_000;
      talk.ack('client');
    }
    expect(watch.events.filter((event) => event.kind === 'gap')).toHaveLength(count);
  });

  it('are remembered in bounded numbers, those that were silent the longest going first', () => {
    const watch = new FlowWatch();
    const talk = new Talk(watch, { host: '10.0.0.9', port: 1 }).shake().say('client', '>');
    for (let i = 0; i < 70_000; i += 1) {
      new Talk(watch, { host: `10.1.${i >> 15}.1`, port: 1 + (i & 0x7fff) }).syn();
      if (i % 10_000 === 0) talk.ack('client');
    }
    expect(watch.table.flows).toBeLessThanOrEqual(FLOWS_LIMIT);
    expect(watch.table.flows).toBeGreaterThan(FLOWS_LIMIT * 0.9);
    talk.say('client', 'still there');
    expect(watch.told()).toEqual(['open', '>>', '>still there']);
  });

  it('that are given up while they are open are counted, and what is still answered is no connection of its own', () => {
    const watch = new FlowWatch();
    const talks: Talk[] = [];
    for (let port = 1; port <= 10_000; port += 1) {
      talks.push(new Talk(watch, { host: '10.0.0.9', port }).shake().say('client', '>'));
    }
    for (let i = 0; i < 60_000; i += 1) new Talk(watch, { host: `10.1.${i >> 15}.1`, port: 1 + (i & 0x7fff) }).syn();
    const { counts } = watch.table;
    expect(counts.evicted).toBeGreaterThan(1_000);
    expect(counts.evicted).toBeLessThan(10_000);
    for (const talk of talks) talk.say('server', '<answer').ack('client').fin('server');
    expect(counts).toMatchObject({ connections: 10_000, discardedSegments: counts.evicted });
    expect(counts.discardedBytes).toBe(7 * counts.evicted);
    // Who asks again is shown again.
    talks[0]!.say('client', '>again').say('server', 'answer');
    watch.time += 200_000;
    talks[0]!.ack('client');
    expect(watch.told(10_001)).toEqual(['open midstream', '>>again', '<answer']);
  });

  it('are forgotten some time after they ended', () => {
    const watch = new FlowWatch();
    for (let port = 1; port <= 20_000; port += 1) {
      new Talk(watch, { host: '10.0.0.1', port }).shake().say('client', '>').reset('server');
    }
    expect(watch.table.flows).toBe(LINGER_LIMIT);
    const last = new Talk(watch, { host: '10.0.0.1', port: 20_000 }, SERVER, { client: 1_003, server: 5_003 });
    last.say('client', 'late').say('server', 'late').ack('client');
    expect(watch.table.counts).toMatchObject({ stray: 0, connections: 20_000 });
    expect(watch.told(20_000)).toEqual(['open', '>>', '< reset', 'closed']);
    watch.time += LINGER_TIME + 1;
    last.say('client', '>new');
    watch.table.finish();
    expect(watch.said('client', 20_001)).toBe('>new');
  });

  it('begin with a SYN or with bytes, not with what is left of others', () => {
    const watch = new FlowWatch({ ports: [9000] });
    new Talk(watch).ack('client').fin('server').reset('client').ack('server');
    watch.table.finish();
    expect(watch.events).toEqual([]);
    expect(watch.table.counts.stray).toBe(4);
  });

  it('with addresses that have the same hash are kept apart', () => {
    // Both directions of all pairs of a few hosts and ports: the hash is symmetric, so some must meet.
    const watch = new FlowWatch();
    const talks: Talk[] = [];
    for (const a of ['10.0.0.1', '10.0.0.2', '::1', '::ffff:10.0.0.1']) {
      for (const b of ['10.0.0.1', '10.0.0.2', '::1', '::ffff:10.0.0.1']) {
        if (a.includes(':') !== b.includes(':')) continue;
        for (const [from, to] of [
          [1, 2],
          [2, 3],
        ] as const) {
          if (a === b && from === to) continue;
          talks.push(new Talk(watch, { host: a, port: from }, { host: b, port: to }).shake());
        }
      }
    }
    talks.forEach((talk, i) => {
      talk.say('client', `>${i}`);
    });
    talks.forEach((talk, i) => {
      talk.say('server', `${i}`);
    });
    expect(watch.events.filter((event) => event.kind === 'open')).toHaveLength(talks.length);
    talks.forEach((_, i) => {
      expect(watch.told(i + 1)).toEqual(['open', `>>${i}`, `<${i}`]);
    });
  });
});
