import { describe, expect, it } from 'vitest';
import { FlowWatch, latin, SERVER, Talk } from '../support/flow-watch.js';
import { FLAGS } from '../support/packets.js';

/** A connection on which a question was asked and answered. */
function begun(watch: FlowWatch = new FlowWatch()): { watch: FlowWatch; talk: Talk } {
  const talk = new Talk(watch).shake().say('client', '>ask').say('server', 'answer').ack('client');
  return { watch, talk };
}
const BEGUN = ['open', '>>ask', '<answer'];

describe('numbers that are far from those of the connection', () => {
  it.each([5_000_000, 500_000_000, 2 ** 30 + 5, 2 ** 31 - 1, -500_000_000])('%d away are a stray', (away) => {
    const { watch, talk } = begun();
    const stray = { ...talk.ways('server'), sequence: talk.next('server') + away, payload: latin('stray') };
    watch.segment({ ...stray, acknowledgement: talk.next('client') });
    for (let i = 0; i < 100; i += 1) {
      watch.time += 1_000_000;
      talk.say('client', 'more').ack('server').say('server', 'again').ack('client');
    }
    watch.table.finish();
    expect(watch.said('client')).toBe(`>ask${'more'.repeat(100)}`);
    expect(watch.said('server')).toBe(`answer${'again'.repeat(100)}`);
    expect(watch.table.counts).toMatchObject({ missingBytes: 0, discardedSegments: 1, discardedBytes: 5 });
    expect(watch.table.heldBytes).toBe(0);
  });

  it('that are acknowledged alone say nothing', () => {
    const { watch, talk } = begun();
    const far = {
      ...talk.ways('server'),
      sequence: talk.next('server'),
      acknowledgement: talk.next('client') + 2 ** 26,
    };
    for (let i = 0; i < 3; i += 1) watch.segment(far);
    watch.time += 200_000;
    talk.ack('client').say('client', 'more').say('server', 'again');
    expect(watch.told()).toEqual([...BEGUN, '>more', '<again']);
  });

  it('of one direction are a gap when the other side acknowledges them', () => {
    for (const answer of ['before', 'after'] as const) {
      const { watch, talk } = begun();
      talk.say('client', 'big');
      // What the capture has lost of the answer.
      const far = new Talk(watch, undefined, undefined, {
        client: talk.next('client'),
        server: talk.next('server') + 100_000_000,
      });
      if (answer === 'before') far.ack('client').say('server', 'tail').ack('client');
      else far.say('server', 'tail').ack('client');
      watch.time += 200_000;
      far.say('client', 'more').say('server', 'again');
      watch.table.finish();
      expect(watch.told().slice(0, 8)).toEqual([...BEGUN, '>big', '< gap 100000000', '<tail', '>more', '<again']);
      expect(watch.table.counts.discardedSegments).toBe(0);
    }
  });

  it('of one direction are a gap when it goes on there, though nobody acknowledges it', () => {
    const watch = new FlowWatch();
    const talk = new Talk(watch);
    talk.say('server', '<a').say('server', 'b');
    watch.time += 200_000;
    const far = new Talk(watch, undefined, undefined, { client: 1_000, server: talk.next('server') + 50_000_000 });
    for (const text of ['c', 'd', 'e']) far.say('server', text);
    watch.table.finish();
    expect(watch.told().slice(0, 7)).toEqual(['open midstream', '<<a', '<b', '< gap 50000000', '<c', '<d', '<e']);
  });
});

describe('ports that are used again without a SYN in the capture', () => {
  it.each([
    [900_000_000, 2_000_000_000],
    [3_500_000_000, 3_000_000_000],
    [2_200_000_000, 40_000_000],
  ])('make another connection when both sides agree on its numbers: %d, %d', (client, server) => {
    const { watch } = begun();
    watch.time += 100_000_000;
    const again = new Talk(watch, undefined, undefined, { client, server });
    again.say('client', '>new').ack('server').say('server', 'two').ack('client').say('client', 'more');
    watch.time += 200_000;
    again.fin('client').fin('server');
    expect(watch.told()).toEqual([...BEGUN, 'note', '> timeout', '< timeout', 'closed']);
    expect(watch.told(2)).toEqual(['open midstream', '>>new', '<two', '>more', '> fin', '< fin', 'closed']);
    expect(watch.table.counts).toMatchObject({ missingBytes: 0, discardedSegments: 0, connections: 2 });
    for (const event of watch.events) {
      if (event.kind === 'bytes') expect(watch.stored(event.origin, event.bytes.length)).toEqual(event.bytes);
    }
    expect(watch.table.heldBytes).toBe(0);
  });

  it('also when only one direction was captured', () => {
    const watch = new FlowWatch({ ports: [9000] });
    const talk = new Talk(watch);
    talk.say('client', '>one').lose('server', 'eins').say('client', 'two').lose('server', 'zwei').ack('client');
    watch.time += 100_000_000;
    const again = new Talk(watch, undefined, undefined, { client: 900_000_000, server: 2_000_000_000 });
    for (const text of ['>new', 'old', 'blue']) again.say('client', text).lose('server', 'answer').ack('client');
    watch.table.finish();
    expect(watch.said('client', 2)).toBe('>newoldblue');
    expect(watch.events.find((event) => event.kind === 'open' && event.connection === 2)).toMatchObject({
      client: { port: 40_000 },
      server: { port: 9000 },
    });
  });

  it('hold a bounded number of bytes until that is known', () => {
    const watch = new FlowWatch({ ports: [9000] });
    const text = 'x'.repeat(60_000);
    const { talk } = begun(watch);
    for (let i = 0; i < 200; i += 1) {
      const sequence = talk.next('client') + 2 ** 29 + ((i * 7_919) % 200) * 60_100;
      watch.segment({ ...talk.ways('client'), sequence, acknowledgement: 2 ** 31, payload: latin(text) });
      expect(watch.table.heldBytes).toBeLessThanOrEqual(256 * 1024);
    }
    watch.table.finish();
    expect(watch.table.heldBytes).toBe(0);
    expect(watch.table.counts).toMatchObject({ discardedSegments: 200, discardedBytes: 200 * 60_000 });
  });
});

