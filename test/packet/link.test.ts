import { describe, expect, it } from 'vitest';
import { CLIENT, FlowWatch, latin, SERVER, Talk } from '../support/flow-watch.js';
import { cooked, cooked2, ethernet, extension, FLAGS, ip, loopback, tcp, unixMessage } from '../support/packets.js';

const segment = tcp({ from: CLIENT, to: SERVER, sequence: 8, flags: FLAGS.syn, payload: latin('>hello') });
const FOUR = ip(CLIENT.host, SERVER.host, segment);
const SIX = ip('2001:db8::1', '::1', segment);

function read(frame: Uint8Array, linkType: number, originalLength = frame.length): FlowWatch {
  const watch = new FlowWatch();
  watch.frame(frame, { linkType, originalLength });
  watch.table.finish();
  return watch;
}

const HELLO = ['open', '>>hello', '> capture-end', '< capture-end', 'closed'];

describe('link layers', () => {
  it.each([
    ['Ethernet', ethernet(FOUR), 1],
    ['Ethernet with IPv6', ethernet(SIX), 1],
    ['a VLAN', ethernet(FOUR, [0x8100]), 1],
    ['QinQ', ethernet(FOUR, [0x88a8, 0x8100]), 1],
    ['tags within tags', ethernet(SIX, [0x9100, 0x9200, 0x8100, 0x8100]), 1],
    ['Linux cooked', cooked(FOUR), 113],
    ['Linux cooked v2', cooked2(SIX), 276],
    ['NULL, little-endian', loopback(FOUR, 2, true), 0],
    ['NULL, big-endian', loopback(FOUR, 2, false), 0],
    ['NULL, IPv6 on Linux', loopback(SIX, 10, true), 0],
    ['NULL, IPv6 on NetBSD', loopback(SIX, 24, true), 0],
    ['NULL, IPv6 on FreeBSD', loopback(SIX, 28, false), 0],
    ['NULL, IPv6 on Darwin', loopback(SIX, 30, true), 0],
    ['LOOP', loopback(FOUR, 2, false), 108],
    ['raw 12', FOUR, 12],
    ['raw 14', SIX, 14],
    ['raw 101', FOUR, 101],
    ['raw 101 with IPv6', SIX, 101],
    ['IPv4', FOUR, 228],
    ['IPv6', SIX, 229],
  ])('%s', (_, frame, linkType) => {
    const watch = read(frame, linkType);
    expect(watch.told()).toEqual(HELLO);
    const bytes = watch.events.find((event) => event.kind === 'bytes');
    expect(bytes?.kind === 'bytes' && watch.stored(bytes.origin, 6)).toEqual(latin('>hello'));
  });

  it('names an unknown link type once, counts it and goes on', () => {
    const watch = new FlowWatch();
    for (const linkType of [127, 127, 9_999]) watch.frame(FOUR, { linkType });
    watch.frame(FOUR);
    expect(watch.warnings).toHaveLength(2);
    expect(watch.warnings[0]).toContain('127');
    expect(watch.table.counts).toMatchObject({ packets: 4, connections: 1 });
    expect([...watch.table.counts.linkTypes]).toEqual([
      [127, 2],
      [9_999, 1],
    ]);
  });

  it('counts what is not IP, and what is not TCP', () => {
    const watch = new FlowWatch();
    const arp = ethernet(FOUR);
    new DataView(arp.buffer).setUint16(12, 0x0806);
    watch.frame(arp, { linkType: 1 });
    watch.frame(ip(CLIENT.host, SERVER.host, new Uint8Array(8), { protocol: 17 }));
    watch.frame(ip('::1', '::2', new Uint8Array(8), { protocol: 58 }));
    expect([...watch.table.counts.etherTypes]).toEqual([[0x0806, 1]]);
    expect([...watch.table.counts.protocols]).toEqual([
      [17, 1],
      [58, 1],
    ]);
  });
});

