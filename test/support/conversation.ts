import type { Side } from '../../src/model/connection.js';
import { encodeAbortRequest, encodeGetValues, encodeRecord } from '../../src/protocol/fastcgi/encoder.js';
import { answer, type FakeSource, request } from './fake-source.js';
import { splitRecords } from './record-socket.js';

/** Reproducible numbers below `below` (mulberry32): a failing test names its seed. */
export function dice(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/**
 * Some connections at once, each with some requests, told to the source in a random order: multiplexed and kept ones, answers that begin
 * before the request is over, records that come too late or make no sense, chunks cut anywhere, gaps, and every kind of end.
 */
export function converse(source: FakeSource, seed: number, connections = 3): void {
  const roll = dice(seed);
  const steps = Array.from({ length: connections }, () => conversation(source, roll));
  let left = steps.filter((list) => list.length > 0);
  while (left.length > 0) {
    left[roll(left.length)]!.shift()!();
    left = left.filter((list) => list.length > 0);
  }
}

function conversation(source: FakeSource, roll: (below: number) => number): (() => void)[] {
  const id = source.connect();
  const steps: (() => void)[] = [];
  const requests = roll(6);
  const multiplexed = roll(3) === 0;
  const queues: { side: Side; bytes: Uint8Array }[][] = [];
  for (let i = 0; i < requests; i += 1) {
    const queue = oneRequest(multiplexed ? 1 + roll(3) : 1, roll);
    if (multiplexed || queues.length === 0) queues.push(queue);
    else queues[0]!.push(...queue);
  }
  const order: { side: Side; bytes: Uint8Array }[] = [];
  for (let live = queues; live.length > 0; live = live.filter((queue) => queue.length > 0)) {
    order.push(live[roll(live.length)]!.shift()!);
  }
  for (const { side, bytes } of order) {
    // Neighbours of one side may come in one chunk, and a record in several.
    for (let from = 0; from < bytes.length; ) {
      const to = roll(3) === 0 ? Math.min(bytes.length, from + 1 + roll(bytes.length)) : bytes.length;
      const part = bytes.subarray(from, to);
      if (roll(40) === 0) steps.push(() => source.gap(id, side, part.length));
      else steps.push(() => source.bytes(id, side, part));
      from = to;
    }
  }
  const cut = roll(4) === 0 ? roll(steps.length + 1) : steps.length;
  const ends = [
    [() => source.end(id, 'server', 'fin'), () => source.end(id, 'client', 'fin')],
    [() => source.end(id, 'client', 'fin'), () => source.end(id, 'server', 'fin')],
    [() => source.end(id, 'server', 'reset')],
    [() => source.end(id, 'client', 'reset')],
    [() => source.end(id, 'client', 'timeout')],
    [],
  ][roll(6)]!;
  return [...steps.slice(0, cut), ...ends, () => source.close(id)];
}

function oneRequest(requestId: number, roll: (below: number) => number): { side: Side; bytes: Uint8Array }[] {
  const options = {
    requestId,
    path: `/page${roll(1_000)}.php?q=${roll(10)}`,
    stdin: new Uint8Array(roll(4) === 0 ? roll(100_000) : 0).fill(120),
    stdout: `Status: ${roll(5) === 0 ? 500 : 200}\r\nX-Seed: ${roll(99)}\r\n\r\n${'body '.repeat(roll(3_000))}`,
    ...(roll(4) === 0 ? { stderr: 'PHP Warning: something' } : {}),
    appStatus: roll(5) === 0 ? roll(300) : 0,
    protocolStatus: roll(10) === 0 ? roll(5) : 0,
    more: roll(30),
  };
  const records = (side: Side, bytes: Uint8Array) =>
    splitRecords(Buffer.from(bytes)).records.map((record) => ({
      side,
      bytes: encodeRecord({ type: record.type, requestId: record.requestId, content: new Uint8Array(record.content) }),
    }));
  const sent = records('client', request(options));
  const answered = records('server', answer(options));
  if (roll(12) === 0) sent.push({ side: 'client', bytes: encodeAbortRequest(requestId) });
  if (roll(12) === 0) sent.unshift({ side: 'client', bytes: encodeGetValues(['FCGI_MPXS_CONNS']) });
  if (roll(12) === 0) answered.splice(roll(answered.length), 1);
  const all = roll(5) === 0 ? shuffledBehindFirst(sent, answered, roll) : [...sent, ...answered];
  // Too late, or of no known type.
  if (roll(8) === 0) all.push(answered[0]!);
  if (roll(12) === 0)
    all.push({ side: 'server', bytes: encodeRecord({ type: 77, requestId, content: Uint8Array.of(1) }) });
  return all;
}

function shuffledBehindFirst<T>(sent: T[], answered: T[], roll: (below: number) => number): T[] {
  const [first, ...rest] = sent;
  const merged: T[] = [];
  const other = [...answered];
  while (rest.length > 0 || other.length > 0) {
    const from = other.length === 0 || (rest.length > 0 && roll(2) === 0) ? rest : other;
    merged.push(from.shift()!);
  }
  return first === undefined ? merged : [first, ...merged];
}
