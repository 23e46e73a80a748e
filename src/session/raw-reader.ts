import type { Side } from '../model/connection.js';
import type { StoreReader } from './byte-store.js';
import type { KeptExchange } from './kept-exchange.js';
import type { Pace } from './pace.js';

/** Bytes of one side's stream that are wanted, and where in the target they belong. */
export interface Piece {
  readonly side: Side;
  readonly offset: number;
  readonly length: number;
  readonly target: number;
}

/** A range [from, to) of the target that was filled. */
export type Seen = readonly [from: number, to: number];

/**
 * Fills `into` with the pieces, as far as their bytes are there; pieces of one side are in the order of their offsets. What is not in the
 * answer has been left as it was.
 * @param end events from here on are not looked at
 */
export async function readPieces(
  kept: KeptExchange,
  end: number,
  pieces: readonly Piece[],
  into: Uint8Array,
  reader: StoreReader,
  pace: Pace,
): Promise<readonly Seen[]> {
  const { connection, clean } = kept;
  const seen: [number, number][] = [];
  const queues = {
    client: { pieces: pieces.filter((piece) => piece.side === 'client'), next: 0, passed: clean.client },
    server: { pieces: pieces.filter((piece) => piece.side === 'server'), next: 0, passed: clean.server },
  };
  for (let i = clean.event; i < end; i += 1) {
    if (!connection.has(i)) break;
    const event = connection.event(i);
    if (event.kind !== 'bytes' && event.kind !== 'gap') continue;
    const queue = queues[event.side];
    const begin = queue.passed;
    queue.passed += event.length;
    while (queue.next < queue.pieces.length && endOf(queue.pieces[queue.next]!) <= begin) queue.next += 1;
    if (queue.next === queue.pieces.length) {
      if (queues.client.next === queues.client.pieces.length && queues.server.next === queues.server.pieces.length)
        break;
      continue;
    }
    if (event.kind === 'gap' || event.position < 0 || queue.pieces[queue.next]!.offset >= queue.passed) continue;
    if (pace.isOver) await pace.turn();
    const { position, length } = event;
    const read = reader.read(position, length, position + length + READ_ON);
    const bytes = read instanceof Promise ? await read : read;
    if (bytes === null) continue;
    for (let j = queue.next; j < queue.pieces.length; j += 1) {
      const piece = queue.pieces[j]!;
      const from = Math.max(piece.offset, begin);
      const to = Math.min(endOf(piece), begin + length);
      if (from >= to) break;
      const target = piece.target + from - piece.offset;
      into.set(bytes.subarray(from - begin, to - begin), target);
      seen.push([target, target + to - from]);
    }
  }
  return seen;
}

/** The ranges of [0, length) that are in none of `seen`, moved by `offset`; in order. */
export function gapsBetween(seen: readonly Seen[], length: number, offset: number): [number, number][] {
  const gaps: [number, number][] = [];
  let at = 0;
  for (const [from, to] of [...seen].sort((a, b) => a[0] - b[0])) {
    if (from > at) gaps.push([at + offset, from + offset]);
    at = Math.max(at, to);
  }
  if (at < length) gaps.push([at + offset, length + offset]);
  return gaps;
}

/** How far behind a chunk its neighbours are likely to be wanted as well. */
const READ_ON = 128 * 1024;

function endOf(piece: Piece): number {
  return piece.offset + piece.length;
}
