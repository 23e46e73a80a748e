import { describe, expect, it } from 'vitest';
import { RECOGNITION_WINDOW, type Recogniser, type StreamStart } from '../../src/model/recognition.js';
import { FlowTable } from '../../src/packet/flow-table.js';
import { HELD_EVENTS } from '../../src/packet/held-streams.js';
import { CLIENT, FlowWatch, RAW, SERVER, Talk } from '../support/flow-watch.js';
import { FLAGS, ip, tcp } from '../support/packets.js';

/** Decides when told to, and remembers what it was shown. */
function patient(needed: number): { recognise: Recogniser; shown: { text: string; start: StreamStart }[] } {
  const shown: { text: string; start: StreamStart }[] = [];
  return {
    shown,
    recognise: (first, second) => {
      for (const start of [first, second]) shown.push({ text: new TextDecoder().decode(start.bytes), start });
      if (first.bytes.length >= needed) return { kind: 'recognised', client: 0 };
      return { kind: 'undecided' };
    },
  };
}

describe('recognition by what is said', () => {
  it('holds everything until it is known, then tells it in order with its own times', () => {
    const { recognise, shown } = patient(6);
    const watch = new FlowWatch({ recognise });
    const talk = new Talk(watch).shake().say('client', 'ab').say('server', 'xy').say('client', 'cd');
    expect(watch.events).toEqual([]);
    talk.say('client', 'ef').say('client', 'gh');
    expect(watch.told()).toEqual(['open', '>ab', '<xy', '>cd', '>ef', '>gh']);
    expect(watch.events.map((event) => event.at)).toEqual([10, 40, 50, 60, 70, 80].map((offset) => 1_000_000 + offset));
    for (const event of watch.events) {
      if (event.kind === 'bytes') expect(watch.stored(event.origin, event.bytes.length)).toEqual(event.bytes);
    }
    expect(shown.map(({ text }) => text)).toContain('abcd');
    expect(shown.every(({ start }) => start.fromStart && !start.complete)).toBe(true);
    expect(watch.table.heldBytes).toBe(0);
  });

  it('decides the sides by it, not by the SYN', () => {
    const watch = new FlowWatch();
    new Talk(watch).shake().say('server', '>ask').say('client', 'answer');
    expect(watch.told()).toEqual(['open', '>>ask', '<answer']);
    expect(watch.events[0]).toMatchObject({ client: { port: 9000 }, server: { port: 40_000 } });
  });

  it('shows a stream up to its first gap, and tells the gap in its place', () => {
    const { recognise, shown } = patient(100);
    const watch = new FlowWatch({ recognise });
    const talk = new Talk(watch).shake().say('client', 'ab').lose('client', 'lost').say('client', 'cd').ack('server');
    talk.fin('client').fin('server');
    watch.table.finish();
    expect(watch.events).toEqual([]);
    expect(shown.at(-2)).toMatchObject({ text: 'ab', start: { complete: true } });
    expect(shown.at(-1)).toMatchObject({ text: '', start: { complete: true } });
    const other = new FlowWatch({ recognise: patient(2).recognise });
    new Talk(other).say('client', 'a').lose('client', 'lost').say('client', 'cd').ack('server');
    other.table.finish();
    expect(other.events).toEqual([]);
  });

  it('is asked a last time when the capture ends', () => {
    const watch = new FlowWatch({
      recognise: (first) => (first.complete ? { kind: 'recognised', client: 1 } : { kind: 'undecided' }),
    });
    new Talk(watch).shake().say('client', 'ab');
    watch.table.finish();
    expect(watch.told()).toEqual(['open', '<ab', '> capture-end', '< capture-end', 'closed']);
  });

  it('must decide when the window is full; whatever does not fit is told after it', () => {
    let largest = 0;
    const watch = new FlowWatch({
      recognise: (first, second) => {
        largest = Math.max(largest, first.bytes.length);
        return first.complete && second.complete ? { kind: 'recognised', client: 0 } : { kind: 'undecided' };
      },
    });
    const talk = new Talk(watch).shake();
    for (let i = 0; i < 10; i += 1) talk.say('client', String(i).repeat(20_000));
    expect(largest).toBe(RECOGNITION_WINDOW);
    expect(watch.said('client')).toBe(Array.from({ length: 10 }, (_, i) => String(i).repeat(20_000)).join(''));
    for (const event of watch.events) {
      if (event.kind === 'bytes') expect(watch.stored(event.origin, event.bytes.length)).toEqual(event.bytes);
    }
  });

  it('must decide when the events are many, and is not asked for each of them', () => {
    let asked = 0;
    const watch = new FlowWatch({
      recognise: () => {
        asked += 1;
        return { kind: 'undecided' };
      },
    });
    const talk = new Talk(watch).shake();
    for (let i = 0; i < HELD_EVENTS; i += 1) talk.say('client', 'abcd');
    expect(asked).toBeLessThan(HELD_EVENTS * 0.6);
    expect([...watch.table.counts.foreign]).toEqual([[null, 1]]);
    expect(watch.table.heldBytes).toBe(0);
  });

  it('counts what is foreign by its name, and forgets it', () => {
    const watch = new FlowWatch();
    for (const port of [1, 2]) {
      const talk = new Talk(watch, { host: '10.0.0.1', port }).shake().say('client', 'GET /').say('server', '>');
      talk.fin('client').fin('server').ack('client');
    }
    expect(watch.events).toEqual([]);
    expect([...watch.table.counts.foreign]).toEqual([['noise', 2]]);
    expect(watch.table.heldBytes).toBe(0);
    // The same ports may speak something else next time.
    const again = new Talk(watch, { host: '10.0.0.1', port: 1 }, SERVER, { client: 900_000, server: 1 });
    again.shake().say('client', '>ask');
    expect(watch.told()).toEqual(['open', '>>ask']);
  });

  it('shows no connection that said nothing', () => {
    const watch = new FlowWatch();
    new Talk(watch).shake().fin('client').fin('server');
    new Talk(watch, { host: '10.0.0.1', port: 2 }).syn().reset('server');
    new Talk(watch, { host: '10.0.0.1', port: 3 }).syn();
    watch.table.finish();
    expect(watch.events).toEqual([]);
  });

  it('numbers connections as they are shown', () => {
    const watch = new FlowWatch();
    new Talk(watch, { host: '10.0.0.1', port: 1 }).shake();
    for (const port of [2, 3]) new Talk(watch, { host: '10.0.0.1', port }).shake().say('client', '>');
    expect(watch.events.filter((event) => event.kind === 'open').map((event) => event.connection)).toEqual([1, 2]);
    const given = new FlowWatch({ nextConnection: () => 77 });
    new Talk(given).shake().say('client', '>');
    expect(given.events[0]?.connection).toBe(77);
  });

  it('keeps what undecided connections hold within bounds, and lets it all go in the end', () => {
    const table = new FlowTable({ sink: () => {}, recognise: () => ({ kind: 'undecided' }), ports: null });
    const payload = new Uint8Array(60_000);
    let most = 0;
    for (let port = 1; port < 3_000; port += 1) {
      const segment = tcp({ from: { host: '10.0.0.1', port }, to: SERVER, sequence: 5, payload, flags: FLAGS.syn });
      const bytes = ip(CLIENT.host, SERVER.host, segment);
      const packet = { bytes, start: 0, end: bytes.length, originalLength: bytes.length, origin: -1 };
      table.packet({ ...packet, at: port, linkType: RAW });
      most = Math.max(most, table.heldBytes);
    }
    expect(most).toBeGreaterThan(60 * 1024 * 1024);
    expect(most).toBeLessThan(66 * 1024 * 1024);
    table.finish();
    expect(table.heldBytes).toBe(0);
  });
});

