import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { ExchangeRow } from '../../src/model/exchange.js';
import type { RowOrder, RowQuery } from '../../src/model/inspection.js';
import { protocols } from '../../src/protocol/index.js';
import { parseFilter } from '../../src/session/filter.js';
import { recordingSession } from '../../src/session/recording-session.js';
import { comparatorOf } from '../../src/session/row-order.js';
import type { Session } from '../../src/session/session.js';
import { converse } from '../support/conversation.js';
import { FakeSource, request } from '../support/fake-source.js';

const ORDERS: readonly RowOrder[] = [
  'n',
  'time',
  'duration',
  'ttfb',
  'status',
  'method',
  'url',
  'size.in',
  'size.out',
  'finding',
];
const FILTERS = ['', 'outcome == completed', 'status >= 500', 'url contains "1"', 'not status', 'size.out > 5000'];
const ALL: RowQuery = { filter: '', order: 'n', reverse: false, from: 0, count: 10_000 };

const anyQuery = fc.record({
  filter: fc.constantFrom(...FILTERS),
  order: fc.constantFrom(...ORDERS),
  reverse: fc.boolean(),
  from: fc.integer({ min: -40, max: 40 }),
  count: fc.integer({ min: 0, max: 30 }),
  around: fc.option(fc.integer({ min: 1, max: 60 })),
});

/** The same from all rows, the plain way. */
function expected(all: readonly ExchangeRow[], query: RowQuery) {
  const filter = parseFilter(query.filter);
  const subject = (row: ExchangeRow) => ({ row, exchange: () => null, body: () => never() });
  const list = all.filter((row) => filter.test(subject(row)) === true).sort(comparatorOf(query.order));
  if (query.reverse) list.reverse();
  const position = list.findIndex((row) => row.n === query.around);
  const base = position >= 0 ? position : query.from < 0 ? list.length : 0;
  const from = Math.min(Math.max(0, base + query.from), list.length);
  return { rows: list.slice(from, from + query.count), from, shown: list.length, position, searching: false };
}

// biome-ignore lint/correctness/useYield: it is never asked for any
async function* never(): AsyncGenerator<Uint8Array> {
  throw new Error('these filters ask rows only');
}

async function start(maxRequests: number): Promise<{ session: Session; source: FakeSource }> {
  const source = new FakeSource();
  const session = recordingSession({ source, protocol: protocols.fastcgi, clock: () => source.now, maxRequests });
  await session.start();
  return { session, source };
}

describe('rows', () => {
  it('are what sorting and filtering all of them gives, while they come, change and go', async () => {
    const rounds = fc.array(fc.tuple(fc.nat(), fc.array(anyQuery, { maxLength: 4 })), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(rounds, fc.integer({ min: 5, max: 60 }), async (list, maxRequests) => {
        const { session, source } = await start(maxRequests);
        try {
          for (const [seed, queries] of list) {
            converse(source, seed, 4);
            // One that stays open.
            source.bytes(source.connect(), 'client', request({ path: `/open-${seed}` }));
            const { rows: all } = await session.rows(ALL);
            for (const { around, ...rest } of queries) {
              const query: RowQuery = around === null ? rest : { ...rest, around };
              expect(await session.rows(query), JSON.stringify(query)).toEqual(expected(all, query));
            }
          }
        } finally {
          await session.close();
        }
      }),
      { numRuns: 60 },
    );
  });

  it('come in order from a large table too, made in slices', async () => {
    const { session, source } = await start(10_000);
    for (let i = 0; i < 6_000; i += 1)
      source.roundTrip({ path: `/${(i * 7_919) % 6_000}`, stdout: `Status: ${200 + (i % 5)}\r\n\r\n` });
    const query: RowQuery = { ...ALL, filter: 'status != 202', order: 'url', from: 100, count: 50 };
    const { rows: all } = await session.rows(ALL);
    expect(await session.rows(query)).toEqual(expected(all, query));
    for (let i = 0; i < 500; i += 1) source.roundTrip({ path: `/${i}-late` });
    const { rows: more } = await session.rows(ALL);
    expect(await session.rows(query)).toEqual(expected(more, query));
    await session.close();
  });

  it('are searched for in the stored bytes behind the reader’s back', async () => {
    const { session, source } = await start(1_000);
    for (let i = 0; i < 300; i += 1) {
      source.roundTrip({ stdout: `Status: 200\r\nX-Kind: ${i % 3}\r\n\r\nbody ${i % 10 === 0 ? 'needle' : 'hay'}` });
    }
    const first = await session.rows({ ...ALL, filter: 'stdout contains "needle"' });
    expect(first.searching).toBe(true);
    await vi.waitFor(async () => {
      const page = await session.rows({ ...ALL, filter: 'stdout contains "needle"' });
      expect(page.searching).toBe(false);
      expect(page.rows.map((row) => row.n)).toEqual(Array.from({ length: 30 }, (_, i) => i * 10 + 1));
    });
    await vi.waitFor(async () => {
      const page = await session.rows({ ...ALL, filter: 'header.X-Kind == "2"' });
      expect(page).toMatchObject({ shown: 100, searching: false });
    });
    // What settles later is looked at as well.
    source.roundTrip({ stdout: 'Status: 200\r\n\r\nanother needle' });
    await vi.waitFor(async () => {
      expect((await session.rows({ ...ALL, filter: 'stdout contains "needle"' })).shown).toBe(31);
    });
    await session.close();
  });

  it('reject a filter that is wrong', async () => {
    const { session } = await start(10);
    await expect(session.rows({ ...ALL, filter: 'status >' })).rejects.toMatchObject({ code: 'bad-filter' });
    await session.close();
  });
});