describe('a reset', () => {
  it.each([20_000, -20_000, 1])('that a receiver ignores, %d away, is disproved by who goes on', (away) => {
    const { watch, talk } = begun();
    watch.segment({ ...talk.ways('server'), sequence: talk.next('server') + away, flags: FLAGS.rst });
    // A question may have been sent before it came.
    talk.say('client', 'more');
    watch.time += 10_000_000;
    talk.say('server', 'again');
    watch.time += 100_000_000;
    talk.say('client', 'and').say('server', 'on');
    watch.table.finish();
    expect(watch.told().slice(3, 7)).toEqual(['>more', '<again', '>and', '<on']);
    expect(watch.table.counts).toMatchObject({ missingBytes: 0, discardedSegments: 1, discardedBytes: 0 });
  });

  it('behind what was never captured is believed when nobody goes on', () => {
    const { watch, talk } = begun();
    talk.lose('server', 'lost').reset('server');
    expect(watch.told()).toEqual(BEGUN);
    watch.time += 61_000_000;
    new Talk(watch, { host: '10.0.0.9', port: 1 }).syn();
    expect(watch.told()).toEqual([...BEGUN, '< gap 4', '< reset', 'closed']);
    const cut = begun();
    cut.talk.lose('server', 'lost').reset('server').say('client', 'unheard');
    cut.watch.table.finish();
    expect(cut.watch.told()).toEqual([...BEGUN, '< gap 4', '>unheard', '< reset', 'closed']);
  });

  it('behind what was acknowledged is believed at once', () => {
    const { watch, talk } = begun();
    talk.lose('server', 'lost').ack('client').reset('server');
    watch.time += 200_000;
    new Talk(watch, { host: '10.0.0.9', port: 1 }).syn();
    expect(watch.told()).toEqual([...BEGUN, '< gap 4', '< reset', 'closed']);
  });
});

describe('bytes that are not shown', () => {
  it('are counted when they come after their gap was told', () => {
    const { watch, talk } = begun();
    const late = talk.make('server', 'late');
    talk.say('server', 'tail').ack('client');
    watch.time += 200_000;
    talk.ack('client');
    watch.segment(late);
    watch.segment({ ...late, payload: latin('latetail') });
    expect(watch.told()).toEqual([...BEGUN, '< gap 4', '<tail']);
    expect(watch.table.counts).toMatchObject({ missingBytes: 4, discardedSegments: 2, discardedBytes: 8 });
  });

  it('are counted when they lie before where a connection begins that was joined under way', () => {
    const watch = new FlowWatch();
    const talk = new Talk(watch);
    const before = talk.make('client', 'before');
    talk.say('client', '>ask');
    watch.time += 200_000;
    talk.say('server', 'answer');
    watch.segment(before);
    watch.time += 200_000;
    talk.ack('client');
    expect(watch.told()).toEqual(['open midstream', '>>ask', '<answer']);
    expect(watch.table.counts).toMatchObject({ discardedSegments: 1, discardedBytes: 6 });
  });

  it('are counted also after the ends, which came first', () => {
    for (const both of [false, true]) {
      const watch = new FlowWatch();
      const talk = new Talk(watch);
      const [early, before] = [talk.make('client', 'early'), talk.make('client', 'before')];
      talk.say('client', '>ask').fin('client').say('server', 'answer');
      watch.time += 200_000;
      talk.ack('server').ack('client');
      if (both) talk.fin('server').ack('client');
      watch.segment(before);
      watch.segment(early);
      watch.table.finish();
      expect(watch.said('client')).toBe('>ask');
      expect(watch.table.counts).toMatchObject({ connections: 1, discardedSegments: 2, discardedBytes: 11 });
    }
  });

  it('are counted when they come behind the end of their sender', () => {
    for (const both of [false, true]) {
      const { watch, talk } = begun();
      talk.fin('client');
      if (both) talk.fin('server').ack('client');
      talk.say('client', 'beyond');
      watch.table.finish();
      expect(watch.said('client')).toBe('>ask');
      expect(watch.table.counts).toMatchObject({ discardedSegments: 1, discardedBytes: 6 });
    }
  });

  it('are no news when they are sent again, or of a connection that nobody shows', () => {
    const { watch, talk } = begun();
    const again = talk.make('client', 'again');
    for (let i = 0; i < 3; i += 1) watch.segment(again);
    talk.ack('server').fin('client').fin('server').ack('client');
    for (let i = 0; i < 3; i += 1) watch.segment(again);
    const other = new Talk(watch, { host: '10.0.0.9', port: 1 }, SERVER).shake().say('client', 'noise').fin('client');
    other.say('client', 'noise');
    watch.table.finish();
    expect(watch.table.counts).toMatchObject({ connections: 1, discardedSegments: 0, discardedBytes: 0 });
  });
});
