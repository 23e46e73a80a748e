import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Side } from '../../src/model/connection.js';
import { RECOGNITION_WINDOW } from '../../src/model/recognition.js';
import { ACKED_HOLE_SEGMENTS } from '../../src/packet/ordered-streams.js';
import { CLIENT, type Fed, FlowWatch, latin, SERVER } from '../support/flow-watch.js';
import { FLAGS, ip, type Segment, tcp } from '../support/packets.js';

/** How far from its place a segment may come so that nobody loses patience with it. */
const REACH = ACKED_HOLE_SEGMENTS - 4;
const SIDES = ['client', 'server'] as const;

/** What the two sides say in turn, and the numbers they begin with. */
interface Conversation {
  readonly turns: readonly { readonly side: Side; readonly text: string }[];
  readonly initial: Readonly<Record<Side, number>>;
}

const anyInitial = fc.oneof(
  fc.nat(2 ** 32 - 1),
  fc.integer({ min: 2 ** 32 - 200, max: 2 ** 32 - 1 }),
  fc.integer({ min: 2 ** 31 - 200, max: 2 ** 31 + 10 }),
);

const anyConversation: fc.Arbitrary<Conversation> = fc.record({
  turns: fc
    .array(fc.record({ side: fc.constantFrom(...SIDES), length: fc.integer({ min: 1, max: 40 }) }), { maxLength: 9 })
    .map((turns) => {
      // The first byte tells the recogniser; all others tell where they belong.
      let at = 0;
      const said = [{ side: 'client' as Side, length: 3 }, ...turns].map(({ side, length }, turn) => ({
        side,
        text: Array.from({ length }, () => String.fromCharCode(0x41 + (at++ % 53)))
          .join('')
          .replace(/^./, (first) => (turn === 0 ? '>' : first)),
      }));
      return said;
    }),
  initial: fc.record({ client: anyInitial, server: anyInitial }),
});

function streamOf({ turns }: Conversation, side: Side): string {
  return turns
    .filter((turn) => turn.side === side)
    .map((turn) => turn.text)
    .join('');
}

function ways(side: Side): Pick<Segment, 'from' | 'to'> {
  return side === 'client' ? { from: CLIENT, to: SERVER } : { from: SERVER, to: CLIENT };
}

/** The segments of a conversation in their own order: handshake, every turn in pieces of at most `size` bytes, both ends. */
function segmentsOf({ turns, initial }: Conversation, size: number): Segment[] {
  const next: Record<Side, number> = { client: initial.client + 1, server: initial.server + 1 };
  const segments: Segment[] = [
    { ...ways('client'), sequence: initial.client, flags: FLAGS.syn },
    { ...ways('server'), sequence: initial.server, acknowledgement: next.client, flags: FLAGS.syn | FLAGS.ack },
    { ...ways('client'), sequence: next.client, acknowledgement: next.server },
  ];
  const send = (side: Side, text: string, flags: number) => {
    const acknowledgement = next[side === 'client' ? 'server' : 'client'];
    segments.push({ ...ways(side), sequence: next[side], acknowledgement, flags, payload: latin(text) });
    next[side] += text.length + ((flags & FLAGS.fin) === 0 ? 0 : 1);
  };
  for (const { side, text } of turns) {
    for (let at = 0; at < text.length; at += size) send(side, text.slice(at, at + size), FLAGS.ack | FLAGS.psh);
  }
  send('client', '', FLAGS.ack | FLAGS.fin);
  send('server', '', FLAGS.ack | FLAGS.fin);
  return segments;
}

