import { describe, expect, it } from 'vitest';
import { FlowTable } from '../../src/packet/flow-table.js';
import { ACKED_HOLE_SEGMENTS, WAITING_BYTES_LIMIT, WAITING_BYTES_TOTAL } from '../../src/packet/ordered-streams.js';
import { byFirstByte, CLIENT, FlowWatch, latin, RAW, SERVER, Talk } from '../support/flow-watch.js';
import { FLAGS, ip, tcp } from '../support/packets.js';

/** A connection whose handshake and first words have passed. */
function begun(first?: { client: number; server: number }): { watch: FlowWatch; talk: Talk } {
  const watch = new FlowWatch();
  const talk = first === undefined ? new Talk(watch) : new Talk(watch, undefined, undefined, first);
  talk.shake().say('client', '>');
  return { watch, talk };
}

describe('segments out of order', () => {
  it('wait for those before them, and tell where they lay', () => {
    const { watch, talk } = begun();
    const [a, b, c] = [talk.make('client', 'aa'), talk.make('client', 'bb'), talk.make('client', 'cc')];
    for (const segment of [c, b]) watch.segment(segment);
    expect(watch.said('client')).toBe('>');
    watch.segment(a);
    expect(watch.told()).toEqual(['open', '>>', '>aa', '>bb', '>cc']);
    for (const event of watch.events) {
      if (event.kind === 'bytes') expect(watch.stored(event.origin, event.bytes.length)).toEqual(event.bytes);
    }
    const times = watch.events.map((event) => event.at);
    expect(times).toEqual([...times].sort((x, y) => x - y));
  });

  it('come twice, and overlap: the first copy of a byte counts, the rest of a later one too', () => {
    const { watch, talk } = begun();
    const at = talk.next('client');
    const send = (offset: number, text: string) =>
      watch.segment({ ...talk.ways('client'), sequence: at + offset, payload: latin(text), flags: FLAGS.ack });
    send(4, 'EF');
    send(4, 'xx');
    send(2, 'cdyyGH');
    send(8, 'zI');
    send(0, 'abww');
    send(0, 'vvvv');
    send(8, 'uuJ');
    expect(watch.said('client')).toBe('>abcdEFGHzIJ');
  });

  it('go over the end of the numbers', () => {
    const { watch, talk } = begun({ client: 2 ** 32 - 4, server: 2 ** 32 - 2 });
    const segments = Array.from('abcdefgh', (text) => talk.make('client', text));
    for (const segment of segments.reverse()) watch.segment(segment);
    talk.say('server', 'answer').fin('client').fin('server');
    expect(watch.said('client')).toBe('>abcdefgh');
    expect(watch.told().slice(-4)).toEqual(['<answer', '> fin', '< fin', 'closed']);
  });

  it('go round the numbers twice', () => {
    const counts = { bytes: 0, gaps: [] as number[] };
    const table = new FlowTable({
      recognise: byFirstByte,
      ports: [9000],
      sink: (event) => {
        if (event.kind === 'bytes') counts.bytes += event.bytes.length;
        if (event.kind === 'gap') counts.gaps.push(event.length);
      },
    });
    const feed = (bytes: Uint8Array) =>
      table.packet({
        at: 1,
        bytes,
        start: 0,
        end: bytes.length,
        originalLength: bytes.length,
        linkType: RAW,
        origin: -1,
      });
    const client = { from: CLIENT, to: SERVER };
    const server = { from: SERVER, to: CLIENT };
    feed(ip(CLIENT.host, SERVER.host, tcp({ ...client, sequence: 0, flags: FLAGS.syn })));
    const synAck = { sequence: 0, acknowledgement: 1, flags: FLAGS.syn | FLAGS.ack };
    feed(ip(SERVER.host, CLIENT.host, tcp({ ...server, ...synAck })));
    const payload = new Uint8Array(65_000).fill(0x3e);
    const bytes = ip(CLIENT.host, SERVER.host, tcp({ ...client, sequence: 1, acknowledgement: 1, payload }));
    const view = new DataView(bytes.buffer);
    // So many that half the circle has passed for the second time, when old numbers seem to lie ahead.
    const count = 120_000;
    for (let i = 0; i < count; i += 1) {
      view.setUint32(24, (1 + i * payload.length) % 2 ** 32);
      feed(bytes);
    }
    // What is acknowledged behind all this is a gap of its own length.
    const acknowledgement = 1 + count * payload.length + 5;
    feed(ip(SERVER.host, CLIENT.host, tcp({ ...server, sequence: 1, acknowledgement, payload: latin('a') })));
    table.finish();
    expect(counts).toEqual({ bytes: count * payload.length + 1, gaps: [5] });
  });

  it('do not let a FIN pass, nor anything behind it', () => {
    const { watch, talk } = begun();
    const late = talk.make('client', 'late');
    talk.fin('client');
    watch.segment({ ...talk.ways('client'), sequence: talk.next('client'), payload: latin('beyond') });
    expect(watch.told()).toEqual(['open', '>>']);
    watch.segment(late);
    expect(watch.told()).toEqual(['open', '>>', '>late', '> fin']);
  });

  it('do not let an answer pass what it answers', () => {
    const { watch, talk } = begun();
    const ask = talk.make('client', 'ask');
    talk.say('server', 'answer');
    expect(watch.told()).toEqual(['open', '>>']);
    watch.segment(ask);
    expect(watch.told()).toEqual(['open', '>>', '>ask', '<answer']);
  });

  it('let pass what was said before they were heard', () => {
    const { watch, talk } = begun();
    talk.make('client', 'lost');
    watch.segment({
      ...talk.ways('server'),
      sequence: talk.next('server'),
      acknowledgement: 1_002,
      payload: latin('busy'),
    });
    expect(watch.told()).toEqual(['open', '>>', '<busy']);
  });
});

