import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/model/bytes.js';
import type { Side } from '../../../src/model/connection.js';
import { type Exchange, PROBLEMS_KEPT, STDERR_KEPT } from '../../../src/model/exchange.js';
import { encodeRecord, encodeStream } from '../../../src/protocol/fastcgi/encoder.js';
import {
  abort,
  backend,
  begin,
  closed,
  end,
  finish,
  gap,
  get,
  only,
  page,
  params,
  part,
  play,
  type Seen,
  type Step,
  text,
  Watcher,
  web,
} from './conversation.js';

/** One record, or a few, as either side may send them: mostly sense, some nonsense. */
function records(side: Side): fc.Arbitrary<Uint8Array> {
  const id = fc.constantFrom(1, 1, 1, 2, 3);
  const content = fc.string({ maxLength: 40 });
  const any = fc
    .record({ type: fc.nat(12), requestId: fc.nat(3), content: fc.uint8Array({ maxLength: 20 }), padding: fc.nat(9) })
    .map(encodeRecord);
  const sense: fc.Arbitrary<Uint8Array>[] =
    side === 'client'
      ? [
          id.map((n) => get(n)),
          id.map((n) => get(n, 3, 1)),
          id.map((n) => begin(n)),
          id.map((n) => params(n)),
          id.map((n) => abort(n)),
          fc.tuple(content, id).map(([value, n]) => part('stdin', value, n)),
          fc.tuple(content, id).map(([value, n]) => part('params', value, n)),
        ]
      : [
          id.map((n) => page(n)),
          id.map((n) => finish(n)),
          id.map((n) => finish(n)),
          id.map((n) => concatBytes([page(n), finish(n)])),
          fc.tuple(content, id).map(([value, n]) => part('stdout', value, n)),
          fc.tuple(content, id).map(([value, n]) => part('stderr', value, n)),
        ];
  return fc.oneof(
    { weight: 8, arbitrary: fc.oneof(...sense) },
    { weight: 1, arbitrary: any },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }) },
  );
}

const talk: fc.Arbitrary<Step> = fc.oneof(
  records('client').map((bytes) => web(bytes)),
  records('server').map((bytes) => backend(bytes)),
);
const loss: fc.Arbitrary<Step> = fc
  .tuple(fc.constantFrom<Side>('client', 'server'), fc.integer({ min: 1, max: 40 }))
  .map(([side, length]) => gap(side, length));
const ending: fc.Arbitrary<readonly Step[]> = fc.constantFrom(
  [closed],
  [end('server', 'fin'), end('client', 'fin'), closed],
  [end('client', 'reset'), closed],
  [end('client', 'fin'), end('client', 'reset'), end('server', 'fin'), closed],
  [end('client', 'capture-end'), end('server', 'capture-end'), closed],
);
/** One that goes well, so that there are points of rest. */
const wholeRequest: fc.Arbitrary<readonly Step[]> = fc
  .constantFrom(1, 2)
  .map((id) => [web(get(id)), backend(page(id), finish(id))]);
const one = (step: Step): readonly Step[] => [step];
const conversation: fc.Arbitrary<Step[]> = fc
  .tuple(
    fc.array(
      fc.oneof(
        { weight: 12, arbitrary: talk.map(one) },
        { weight: 1, arbitrary: loss.map(one) },
        { weight: 4, arbitrary: wholeRequest },
      ),
      { maxLength: 30 },
    ),
    ending,
  )
  .map(([steps, last]) => [...steps.flat(), ...last]);

/** The lengths come round again until all is cut. */
function cutInto(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let from = 0, i = 0; from < bytes.length; i += 1) {
    const to = from + lengths[i % lengths.length]!;
    parts.push(bytes.subarray(from, to));
    from = to;
  }
  return parts;
}