/** Swaps what is near: no segment comes more than `reach` places from its own. */
function shuffled<T>(items: readonly T[], noise: readonly number[], reach: number): T[] {
  return items
    .map((item, i) => ({ item, key: i + ((noise[i % noise.length] ?? 0) % (reach + 1)) }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

/** What every run has in common: order of kinds, times, and that bytes lie where their origin says. */
function checkEvents(watch: FlowWatch): void {
  const closed = new Set<number>();
  const ended = new Set<string>();
  const last = new Map<number, number>();
  for (const event of watch.events) {
    expect(closed.has(event.connection)).toBe(false);
    expect(event.at).toBeGreaterThanOrEqual(last.get(event.connection) ?? Number.NEGATIVE_INFINITY);
    if (event.kind === 'open') expect(last.has(event.connection)).toBe(false);
    last.set(event.connection, event.at);
    if (event.kind === 'closed') closed.add(event.connection);
    if (event.kind === 'bytes' || event.kind === 'gap') {
      expect(ended.has(`${event.connection} ${event.side}`)).toBe(false);
      if (event.kind === 'gap') expect(event.length).toBeGreaterThan(0);
      else {
        expect(event.bytes.length).toBeGreaterThan(0);
        expect(watch.stored(event.origin, event.bytes.length)).toEqual(event.bytes);
      }
    }
    if (event.kind === 'end') {
      const key = `${event.connection} ${event.side}`;
      expect(ended.has(key) && event.how !== 'reset').toBe(false);
      ended.add(key);
    }
  }
}

describe('a conversation', () => {
  it('is the same in any order, with any segment twice, and cut into other segments', () => {
    fc.assert(
      fc.property(
        anyConversation,
        fc.integer({ min: 1, max: 41 }),
        fc.integer({ min: 1, max: 41 }),
        fc.array(fc.nat(1_000), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 0, max: 20 }),
        (conversation, size, otherSize, noise, reach) => {
          const watch = new FlowWatch();
          const once = segmentsOf(conversation, size);
          // What is sent again is cut in other places, so that it overlaps.
          const again = segmentsOf(conversation, otherSize).filter((_, i) => (noise[i % noise.length] ?? 0) % 3 === 0);
          const order = shuffled([...once, ...again], noise, Math.min(reach + again.length, REACH));
          // A FIN alone is what is left of another connection: it begins none.
          const begin = order.findIndex(
            ({ flags = 0, payload }) => (flags & FLAGS.syn) !== 0 || (payload?.length ?? 0) > 0,
          );
          fc.pre(order.slice(0, begin).every(({ flags = 0 }) => (flags & FLAGS.fin) === 0));
          for (const segment of order) watch.segment(segment);
          watch.table.finish();
          for (const side of SIDES) expect(watch.said(side)).toBe(streamOf(conversation, side));
          expect(watch.told().filter((word) => word.includes('gap'))).toEqual([]);
          expect(watch.told().slice(-1)).toEqual(['closed']);
          expect(watch.told().filter((word) => word.endsWith(' fin'))).toHaveLength(2);
          expect(watch.table.counts).toMatchObject({ connections: 1, missingBytes: 0 });
          expect(watch.table.heldBytes).toBe(0);
          checkEvents(watch);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('keeps the order of its turns when segments come a little late', () => {
    fc.assert(
      fc.property(
        anyConversation,
        fc.array(fc.nat(1_000), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 0, max: 30 }),
        (conversation, noise, reach) => {
          const watch = new FlowWatch();
          const [syn, synAck, ...rest] = segmentsOf(conversation, 7);
          for (const segment of [syn!, synAck!, ...shuffled(rest, noise, reach)]) watch.segment(segment);
          const inTurn = conversation.turns.map(({ side, text }) => (side === 'client' ? `>${text}` : `<${text}`));
          const told: string[] = [];
          for (const word of watch.told()) {
            if (!/^[<>][^ ]/.test(word)) continue;
            const before = told.at(-1);
            if (before?.[0] === word[0]) told[told.length - 1] = before + word.slice(1);
            else told.push(word);
          }
          const expected: string[] = [];
          for (const word of inTurn) {
            const before = expected.at(-1);
            if (before?.[0] === word[0]) expected[expected.length - 1] = before + word.slice(1);
            else expected.push(word);
          }
          expect(told).toEqual(expected);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('has exactly the bytes of what was captured, and gaps for the rest', () => {
    fc.assert(
      fc.property(
        anyConversation,
        fc.integer({ min: 1, max: 30 }),
        fc.array(fc.oneof(fc.constant('whole'), fc.constant('lost'), fc.nat(29)), { minLength: 1, maxLength: 30 }),
        fc.boolean(),
        (conversation, size, fates, idle) => {
          const watch = new FlowWatch();
          const [syn, synAck, ack, first, ...rest] = segmentsOf(conversation, size);
          for (const segment of [syn!, synAck!, ack!, first!]) watch.segment(segment);
          // A map of every byte of each stream: captured or not.
          const known: Record<Side, Set<number>> = { client: new Set(), server: new Set() };
          const note = (segment: Segment, captured: number) => {
            const side = segment.from === CLIENT ? 'client' : 'server';
            for (let i = 0; i < captured; i += 1)
              known[side].add(segment.sequence - conversation.initial[side] - 1 + i);
          };
          note(first!, first!.payload!.length);
          rest.forEach((segment, i) => {
            const fate = (segment.flags! & FLAGS.fin) !== 0 ? 'whole' : fates[i % fates.length]!;
            if (idle) watch.time += 30_000;
            if (fate === 'lost') return;
            const { length } = segment.payload!;
            const captured = fate === 'whole' ? length : Math.min(fate, length);
            note(segment, captured);
            const fed: Fed = { captured: 40 + captured };
            watch.segment(segment, fed);
          });
          watch.table.finish();
          for (const side of SIDES) {
            const text = streamOf(conversation, side);
            const seen = Array.from(text, (character, i) => (known[side].has(i) ? character : '.')).join('');
            expect(watch.said(side)).toBe(seen);
          }
          checkEvents(watch);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('survives that any of its packets arrive cut anywhere, in pieces of IP', () => {
    fc.assert(
      fc.property(anyConversation, fc.integer({ min: 1, max: 6 }), fc.boolean(), (conversation, units, reverse) => {
        const watch = new FlowWatch();
        segmentsOf(conversation, 40).forEach((segment, identification) => {
          const whole = tcp(segment);
          const pieces: Uint8Array[] = [];
          for (let offset = 0; offset < whole.length; offset += 8 * units) {
            const fragment = { offset, more: offset + 8 * units < whole.length };
            const part = whole.subarray(offset, offset + 8 * units);
            pieces.push(ip(segment.from.host, segment.to.host, part, { fragment, identification }));
          }
          for (const piece of reverse ? pieces.reverse() : pieces) watch.frame(piece);
        });
        for (const side of SIDES) expect(watch.said(side)).toBe(streamOf(conversation, side));
        expect(watch.told().at(-1)).toBe('closed');
        checkEvents(watch);
      }),
      { numRuns: 200 },
    );
  });
});

/** Few ports and numbers near one another, so that packets meet. */
const anySegment: fc.Arbitrary<{ readonly bytes: Uint8Array; readonly fed: Fed; readonly pause: number }> = fc
  .record({
    fromClient: fc.boolean(),
    port: fc.integer({ min: 1, max: 2 }),
    sequence: fc.oneof(fc.integer({ min: 2 ** 32 - 60, max: 2 ** 32 + 60 }), fc.nat(2 ** 32 - 1)),
    acknowledgement: fc.oneof(fc.integer({ min: 2 ** 32 - 60, max: 2 ** 32 + 60 }), fc.nat(2 ** 32 - 1)),
    flags: fc.oneof(fc.constant(FLAGS.ack), fc.constant(FLAGS.ack | FLAGS.psh), fc.nat(63)),
    payload: fc.uint8Array({ maxLength: 30 }),
    known: fc.boolean(),
    cut: fc.option(fc.nat(70), { nil: undefined }),
    pause: fc.oneof(fc.constant(0), fc.integer({ min: -200_000, max: 200_000 }), fc.integer({ min: -2e9, max: 1e10 })),
    flip: fc.option(fc.tuple(fc.nat(50), fc.nat(255)), { nil: undefined }),
  })
  .map(({ fromClient, port, sequence, acknowledgement, flags, payload, known, cut, pause, flip }) => {
    if (known && payload.length > 0) payload[0] = 0x3e;
    const client = { host: '10.0.0.1', port };
    const [from, to] = fromClient ? [client, SERVER] : [SERVER, client];
    const bytes = ip(from.host, to.host, tcp({ from, to, sequence, acknowledgement, flags, payload }));
    if (flip !== undefined) bytes[flip[0] % bytes.length] = flip[1];
    const fed: Fed = cut === undefined ? {} : { captured: Math.min(cut, bytes.length), originalLength: bytes.length };
    return { bytes, fed, pause };
  });

describe('whatever comes', () => {
  it('never throws, tells what the contract allows, and lets go of everything', () => {
    fc.assert(
      fc.property(fc.array(anySegment, { maxLength: 120 }), fc.constantFrom(null, [9000]), (packets, ports) => {
        const watch = new FlowWatch({ ports });
        for (const { bytes, fed, pause } of packets) {
          watch.time = Math.max(0, watch.time + pause);
          watch.frame(bytes, fed);
        }
        watch.table.finish();
        expect(watch.table.heldBytes).toBe(0);
        const kinds = watch.events.map((event) => event.kind);
        expect(kinds.filter((kind) => kind === 'open').length).toBe(kinds.filter((kind) => kind === 'closed').length);
        checkEvents(watch);
      }),
      { numRuns: 1_500 },
    );
  });

  it('never throws on fragments that overlap and contradict one another, nor makes up bytes', () => {
    const whole = tcp({ from: CLIENT, to: SERVER, sequence: 1, payload: latin(`>${'x'.repeat(80)}`) });
    const anyFragment = fc.record({
      units: fc.nat(14),
      length: fc.integer({ min: 1, max: 110 }),
      more: fc.boolean(),
      identification: fc.nat(1),
      six: fc.boolean(),
      cut: fc.option(fc.nat(40), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(anyFragment, { maxLength: 40 }), (fragments) => {
        const watch = new FlowWatch();
        for (const { units, length, more, identification, six, cut } of fragments) {
          const offset = 8 * units;
          const [from, to] = six ? ['::1', '::2'] : [CLIENT.host, SERVER.host];
          const part = whole.subarray(offset, Math.min(whole.length, offset + length));
          const packet = ip(from!, to!, part, { fragment: { offset, more }, identification });
          watch.frame(packet, cut === undefined ? {} : { captured: Math.max(packet.length - cut, 20) });
        }
        watch.table.finish();
        expect(watch.table.heldBytes).toBe(0);
        checkEvents(watch);
      }),
      { numRuns: 1_000 },
    );
  });

  it('never throws on bytes that are no packet', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.uint8Array({ maxLength: 120 }), fc.constantFrom(0, 1, 12, 101, 108, 113, 147, 228, 276, 999)),
          {
            maxLength: 30,
          },
        ),
        (packets) => {
          const watch = new FlowWatch({ recognise: () => ({ kind: 'recognised', client: 1 }) });
          for (const [bytes, linkType] of packets) watch.frame(bytes, { linkType });
          watch.table.finish();
          expect(watch.table.heldBytes).toBe(0);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('holds what it must and no more, whatever a recogniser needs', () => {
    fc.assert(
      fc.property(anyConversation, fc.integer({ min: 0, max: 80 }), fc.boolean(), (conversation, needed, ports) => {
        const watch = new FlowWatch({
          ports: ports ? [9000] : null,
          recognise: (first, second) => {
            const enough = first.bytes.length + second.bytes.length >= needed;
            return enough || (first.complete && second.complete)
              ? { kind: 'recognised', client: 0 }
              : { kind: 'undecided' };
          },
        });
        for (const segment of segmentsOf(conversation, 9)) {
          watch.segment(segment);
          expect(watch.table.heldBytes).toBeLessThanOrEqual(2 * RECOGNITION_WINDOW);
        }
        watch.table.finish();
        for (const side of SIDES) expect(watch.said(side)).toBe(streamOf(conversation, side));
        checkEvents(watch);
      }),
      { numRuns: 200 },
    );
  });
});
