import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeFinding, diagnose } from '../../src/diagnosis/diagnose.js';
import type { RecordEntry } from '../../src/model/exchange.js';
import { type Exchange, STREAM_NAMES, type StreamName } from '../../src/model/exchange.js';
import { rowOf } from '../../src/model/exchange-row.js';
import type { AnalyzerOptions, Protocol } from '../../src/protocol/analyzer.js';
import { protocols } from '../../src/protocol/index.js';
import type { ByteStore } from '../../src/session/byte-store.js';
import { recordingSession } from '../../src/session/recording-session.js';
import { Session } from '../../src/session/session.js';
import { Spool } from '../../src/session/spool.js';
import { converse, dice } from '../support/conversation.js';
import { FakeFiles } from '../support/fake-files.js';
import { FakeSource } from '../support/fake-source.js';

/** What an analyzer saw of the live traffic, kept whole beside the session, which forgets it. */
interface Witness {
  readonly exchanges: Map<number, Exchange>;
  readonly records: Map<number, RecordEntry[]>;
  readonly bodies: Map<string, Map<number, Uint8Array>>;
}

/** The real protocol, with a witness of the live analyzers; replays go past it. */
function witnessed(): { protocol: Protocol; witness: Witness; replaying: () => void } {
  const witness: Witness = { exchanges: new Map(), records: new Map(), bodies: new Map() };
  let live = true;
  const analyze = (options: AnalyzerOptions) =>
    protocols.fastcgi.analyze(
      !live
        ? options
        : {
            ...options,
            sink: (event) => {
              if (event.kind !== 'opened') witness.exchanges.set(event.exchange.n, structuredClone(event.exchange));
              options.sink(event);
            },
            wholeContent: true,
            observer: (exchange, entry, content) => {
              if (exchange === null) return;
              const list = witness.records.get(exchange.n) ?? [];
              witness.records.set(exchange.n, [...list, structuredClone(entry)]);
              if (entry.streamOffset === null || entry.missing > 0) return;
              const key = `${exchange.n} ${entry.type}`;
              const parts = witness.bodies.get(key) ?? new Map<number, Uint8Array>();
              witness.bodies.set(key, parts.set(entry.streamOffset, content.slice()));
            },
          },
    );
  const { recognise } = protocols.fastcgi;
  return { protocol: { name: 'witnessed', analyze, recognise }, witness, replaying: () => (live = false) };
}

async function check(seed: number, connections: number): Promise<void> {
  const { protocol, witness, replaying } = witnessed();
  const source = new FakeSource();
  const session = recordingSession({ source, protocol, clock: () => source.now });
  try {
    await session.start();
    converse(source, seed, connections);
    replaying();
    const { rows } = await session.rows({ filter: '', order: 'n', reverse: false, from: 0, count: 1_000 });
    expect(rows.map((row) => row.n)).toEqual([...witness.exchanges.keys()].sort((a, b) => a - b));
    for (const [n, seen] of witness.exchanges) {
      expect(await session.exchange(n), `request ${n} of seed ${seed}`).toEqual(seen);
      expect((await session.records(n, 0, 1_000)).records).toEqual(witness.records.get(n) ?? []);
      for (const stream of STREAM_NAMES) await checkBody(session, witness, n, stream);
    }
  } finally {
    await session.close();
  }
}

async function checkBody(
  session: ReturnType<typeof recordingSession>,
  witness: Witness,
  n: number,
  stream: StreamName,
): Promise<void> {
  const whole = await session.body(n, stream, 0, 1_000_000);
  const totals = witness.exchanges.get(n)!.streams[stream];
  expect(whole.total).toBe(totals.bytes + totals.missing);
  for (const [offset, content] of witness.bodies.get(`${n} ${stream.toUpperCase()}`) ?? []) {
    expect(Buffer.compare(whole.bytes.subarray(offset, offset + content.length), content)).toBe(0);
    expect(whole.gaps.some(([from, to]) => from < offset + content.length && to > offset && content.length > 0)).toBe(
      false,
    );
  }
  if (totals.missing === 0) expect(whole.gaps).toEqual([]);
}

describe('a replay', () => {
  it('is what was seen live: exchange, timeline and bodies', async () => {
    await fc.assert(fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 4 }), check), { numRuns: 150 });
  });

  it('that lacks bytes tells what the row tells, and invents nothing', async () => {
    const seen = { whole: 0, lacking: 0, bare: 0, findings: 0, status: 0 };
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.constantFrom(0, 3, 10, 40), async (seed, oneIn) => {
        const source = new FakeSource();
        const store = forgetful(new Spool({ files: new FakeFiles() }), seed, oneIn);
        const clock = () => source.now;
        const session = new Session({
          source,
          protocol: protocols.fastcgi,
          store,
          clock,
          diagnose,
          describe: describeFinding,
        });
        await session.start();
        converse(source, seed, 3);
        const { rows } = await session.rows({ filter: '', order: 'n', reverse: false, from: 0, count: 1_000 });
        for (const row of rows) {
          const exchange = (await session.exchange(row.n))!;
          const again = rowOf(exchange);
          const { stdin, stdout, stderr } = exchange.streams;
          if (again.sizeIn < row.sizeIn || again.sizeOut < row.sizeOut || again.stderrBytes < row.stderrBytes) {
            seen.lacking += 1;
            expect(exchange.records.gaps).toBeGreaterThan(0);
          } else seen.whole += 1;
          if (exchange.params.length === 0 && row.url !== null) seen.bare += 1;
          if (row.findings.length > 0 && stdout.missing > 0) seen.findings += 1;
          if (row.status !== null && exchange.response?.length === 0) seen.status += 1;
          expect({ ...again, sizeIn: 0, sizeOut: 0, stderrBytes: 0 }, `request ${row.n} of seed ${seed}`).toEqual({
            ...row,
            sizeIn: 0,
            sizeOut: 0,
            stderrBytes: 0,
          });
          for (const [totals, size] of [
            [stdin, row.sizeIn],
            [stdout, row.sizeOut],
            [stderr, row.stderrBytes],
          ] as const) {
            expect(totals.bytes).toBeLessThanOrEqual(size);
            expect(totals.bytes + totals.missing).toBeGreaterThanOrEqual(size);
          }
          if (again.sizeOut < row.sizeOut) expect(exchange.response?.complete).not.toBe(false);
        }
        await session.close();
      }),
      { numRuns: 150 },
    );
    // The property has met every case.
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(10);
  });
});

/** A store that takes one in so many appends for none, and all when it is 0. */
function forgetful(store: ByteStore, seed: number, oneIn: number): ByteStore {
  const roll = dice(seed + 1);
  return new Proxy(store, {
    get(target, name) {
      if (name !== 'channel') {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return (...args: Parameters<ByteStore['channel']>) => {
        const channel = target.channel(...args);
        return {
          append: (...append: Parameters<typeof channel.append>) =>
            roll(Math.max(1, oneIn)) === 0 ? -1 : channel.append(...append),
        };
      };
    },
  });
}