describe('IP', () => {
  it('leaves the padding of a short Ethernet frame out', () => {
    const frame = ethernet(ip(CLIENT.host, SERVER.host, segment));
    const padded = new Uint8Array(frame.length + 14).fill(0x58);
    padded.set(frame);
    expect(read(padded, 1).told()).toEqual(HELLO);
  });

  it('reads IPv4 with options and IPv6 with extension headers', () => {
    expect(read(ip(CLIENT.host, SERVER.host, segment, { options: 12 }), 101).told()).toEqual(HELLO);
    const extensions = [extension(0), extension(43, 2), extension(60, 1)];
    expect(read(ip('::1', '::2', segment, { extensions }), 101).told()).toEqual(HELLO);
    // The authentication header counts in words of 4 bytes.
    const authentication = new Uint8Array(24);
    authentication[0] = 51;
    authentication[1] = 4;
    expect(read(ip('::1', '::2', segment, { extensions: [authentication] }), 101).told()).toEqual(HELLO);
  });

  it('takes a length of 0 for the rest of the packet, as segmentation offload leaves it', () => {
    expect(read(ip(CLIENT.host, SERVER.host, segment, { length: 0 }), 101).told()).toEqual(HELLO);
    expect(read(ip('::1', '::2', segment, { length: 0 }), 101).told()).toEqual(HELLO);
  });

  it('writes IPv6 addresses as RFC 5952 says', () => {
    const hosts: [string, string][] = [
      ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
      ['0:0:0:0:0:0:0:0', '::'],
      ['fe80:0:0:0:1:2:3:4', 'fe80::1:2:3:4'],
      ['1:0:2:0:3:0:4:5', '1:0:2:0:3:0:4:5'],
      ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
    ];
    for (const [from, text] of hosts) {
      const [open] = read(ip(from, '::2', segment), 101).events;
      expect(open).toMatchObject({ client: { host: text, port: 40_000 }, server: { host: '::2' } });
    }
  });

  it('counts headers that are cut or contradict themselves, and shows nothing of them', () => {
    for (let length = 0; length < 54; length += 1) {
      const watch = read(FOUR.subarray(0, Math.min(length, 33)), 101);
      expect(watch.events).toEqual([]);
      expect(watch.table.counts.malformed + watch.table.counts.etherTypes.size).toBe(1);
    }
    expect(read(ip(CLIENT.host, SERVER.host, segment, { length: 24 }), 101).table.counts.malformed).toBe(1);
    expect(read(ip('::1', '::2', segment, { extensions: [extension(60, 200)] }).subarray(0, 60), 101).events).toEqual(
      [],
    );
    const short = tcp({ from: CLIENT, to: SERVER, sequence: 1, flags: FLAGS.syn });
    short[12] = 0x40;
    expect(read(ip(CLIENT.host, SERVER.host, short), 101).table.counts.malformed).toBe(1);
  });
});