/** Cuts every chunk at the same distances, which makes records cross chunks at all sorts of places. */
function rechunk(steps: readonly Step[], size: number): Step[] {
  return steps.flatMap((step) => {
    if (step.kind !== 'bytes') return [step];
    const parts: Step[] = [];
    for (let from = 0; from < step.bytes.length; from += size) {
      parts.push({ ...step, bytes: step.bytes.subarray(from, from + size) });
    }
    return parts;
  });
}

describe('an analyzer', () => {
  it('says the same of any chunking, and keeps nothing that was lent to it', () => {
    fc.assert(
      fc.property(conversation, fc.integer({ min: 1, max: 30 }), (steps, size) => {
        // Times may depend on chunks: all is one moment.
        const whole = new Watcher();
        for (const step of steps) whole.push(step, 5);
        const cut = new Watcher();
        for (const step of rechunk(steps, size)) cut.push(step, 5, true);
        expect(cut.seen.exchanges).toEqual(whole.seen.exchanges);
        expect(cut.records).toEqual(whole.records);
        expect(cut.seen.summary).toEqual(whole.seen.summary);
        expect(cut.events.map(({ kind }) => kind)).toEqual(whole.events.map(({ kind }) => kind));
        // Bodies that nobody wants to see pass uncopied, which makes no difference.
        const passed = new Watcher({ wholeContent: false });
        for (const step of rechunk(steps, size)) passed.push(step, 5, true);
        expect(passed.seen.exchanges).toEqual(whole.seen.exchanges);
        expect(passed.records.map(({ n, entry }) => [n, entry])).toEqual(
          whole.records.map(({ n, entry }) => [n, entry]),
        );
        expect(passed.seen.summary).toEqual(whole.seen.summary);
      }),
      { numRuns: 300 },
    );
  });

  it('reads of bodies that pass uncopied what it reads of such that are held, wherever bytes are missing', () => {
    const head = fc.constantFrom('Status: 404 No\r\nA: b\r\n\r\n', 'A: b\n\n', '\n', '\r\r\n', 'A: b\r\n', '');
    const lengths = fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(
        fc.record({
          head,
          body: fc.integer({ min: 0, max: 400 }),
          records: lengths,
          chunks: lengths,
          missing: fc.option(fc.tuple(fc.nat(600), fc.integer({ min: 1, max: 120 }))),
          broken: fc.boolean(),
        }),
        ({ head, body, records, chunks, missing, broken }) => {
          const sent = concatBytes([
            ...cutInto(text(head + 'x'.repeat(body)), records).map((part) =>
              encodeStream('stdout', 1, part, { close: false }),
            ),
            ...(broken ? [] : [finish()]),
          ]);
          const steps: Step[] = [web(get(), encodeStream('stdin', 1, text('y'.repeat(body))))];
          let at = 0;
          for (const part of cutInto(sent, chunks)) {
            const lost = missing !== null && at >= missing[0] && at < missing[0] + missing[1];
            steps.push(lost ? gap('server', part.length) : backend(part));
            at += part.length;
          }
          steps.push(end('server', 'fin'), end('client', 'fin'), closed);
          const [held, passed] = [true, false].map((wholeContent) => {
            const watcher = new Watcher({ wholeContent });
            for (const [i, step] of steps.entries()) watcher.push(step, 1000 * (i + 1), true);
            return watcher;
          });
          expect(passed!.seen.exchanges).toEqual(held!.seen.exchanges);
          expect(passed!.records.map(({ entry }) => entry)).toEqual(held!.records.map(({ entry }) => entry));
          for (const [i, { content }] of passed!.records.entries())
            expect(held!.records[i]!.content.subarray(0, content.length)).toEqual(content);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('gives the same exchanges when it starts anew at any idle point', () => {
    let replays = 0;
    fc.assert(
      fc.property(conversation, fc.boolean(), (steps, midstream) => {
        const first = new Watcher({ midstream });
        const points: { from: number; offsets: { client: number; server: number }; opened: number }[] = [];
        steps.forEach((step, i) => {
          const { analyzer } = first;
          if (analyzer.idle) points.push({ from: i, offsets: { ...analyzer.offsets }, opened: analyzer.opened });
          first.push(step, 1000 * (i + 1));
        });
        for (const { from, offsets, opened } of points) {
          const again = new Watcher({ offsets, opened }, opened + 1);
          for (let i = from; i < steps.length; i++) again.push(steps[i]!, 1000 * (i + 1));
          const expected = first.seen.exchanges.filter(({ n }) => n > opened);
          expect(again.seen.exchanges.map(withoutOpening)).toEqual(expected.map(withoutOpening));
          if (opened > 0) replays += 1;
        }
      }),
      { numRuns: 300 },
    );
    expect(replays).toBeGreaterThan(50);
  });

  it('is idle exactly between requests', () => {
    const watcher = new Watcher();
    const idle = [web(get()), backend(page()), backend(finish().subarray(0, 9)), backend(finish().subarray(9))].map(
      (step, i) => {
        watcher.push(step, i);
        return watcher.analyzer.idle;
      },
    );
    expect(idle).toEqual([false, false, false, true]);
    watcher.push(web(get().subarray(0, 3)), 9);
    expect(watcher.analyzer.idle).toBe(false);
  });

  it('is not idle where a request’s beginning may be missing, nor once a side has ended', () => {
    const joined = new Watcher({ midstream: true });
    expect(joined.analyzer.idle).toBe(false);
    joined.push(web(get()), 1);
    joined.push(backend(page(), finish()), 2);
    expect(joined.analyzer.idle).toBe(true);
    joined.push(end('server', 'fin'), 3);
    expect(joined.analyzer.idle).toBe(false);
  });

  it('takes any bytes on both sides', () => {
    const noise = fc.tuple(fc.boolean(), fc.uint8Array({ maxLength: 200 }));
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 8 }), ending, fc.boolean(), (chunks, last, midstream) => {
        const steps = chunks.map(([up, bytes]) => (up ? web(bytes) : backend(bytes)));
        const seen = play([...steps, ...last], { midstream });
        expect(seen.exchanges.every(({ outcome }) => outcome !== null)).toBe(true);
        const touched = chunks.some(([, bytes]) => bytes.length > 0);
        // Without a byte there is still to tell of a backend that ended the connection at once.
        const unasked = seen.summary.endedBy === 'backend' && !midstream;
        expect(seen.exchanges.length > 0 || seen.summary.managementRecords > 0).toBe(touched || unasked);
      }),
    );
  });

  it('tells two interleaved requests as it tells each alone', () => {
    const side = fc.array(fc.tuple(fc.boolean(), fc.constantFrom('stdout', 'stderr', 'stdin'), fc.string()), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(side, (parts) => {
        const script = (id: number): Step[] => [
          web(begin(id), params(id)),
          ...parts
            .filter(([second]) => second === (id === 2))
            .map(([, stream, content]) => {
              const bytes = part(stream as 'stdin', content || 'x', id);
              return stream === 'stdin' ? web(bytes) : backend(bytes);
            }),
        ];
        const last = [backend(finish(1), finish(2)), closed];
        const queues = [script(1), script(2)];
        const mixed = [
          queues[0]!.shift()!,
          queues[1]!.shift()!,
          ...parts.map(([second]) => queues[second ? 1 : 0]!.shift()!),
        ];
        const together = play([...mixed, ...last]).exchanges;
        const apart = [1, 2].map((id) => play([...script(id), backend(finish(id)), closed]).exchanges[0]!);
        expect(together.map(withoutPlace)).toEqual(apart.map(withoutPlace));
      }),
    );
  });

  it('keeps nothing that grows with what is sent', () => {
    const watcher = new Watcher({ observer: () => {} });
    watcher.push(web(get()), 1);
    const stderr = encodeStream('stderr', 1, new Uint8Array(60_000).fill(0x61), { close: false });
    const step = backend(stderr);
    for (let i = 0; i < 10_000; i++) watcher.push(step, 2);
    for (let i = 0; i < 10_000; i++) watcher.push(web(part('stdin', 'late')), 3);
    watcher.push(backend(finish()), 4);
    const exchange = only(watcher.seen);
    expect(exchange.streams.stderr).toMatchObject({ bytes: 600_000_000, records: 10_000 });
    expect(exchange.stderrHead.length).toBe(STDERR_KEPT);
    expect(exchange.stderrHead.buffer.byteLength).toBe(STDERR_KEPT);
    expect(exchange.problems.length).toBe(PROBLEMS_KEPT);
    expect(exchange.records).toMatchObject({ problems: 10_000, total: 20_005 });
  });

  it('opens requests in order and settles each once, whatever is said', () => {
    fc.assert(
      fc.property(conversation, (steps) => {
        const seen = play(steps);
        const opened = seen.events.filter(({ kind }) => kind === 'opened').map(({ exchange }) => exchange.n);
        expect(opened).toEqual(opened.map((_, i) => i + 1));
        const settled = seen.events.filter(({ kind }) => kind === 'settled').map(({ exchange }) => exchange.n);
        expect(settled.toSorted((a, b) => a - b)).toEqual(opened);
        expectConsistent(seen);
      }),
    );
  });
});