describe('probes and repetitions', () => {
  it('say nothing', () => {
    const { watch, talk } = begun();
    for (const payload of ['', 'x']) {
      watch.segment({ ...talk.ways('client'), sequence: talk.next('client') - 1, payload: latin(payload) });
      talk.ack('server');
    }
    talk.say('client', 'more');
    expect(watch.told()).toEqual(['open', '>>', '>more']);
  });

  it('are no beginning either', () => {
    const watch = new FlowWatch();
    const talk = new Talk(watch);
    watch.segment({ ...talk.ways('client'), sequence: talk.next('client') - 1, payload: latin('x') });
    talk.ack('server').ack('client');
    expect(watch.table.flows).toBe(0);
    talk.say('client', '>ask');
    watch.table.finish();
    expect(watch.said('client')).toBe('>ask');
  });
});

describe('packets that were never captured', () => {
  it('are a gap soon after the other side has acknowledged them', () => {
    const { watch, talk } = begun();
    talk.lose('client', 'lost').say('client', 'more').say('server', 'answer');
    expect(watch.told()).toEqual(['open', '>>']);
    for (let i = 0; i <= ACKED_HOLE_SEGMENTS; i += 1) talk.ack('server');
    expect(watch.told()).toEqual(['open', '>>', '> gap 4', '>more', '<answer']);
    expect(watch.table.counts.missingBytes).toBe(4);
  });

  it('are a gap soon in the capture’s time, when only other connections go on', () => {
    const { watch, talk } = begun();
    talk.lose('client', 'lost').say('server', 'answer');
    watch.time += 150_000;
    new Talk(watch, { host: '10.0.0.9', port: 1 }).syn();
    expect(watch.told()).toEqual(['open', '>>', '> gap 4', '<answer']);
  });

  it('are waited for as long as nobody has acknowledged them', () => {
    const { watch, talk } = begun();
    const again = talk.make('client', 'again');
    for (let i = 0; i < 300; i += 1) {
      talk.say('client', 'm');
      watch.time += 100_000;
      watch.segment({ ...talk.ways('server'), sequence: talk.next('server'), acknowledgement: again.sequence });
    }
    expect(watch.said('client')).toBe('>');
    watch.segment(again);
    expect(watch.said('client')).toBe(`>again${'m'.repeat(300)}`);
  });

  it('are waited for anew when some of what was acknowledged has come', () => {
    const { watch, talk } = begun();
    const [a, b] = [talk.make('client', 'aa'), talk.make('client', 'bb')];
    for (let i = 0; i < ACKED_HOLE_SEGMENTS - 4; i += 1) talk.ack('server');
    watch.segment(a);
    for (let i = 0; i < 10; i += 1) talk.ack('server');
    watch.segment(b);
    expect(watch.told()).toEqual(['open', '>>', '>aa', '>bb']);
  });

  it('are waited for a bounded time', () => {
    const { watch, talk } = begun();
    talk.lose('client', 'lost').say('client', 'more');
    watch.time += 61_000_000;
    new Talk(watch, { host: '10.0.0.9', port: 1 }).syn();
    expect(watch.told()).toEqual(['open', '>>', '> gap 4', '>more']);
  });

  it('are waited for with bounded bytes, in one connection and in all', () => {
    const { watch, talk } = begun();
    talk.lose('client', 'lost');
    const text = 'x'.repeat(60_000);
    for (let i = 0; i < 100; i += 1) {
      talk.say('client', text);
      expect(watch.table.heldBytes).toBeLessThanOrEqual(WAITING_BYTES_LIMIT);
    }
    expect(watch.events.filter((event) => event.kind === 'gap')).toHaveLength(1);
    const many = new FlowWatch({ sink: (event) => event });
    for (let port = 1; port <= 60; port += 1) {
      const each = new Talk(many, { host: '10.0.0.1', port }).shake().lose('client', 'lost');
      for (let i = 0; i < 30; i += 1) each.say('client', text);
      expect(many.table.heldBytes).toBeLessThanOrEqual(2 * WAITING_BYTES_TOTAL);
    }
    many.table.finish();
    expect(many.table.heldBytes).toBe(0);
  });

  it('are no gap when they would be a single FIN', () => {
    const { watch, talk } = begun();
    talk.say('client', 'ask').lose('client', 'F').say('server', 'answer').fin('server');
    watch.time += 300_000;
    talk.ack('client');
    expect(watch.told()).toEqual(['open', '>>', '>ask', '<answer', '< fin']);
    watch.table.finish();
    expect(watch.told().slice(-2)).toEqual(['> capture-end', 'closed']);
  });

  it('have no byte more than was sent when the FIN behind them was not captured either', () => {
    const { watch, talk } = begun();
    talk.say('client', 'ask').lose('server', 'answer').lose('server', 'F').ack('client').fin('client').ack('server');
    watch.time += 300_000;
    new Talk(watch, { host: '10.0.0.9', port: 1 }).syn();
    expect(watch.told()).toEqual(['open', '>>', '>ask', '< gap 6', '> fin']);
    // Another byte tells that it was none.
    const sequence = talk.next('server');
    watch.segment({ ...talk.ways('server'), sequence, acknowledgement: talk.next('client'), payload: latin('more') });
    watch.table.finish();
    expect(watch.said('server')).toBe(`${'.'.repeat(7)}more`);
    const open = begun();
    open.talk.say('client', 'ask').lose('server', 'answer').ack('client');
    open.watch.table.finish();
    expect(open.watch.said('server')).toBe('......');
  });

  it('are a gap at the end of the capture, when they were acknowledged or something follows', () => {
    const { watch, talk } = begun();
    talk.lose('client', 'lost').ack('server').lose('server', 'miss').say('server', 'tail');
    watch.table.finish();
    expect(watch.said('client')).toBe('>....');
    expect(watch.said('server')).toBe('....tail');
  });

  it('do not become a gap over bytes that nobody can have sent', () => {
    const { watch, talk } = begun();
    watch.segment({ ...talk.ways('client'), sequence: talk.next('client') + 2 ** 30 + 5, payload: latin('far') });
    watch.segment({ ...talk.ways('server'), sequence: talk.next('server'), acknowledgement: 2 ** 31 + 99 });
    talk.say('client', 'near').say('server', 'answer');
    watch.table.finish();
    expect(watch.told().slice(0, 4)).toEqual(['open', '>>', '>near', '<answer']);
  });
});