describe('IP fragments', () => {
  const text = `>${'abcdefghijklmnopqrstuvwxyz'.repeat(4)}`;
  const whole = tcp({ from: CLIENT, to: SERVER, sequence: 8, flags: FLAGS.psh | FLAGS.ack, payload: latin(text) });

  function pieces(from: string, to: string, size: number, identification = 7): Uint8Array[] {
    const packets: Uint8Array[] = [];
    for (let offset = 0; offset < whole.length; offset += size) {
      const fragment = { offset, more: offset + size < whole.length };
      packets.push(ip(from, to, whole.subarray(offset, offset + size), { fragment, identification }));
    }
    return packets;
  }

  it.each([
    ['10.0.0.1', '10.0.0.2'],
    ['::1', '::2'],
  ])('are put together in any order, %s to %s', (from, to) => {
    for (const size of [8, 16, 48, 104]) {
      const packets = pieces(from, to, size);
      for (const order of [packets, [...packets].reverse(), [...packets, ...packets]]) {
        const watch = new FlowWatch();
        for (const packet of order) watch.frame(packet);
        watch.table.finish();
        expect(watch.said('client')).toBe(text);
        for (const event of watch.events) {
          if (event.kind === 'bytes') expect(watch.stored(event.origin, event.bytes.length)).toEqual(event.bytes);
        }
      }
    }
  });

  it('keeps packets apart by their number', () => {
    const watch = new FlowWatch();
    const [a, b] = [pieces('10.0.0.1', '10.0.0.2', 64), pieces('10.0.0.1', '10.0.0.2', 64, 8)];
    watch.frame(a[0]!);
    watch.frame(b[1]!);
    expect(watch.table.heldBytes).toBeGreaterThan(100);
    watch.frame(a[1]!);
    watch.table.finish();
    expect(watch.said('client')).toBe(text);
    expect(watch.table.counts).toMatchObject({ fragments: 3, fragmentsLost: 1 });
  });

  it('makes a gap of what the snap length cut from a fragment', () => {
    const watch = new FlowWatch();
    const [a, b] = pieces('10.0.0.1', '10.0.0.2', 64);
    watch.frame(a!, { captured: 74 });
    watch.frame(b!);
    watch.table.finish();
    expect(watch.said('client')).toBe(text.slice(0, 34) + '.'.repeat(10) + text.slice(44));
  });

  it('that contradict one another about the length are two packets with one number', () => {
    const part = (offset: number, end: number, more: boolean) =>
      ip('10.0.0.1', '10.0.0.2', whole.subarray(offset, end), { fragment: { offset, more } });
    const first = new FlowWatch();
    for (const packet of [part(0, 104, true), part(48, 56, false)]) first.frame(packet);
    first.table.finish();
    expect(first.events).toEqual([]);
    expect(first.table.counts).toMatchObject({ fragments: 2, fragmentsLost: 2 });
    // What was lost of another packet with this number is no part of the one that is whole.
    const other = ip('10.0.0.1', '10.0.0.2', new Uint8Array(64), { fragment: { offset: 104, more: true } });
    for (const order of [
      [other, part(0, 104, true), part(104, whole.length, false)],
      [part(48, 56, false), part(104, whole.length, false), part(0, 104, true)],
    ]) {
      const watch = new FlowWatch();
      for (const packet of order) watch.frame(packet);
      watch.table.finish();
      expect(watch.table.counts.fragmentsLost).toBeGreaterThan(0);
      expect(watch.table.heldBytes).toBe(0);
    }
    const again = new FlowWatch();
    for (const packet of [part(0, 104, true), part(48, 56, false), ...pieces('10.0.0.1', '10.0.0.2', 104)])
      again.frame(packet);
    again.table.finish();
    expect(again.said('client')).toBe(text);
  });

  it('waits for a bounded number, bounded bytes and a bounded time', () => {
    const watch = new FlowWatch();
    for (let i = 0; i < 3_000; i += 1) watch.frame(pieces('10.0.0.1', '10.0.0.2', 64, i)[0]!);
    expect(watch.table.heldBytes).toBeLessThanOrEqual(256 * 64);
    const large = new Uint8Array(60_000);
    for (let i = 0; i < 200; i += 1) {
      const fragment = { offset: 0, more: true };
      watch.frame(ip('10.0.0.1', '10.0.0.2', large, { fragment, identification: 10_000 + i }));
    }
    expect(watch.table.heldBytes).toBeLessThanOrEqual(4 * 1024 * 1024);
    watch.time += 61_000_000;
    watch.frame(pieces('10.0.0.1', '10.0.0.2', 64, 1)[0]!);
    expect(watch.table.heldBytes).toBe(64);
    expect(watch.table.counts.fragmentsLost).toBe(3_200);
    // A packet in more pieces than any link makes.
    for (let i = 0; i < 5_000; i += 1) {
      const fragment = { offset: 8 * (1 + i), more: true };
      watch.frame(ip('10.0.0.3', '10.0.0.2', large.subarray(0, 8), { fragment }));
    }
    expect(watch.table.heldBytes).toBeLessThanOrEqual(64 + 1_401 * 8);
  });
});