describe('recognition by the port', () => {
  const ports = [9000];

  it('shows what is on it whatever it says, and names what that looks like', () => {
    const watch = new FlowWatch({ ports });
    new Talk(watch).shake().say('client', 'GET /').say('server', 'HTTP');
    expect(watch.told()).toEqual(['open', 'note', '>GET /', '<HTTP']);
    expect(watch.events[1]).toMatchObject({ text: 'what was said looks like noise' });
  });

  it('lets the records decide the sides, then the SYN, then the port', () => {
    const sides = (say: (talk: Talk) => void) => {
      const watch = new FlowWatch({ ports });
      say(new Talk(watch, SERVER, CLIENT));
      watch.table.finish();
      const open = watch.events.find((event) => event.kind === 'open');
      return open?.kind === 'open' && open.client.kind === 'tcp' ? open.client.port : null;
    };
    // The party at port 9000 sends the SYN here.
    expect(sides((talk) => talk.shake().say('client', '>ask'))).toBe(9000);
    expect(sides((talk) => talk.shake().say('server', '>ask'))).toBe(40_000);
    expect(sides((talk) => talk.shake().say('client', 'noise'))).toBe(9000);
    expect(sides((talk) => talk.say('client', 'noise'))).toBe(40_000);
  });

  it('passes over everything else', () => {
    const watch = new FlowWatch({ ports });
    new Talk(watch, CLIENT, { host: '10.0.0.2', port: 9001 }).shake().say('client', '>ask');
    watch.table.finish();
    expect(watch.events).toEqual([]);
    expect(watch.table.counts.otherPorts).toBe(4);
  });

  it('shows connections that said nothing, were refused, or never answered', () => {
    const watch = new FlowWatch({ ports });
    const from = (port: number) => new Talk(watch, { host: '10.0.0.1', port });
    from(1).shake().fin('client').fin('server');
    from(2).syn().reset('server');
    from(3).syn();
    watch.time += 131_000_000;
    from(4).syn();
    watch.table.finish();
    expect(watch.told(1)).toEqual(['open', '> fin', '< fin', 'closed']);
    expect(watch.told(2)).toEqual(['open', 'failed ECONNREFUSED', 'closed']);
    expect(watch.told(3)).toEqual(['open', 'failed ETIMEDOUT', 'closed']);
    expect(watch.told(4)).toEqual(['open', 'failed ETIMEDOUT', 'closed']);
  });
});