describe('a connection joined under way', () => {
  it('begins with its earliest byte, also when that comes a little later', () => {
    const watch = new FlowWatch();
    const talk = new Talk(watch);
    const [a, b] = [talk.make('client', '>ab'), talk.make('client', 'cd')];
    watch.segment(b);
    watch.segment(a);
    talk.say('server', 'answer');
    watch.time += 200_000;
    talk.say('client', 'ef');
    expect(watch.told()).toEqual(['open midstream', '>>ab', '>cd', '<answer', '>ef']);
  });

  it('is none when its SYN comes a little later', () => {
    const watch = new FlowWatch();
    const talk = new Talk(watch);
    const syn = talk.make('client', '', FLAGS.syn);
    const synAck = talk.make('server', '', FLAGS.syn | FLAGS.ack);
    talk.say('client', '>ask').say('server', 'answer');
    watch.segment(synAck);
    watch.segment(syn);
    expect(watch.told()).toEqual(['open', '>>ask', '<answer']);
  });

  it('knows the start of a side from what acknowledges its SYN', () => {
    const a = new FlowWatch();
    new Talk(a)
      .syn()
      .lose('server', 'S')
      .ack('client')
      .say('client', '>ask')
      .lose('server', 'lost')
      .say('server', 'tail');
    a.table.finish();
    expect(a.told().slice(0, 4)).toEqual(['open', '>>ask', '< gap 4', '<tail']);
    const b = new FlowWatch();
    new Talk(b).lose('client', 'S').synAck().ack('client').say('client', '>ask').say('server', 'answer');
    expect(b.told()).toEqual(['open', '>>ask', '<answer']);
  });

  it('does not take in what can be no part of it', () => {
    const watch = new FlowWatch();
    const talk = new Talk(watch);
    talk.say('client', '>ab');
    const far = talk.next('client') + 2 ** 31;
    watch.segment({ ...talk.ways('client'), sequence: far, payload: latin('far'), flags: FLAGS.ack | FLAGS.fin });
    watch.segment({ ...talk.ways('client'), sequence: far - 2 ** 30, payload: latin('less') });
    talk.say('client', 'cd');
    watch.time += 200_000;
    talk.ack('server');
    watch.segment({ ...talk.ways('client'), sequence: far, payload: latin('far'), flags: FLAGS.ack | FLAGS.fin });
    talk.say('client', 'ef').fin('client');
    watch.table.finish();
    expect(watch.told()).toEqual(['open midstream', '>>ab', '>cd', '>ef', '> fin', '< capture-end', 'closed']);
  });

  it('of one direction only is shown as far as it goes', () => {
    const watch = new FlowWatch();
    const talk = new Talk(watch);
    for (const text of ['<a', 'b', 'c']) talk.say('server', text);
    talk.fin('server');
    watch.table.finish();
    expect(watch.told()).toEqual(['open midstream', '<<a', '<b', '<c', '< fin', '> capture-end', 'closed']);
  });
});