describe('Unix sockets in the layout of sockdump', () => {
  const USER0 = 147;

  it('makes a connection of two processes', () => {
    const watch = new FlowWatch();
    watch.frame(unixMessage(100, 50, latin('>ask')), { linkType: USER0 });
    watch.frame(unixMessage(50, 100, latin('answer')), { linkType: USER0 });
    watch.frame(unixMessage(101, 50, latin('>other')), { linkType: USER0 });
    watch.table.finish();
    expect(watch.told(1)).toEqual(['open midstream', '>>ask', '<answer', '> capture-end', '< capture-end', 'closed']);
    expect(watch.told(2)).toEqual(['open midstream', '>>other', '> capture-end', '< capture-end', 'closed']);
    expect(watch.events[0]).toMatchObject({
      client: { kind: 'unix', path: 'pid 100' },
      server: { kind: 'unix', path: 'pid 50' },
    });
    const bytes = watch.events[1];
    expect(bytes?.kind === 'bytes' && watch.stored(bytes.origin, 4)).toEqual(latin('>ask'));
  });

  it('takes the answer of a child for that of the parent who listens', () => {
    const watch = new FlowWatch();
    for (const child of [51, 52, 51]) {
      watch.frame(unixMessage(100, 50, latin('>ask')), { linkType: USER0 });
      watch.frame(unixMessage(child, 100, latin(`${child}`)), { linkType: USER0 });
    }
    expect(watch.told()).toEqual(['open midstream', '>>ask', '<51', '>>ask', '<52', '>>ask', '<51']);
  });

  it('makes a gap of what was not captured, and counts what has no header', () => {
    const watch = new FlowWatch();
    watch.frame(unixMessage(100, 50, latin('>ask')), { linkType: USER0, originalLength: 30 });
    watch.frame(new Uint8Array(15), { linkType: USER0 });
    expect(watch.told()).toEqual(['open midstream', '>>ask', '> gap 10']);
    expect(watch.table.counts.malformed).toBe(1);
  });

  it('remembers a bounded number of pairs', () => {
    const watch = new FlowWatch();
    for (let i = 0; i < 2_000; i += 1) watch.frame(unixMessage(i, 9_999, latin('>')), { linkType: USER0 });
    const open = watch.events.filter((event) => event.kind === 'open').length;
    const closed = watch.events.filter((event) => event.kind === 'closed').length;
    expect(open).toBe(2_000);
    expect(open - closed).toBe(1_024);
  });
});

describe('a snap length', () => {
  it('makes an exact gap of what it cut, before what follows and before the answer', () => {
    const watch = new FlowWatch();
    const talk = new Talk(watch).shake();
    talk.send('client', '>0123456789', FLAGS.ack | FLAGS.psh, { captured: 44 });
    talk.say('server', 'answer').say('client', '>more').fin('client').fin('server');
    watch.table.finish();
    expect(watch.told()).toEqual(['open', '>>012', '> gap 7', '<answer', '>>more', '> fin', '< fin', 'closed']);
    expect(watch.table.counts).toMatchObject({ cut: 1, missingBytes: 7 });
  });

  it('cuts every packet to its headers', () => {
    const watch = new FlowWatch({ ports: [9000] });
    const talk = new Talk(watch).shake();
    for (let i = 0; i < 300; i += 1) {
      talk.send('client', '>0123456789', FLAGS.ack | FLAGS.psh, { captured: 40 });
      talk.send('server', 'abc', FLAGS.ack | FLAGS.psh, { captured: 40 });
    }
    // Patience is bounded while the capture goes on.
    expect(watch.said('client').length).toBeGreaterThan(200 * 11);
    talk.fin('client').fin('server');
    watch.table.finish();
    expect(watch.said('client')).toBe('.'.repeat(3_300));
    expect(watch.said('server')).toBe('.'.repeat(900));
    expect(watch.told().slice(-3)).toEqual(['> fin', '< fin', 'closed']);
  });

  it('takes a duplicate that brings the bytes soon', () => {
    const watch = new FlowWatch();
    const talk = new Talk(watch).shake();
    const segment = talk.make('client', '>0123456789');
    watch.segment(segment, { captured: 44 });
    watch.segment(segment);
    talk.say('server', 'answer');
    expect(watch.told()).toEqual(['open', '>>012', '>3456789', '<answer']);
    expect(watch.table.counts.missingBytes).toBe(0);
  });
});