describe('the summary of a connection', () => {
  it('counts bytes, requests, management records and the problems of no request', () => {
    const values = encodeRecord({ type: 9, requestId: 0 });
    const seen = play([web(values, get()), backend(page(9), page(), finish()), end('server', 'fin'), closed]);
    expect(seen.summary).toEqual({
      connection: 7,
      client: { kind: 'tcp', host: '127.0.0.1', port: 40000 },
      server: { kind: 'tcp', host: '127.0.0.1', port: 9000 },
      at: 1,
      endedBy: 'backend',
      how: 'fin',
      endedAt: 3000,
      requests: 1,
      bytes: { client: values.length + get().length, server: 2 * page().length + finish().length },
      managementRecords: 1,
      problems: 1,
      failure: null,
      undecoded: false,
      notes: [],
    });
  });

  it('keeps the first notes', () => {
    const notes = Array.from({ length: 30 }, (_, i): Step => ({ kind: 'note', text: `note ${i}` }));
    const seen = play(notes);
    expect(seen.summary.notes).toHaveLength(20);
    expect(seen.summary.notes[0]).toBe('note 0');
  });

  it('ignores what a source says of a side that has ended', () => {
    const seen = play([web(get()), end('client', 'fin'), web(text('?'), get(2)), backend(finish()), closed]);
    expect(only(seen)).toMatchObject({ outcome: 'completed', records: { total: 5, problems: 0 } });
  });
});

/** Timeline and totals are two accounts of the same records. */
function expectConsistent(seen: Seen): void {
  for (const exchange of seen.exchanges) {
    const entries = seen.records.filter(({ n }) => n === exchange.n);
    expect(entries.map(({ entry }) => entry.index)).toEqual(entries.map((_, i) => i));
    expect(exchange.records.total).toBe(entries.length);
    for (const [name, totals] of Object.entries(exchange.streams)) {
      const own = entries.filter(({ entry }) => entry.streamOffset !== null && entry.type === name.toUpperCase());
      expect(own).toHaveLength(totals.records);
      let offset = 0;
      for (const { entry } of own) {
        expect(entry.streamOffset).toBe(offset);
        offset += entry.contentLength;
      }
      expect(totals.bytes + totals.missing).toBe(offset);
    }
  }
}

function withoutOpening({ n: _, ...rest }: Exchange): unknown {
  return rest;
}

/** Without what must differ: where the records were, and when. */
function withoutPlace({
  n: _,
  precedingRequests: __,
  requestId: ___,
  times: ____,
  problems,
  ...rest
}: Exchange): unknown {
  return { ...rest, problems: problems.map(({ code }) => code) };
}