describe('ends', () => {
  it('of one side leave the other talking', () => {
    const { watch, talk } = begun();
    talk.fin('client').ack('server').say('server', 'still').say('server', 'here').fin('server').ack('client');
    expect(watch.told()).toEqual(['open', '>>', '> fin', '<still', '<here', '< fin', 'closed']);
    expect(watch.table.counts.stray).toBe(0);
  });

  it('by a reset are final', () => {
    const { watch, talk } = begun();
    talk.say('client', 'ask').reset('server').say('client', 'unheard').reset('server');
    expect(watch.told()).toEqual(['open', '>>', '>ask', '< reset', 'closed']);
  });

  it('may be a reset after a FIN', () => {
    const { watch, talk } = begun();
    talk.fin('client').say('server', 'late').reset('client');
    expect(watch.told()).toEqual(['open', '>>', '> fin', '<late', '> reset', 'closed']);
  });

  it('by a reset do not lose what was captured a little later, nor what waits', () => {
    const { watch, talk } = begun();
    const late = talk.make('server', 'late');
    talk.reset('server');
    watch.segment(late);
    expect(watch.told()).toEqual(['open', '>>', '<late', '< reset', 'closed']);
    const other = begun();
    other.talk.lose('client', 'lost').say('client', 'more').reset('server');
    other.watch.table.finish();
    expect(other.watch.told()).toEqual(['open', '>>', '> gap 4', '>more', '< reset', 'closed']);
  });

  it('are not made by a reset with a number that is out of place', () => {
    const { watch, talk } = begun();
    for (const sequence of [talk.next('server') + 2 ** 28, talk.next('server') - 2 ** 28]) {
      watch.segment({ ...talk.ways('server'), sequence, flags: FLAGS.rst });
    }
    talk.say('server', 'well');
    expect(watch.told()).toEqual(['open', '>>', '<well']);
  });

  it('are followed by nothing, whatever still comes of them', () => {
    const { watch, talk } = begun();
    const again = talk.make('client', 'ask');
    watch.segment(again);
    talk.fin('client').fin('server').ack('client');
    watch.segment(again);
    talk.ack('server').reset('client');
    watch.table.finish();
    expect(watch.told().slice(-3)).toEqual(['> fin', '< fin', 'closed']);
    expect(watch.events.filter((event) => event.kind === 'open')).toHaveLength(1);
  });
});

