import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Exchange } from '../../../src/model/exchange.js';
import { Watcher } from './conversation.js';
import { type Conversation, events, type Loss, lossyConversations, untouched } from './lossy-conversation.js';

interface Heard {
  readonly watcher: Watcher;
  /** Which of the conversation's requests the records of each exchange, by its number, are of. */
  readonly requests: ReadonlyMap<number, ReadonlySet<number>>;
}

function hear(conversation: Conversation, losses: readonly Loss[], midstream = false, chunk?: number): Heard {
  const watcher = new Watcher({ midstream });
  for (const step of events(conversation, losses, chunk)) watcher.push(step, step.at!, chunk !== undefined);
  const requests = new Map<number, Set<number>>();
  for (const { n, entry } of watcher.records) {
    const request = conversation.owners[entry.side].get(entry.offset);
    if (request === undefined) throw new Error(`no record begins at ${entry.side} ${entry.offset}`);
    if (n !== null) requests.set(n, (requests.get(n) ?? new Set()).add(request));
  }
  return { watcher, requests };
}

/** The beginning of both streams is not captured, and nothing says so. */
function cut(conversation: Conversation, turns: number): Conversation {
  const offsets = { client: 0, server: 0 };
  for (const { side, bytes } of conversation.turns.slice(0, turns)) offsets[side] += bytes.length;
  const moved = (side: 'client' | 'server'): Map<number, number> =>
    new Map([...conversation.owners[side]].map(([offset, owner]) => [offset - offsets[side], owner]));
  return { turns: conversation.turns.slice(turns), owners: { client: moved('client'), server: moved('server') } };
}

/** But for the remark that it was met late, which the losses before it bring about. */
const alike = (
  { n: _, precedingRequests: __, problems, records, ...rest }: Exchange,
  shift = { client: 0, server: 0 },
): unknown => {
  const others = problems.filter(({ code }) => code !== 'met-late');
  return {
    ...rest,
    records: { ...records, problems: records.problems - problems.length + others.length },
    problems: others.map((problem) => ({ ...problem, offset: problem.offset - shift[problem.side] })),
  };
};

function expectUnmixed({ watcher, requests }: Heard): void {
  for (const [n, of] of requests)
    if (of.size > 1) throw new Error(`exchange ${n} has records of ${[...of].join(', ')}`);
  const { exchanges } = watcher.seen;
  expect(exchanges.every(({ outcome }) => outcome !== null)).toBe(true);
  for (const { n, appStatus, params, stderrHead, bodyHead } of exchanges) {
    const [request] = requests.get(n) ?? [];
    if (request === undefined) continue;
    const letter = 0x41 + request;
    if (appStatus !== null) expect(appStatus).toBe(letter);
    for (const byte of [...stderrHead, ...bodyHead]) expect(byte).toBe(letter);
    for (const { name } of params) expect(name).toBe(String.fromCharCode(letter));
  }
}

const RUNS = { numRuns: 1_500 };

describe('of a conversation of which bytes were lost', () => {
  it('no record is put down to another’s request, wherever the gaps are', () => {
    fc.assert(
      fc.property(lossyConversations, ([conversation, losses]) => {
        expectUnmixed(hear(conversation, losses));
      }),
      RUNS,
    );
  });

  it('nor where its beginning was lost as well', () => {
    fc.assert(
      fc.property(lossyConversations, fc.nat(30), ([conversation, losses], turns) => {
        expectUnmixed(hear(cut(conversation, turns % conversation.turns.length), losses, true));
      }),
      RUNS,
    );
  });

  it('requests that were over before, or began after, come out as without', () => {
    let compared = 0;
    fc.assert(
      fc.property(lossyConversations, ([conversation, losses]) => {
        const whole = hear(conversation, []);
        const lossy = hear(conversation, losses);
        for (const request of untouched(conversation, losses)) {
          const [one, other] = [whole, lossy].map(({ watcher, requests }) =>
            watcher.seen.exchanges.filter(({ n }) => requests.get(n)?.has(request)),
          );
          expect(other!.map((exchange) => alike(exchange))).toEqual(one!.map((exchange) => alike(exchange)));
          expect(one).toHaveLength(1);
          compared += 1;
        }
      }),
      RUNS,
    );
    expect(compared).toBeGreaterThan(RUNS.numRuns / 10);
  });

  it('the same is told however it is chunked', () => {
    fc.assert(
      fc.property(
        lossyConversations,
        fc.boolean(),
        fc.integer({ min: 1, max: 40 }),
        ([conversation, losses], midstream, chunk) => {
          const [whole, pieces] = [undefined, chunk].map((size) => hear(conversation, losses, midstream, size).watcher);
          expect(pieces!.seen.exchanges).toEqual(whole!.seen.exchanges);
          expect(pieces!.records).toEqual(whole!.records);
          expect(pieces!.events.map(({ kind }) => kind)).toEqual(whole!.events.map(({ kind }) => kind));
          expect(pieces!.seen.summary).toEqual(whole!.seen.summary);
        },
      ),
      { numRuns: 500 },
    );
  });
});
