import fc from 'fast-check';
import { concatBytes } from '../../../src/model/bytes.js';
import type { Side } from '../../../src/model/connection.js';
import { KEEP_CONN, RecordType, Role } from '../../../src/protocol/fastcgi/constants.js';
import {
  encodeBeginRequest,
  encodeEndRequest,
  encodeParams,
  encodeRecord,
} from '../../../src/protocol/fastcgi/encoder.js';
import { recordLength } from '../../../src/protocol/fastcgi/framing.js';
import { closed, end, gap, type Step } from './conversation.js';

/** Requests on a kept connection, as a web server and a backend that keep to the specification speak, one at a time or multiplexed. */
export interface Conversation {
  /** What each side says in one go, in the order in which they cause one another. */
  readonly turns: readonly Turn[];
  /** Whose record begins at an offset of a side's stream, requests counted from 0. */
  readonly owners: Readonly<Record<Side, ReadonlyMap<number, number>>>;
}

export interface Turn {
  readonly side: Side;
  readonly bytes: Uint8Array;
  readonly request: number;
}

/** [from, to) of a side's stream that was not captured. */
export type Loss = readonly [side: Side, from: number, to: number];

/** Decisions, drawn in advance so that they can be shrunk. */
class Tape {
  #at = 0;

  constructor(private readonly values: readonly number[]) {}

  next(below: number): number {
    return (this.values[this.#at++] ?? 0) % below;
  }

  get isOver(): boolean {
    return this.#at >= this.values.length;
  }
}

const anySide = fc.constantFrom<Side>('client', 'server');

export const conversations: fc.Arbitrary<Conversation> = fc
  .array(fc.nat(0xffff), { minLength: 20, maxLength: 200 })
  .map((tape) => make(new Tape(tape)));

/** Conversations and what was lost of them: often small things, at times all of several requests. */
export const lossyConversations: fc.Arbitrary<readonly [Conversation, readonly Loss[]]> = fc
  .tuple(
    conversations,
    fc.array(
      fc.tuple(anySide, fc.nat(0xffff), fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 600 }))),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
  )
  .map(([conversation, wishes]) => {
    const losses = wishes.flatMap(([side, place, length]): Loss[] => {
      const total = conversation.turns.reduce((sum, turn) => sum + (turn.side === side ? turn.bytes.length : 0), 0);
      return total === 0 ? [] : [[side, place % total, Math.min((place % total) + length, total)]];
    });
    return [conversation, losses];
  });

/** The events of a conversation of which the losses were not captured; one turn, one moment. */
export function events({ turns }: Conversation, losses: readonly Loss[], chunk = Number.POSITIVE_INFINITY): Step[] {
  const offsets = { client: 0, server: 0 };
  const steps = turns.flatMap(({ side, bytes }, moment) => {
    const first = offsets[side];
    offsets[side] += bytes.length;
    const isLost = (offset: number): boolean =>
      losses.some(([of, from, to]) => of === side && offset >= from && offset < to);
    const parts: Step[] = [];
    for (let from = 0; from < bytes.length; ) {
      const lost = isLost(first + from);
      let to = from + 1;
      while (to < bytes.length && isLost(first + to) === lost && (lost || to - from < chunk)) to += 1;
      parts.push(
        lost
          ? { ...gap(side, to - from), at: moment }
          : { kind: 'bytes', side, bytes: bytes.slice(from, to), origin: -1, at: moment },
      );
      from = to;
    }
    return parts;
  });
  const last = turns.length;
  return [...steps, ...[end('server', 'fin'), end('client', 'fin'), closed].map((step) => ({ ...step, at: last }))];
}

/** The requests of which, and during which, nothing was lost. */
export function untouched({ turns }: Conversation, losses: readonly Loss[]): number[] {
  const offsets = { client: 0, server: 0 };
  const lossy = turns.map(({ side, bytes }) => {
    const first = offsets[side];
    offsets[side] += bytes.length;
    return losses.some(([of, from, to]) => of === side && from < first + bytes.length && to > first);
  });
  const requests = [...new Set(turns.map(({ request }) => request))];
  return requests.filter((request) => {
    const from = turns.findIndex((turn) => turn.request === request);
    const to = turns.findLastIndex((turn) => turn.request === request);
    return !lossy.slice(from, to + 1).includes(true);
  });
}

interface Talk {
  readonly request: number;
  readonly id: number;
  begun: boolean;
  readonly client: Uint8Array[];
  readonly server: Uint8Array[];
}

const MOST_REQUESTS = 12;

function make(tape: Tape): Conversation {
  const turns: Turn[] = [];
  const owners = { client: new Map<number, number>(), server: new Map<number, number>() };
  const lengths = { client: 0, server: 0 };
  const ids = tape.next(2) === 0 ? [1] : [1, 2, 3];
  let open: Talk[] = [];
  let requests = 0;
  for (;;) {
    const free = ids.filter((id) => open.every((talk) => talk.id !== id));
    const more = free.length > 0 && requests < MOST_REQUESTS && !tape.isOver;
    if (more && (open.length === 0 || tape.next(3) === 0)) {
      open.push(makeTalk(tape, requests++, free[tape.next(free.length)]!));
    }
    const talk = open[tape.next(Math.max(open.length, 1))];
    if (talk === undefined) return { turns, owners };
    const [side, records] = say(talk, tape);
    const bytes = concatBytes(records);
    for (let at = 0; at < bytes.length; at += recordLength(bytes, at))
      owners[side].set(lengths[side] + at, talk.request);
    lengths[side] += bytes.length;
    turns.push({ side, bytes, request: talk.request });
    open = open.filter(({ client, server }) => client.length + server.length > 0);
  }
}

/** Some records of one side. END_REQUEST, the last of the backend's, waits until the web server has said all. */
function say(talk: Talk, tape: Tape): [Side, Uint8Array[]] {
  const { client, server } = talk;
  const ready = client.length === 0 ? server.length : server.length - 1;
  const up = client.length > 0 && (!talk.begun || ready === 0 || tape.next(3) > 0);
  talk.begun = true;
  return up
    ? ['client', client.splice(0, 1 + tape.next(client.length))]
    : ['server', server.splice(0, 1 + tape.next(ready))];
}

function makeTalk(tape: Tape, request: number, id: number): Talk {
  // All content of a request is its own letter, so that it can be told wherever it turns up. No length is 1: from there on a record
  // with padding looks like the header of another.
  const letter = String.fromCharCode(0x41 + request);
  const record = (type: number, length: number): Uint8Array =>
    encodeRecord({
      type,
      requestId: id,
      content: new Uint8Array(length).fill(letter.charCodeAt(0)),
      padding: tape.next(9),
    });
  const some = (type: number, most: number): Uint8Array[] =>
    Array.from({ length: tape.next(most) }, () => record(type, 2 + tape.next(60) * (tape.next(8) === 0 ? 40 : 1)));
  return {
    request,
    id,
    begun: false,
    client: [
      encodeBeginRequest(id, Role.RESPONDER, KEEP_CONN),
      encodeParams(id, [[letter, letter.repeat(1 + tape.next(60))]]),
      ...some(RecordType.STDIN, 4),
      encodeRecord({ type: RecordType.STDIN, requestId: id }),
    ],
    server: [
      ...some(RecordType.STDOUT, 4),
      ...some(RecordType.STDERR, 2),
      ...some(RecordType.STDOUT, 3),
      encodeEndRequest(id, letter.charCodeAt(0), 0),
    ],
  };
}