describe('ports that are used again', () => {
  const AGAIN = { client: 90_000_000, server: 70_000_000 };

  it.each(['fin', 'reset', 'nothing'])('after %s make another connection', (end) => {
    const { watch, talk } = begun();
    if (end === 'fin') talk.fin('client').fin('server').ack('client');
    if (end === 'reset') talk.reset('server');
    new Talk(watch, undefined, undefined, AGAIN).shake().say('client', '>second').say('server', 'two');
    if (end === 'nothing') expect(watch.told().slice(-4)).toEqual(['note', '> timeout', '< timeout', 'closed']);
    else expect(watch.told().at(-1)).toBe('closed');
    expect(watch.told(2)).toEqual(['open', '>>second', '<two']);
  });

  it('whose SYN was not captured make another connection as well', () => {
    const { watch, talk } = begun();
    talk.fin('client').fin('server');
    new Talk(watch, undefined, undefined, AGAIN).say('client', '>second');
    watch.table.finish();
    expect(watch.told(2).slice(0, 2)).toEqual(['open midstream', '>>second']);
  });

  it('are not meant by a SYN that is sent again', () => {
    const watch = new FlowWatch();
    const talk = new Talk(watch);
    const [syn, synAck] = [talk.make('client', '', FLAGS.syn), talk.make('server', '', FLAGS.syn | FLAGS.ack)];
    for (const segment of [syn, syn, synAck, synAck]) watch.segment(segment);
    talk.say('client', '>ask');
    watch.segment(syn);
    talk.say('server', 'answer').fin('client').fin('server');
    watch.segment(syn);
    expect(watch.told()).toEqual(['open', '>>ask', '<answer', '> fin', '< fin', 'closed']);
  });
});
