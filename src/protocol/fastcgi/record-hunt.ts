import type { Side } from '../../model/connection.js';
import { HEADER_LENGTH, RecordType } from './constants.js';
import { isPlausibleHeader, recordLength } from './framing.js';

/**
 * Whether what looks like a record is one, when a decoder is out of step. The bytes may be the content of a real record, and that may
 * be anything: a downloaded capture file holds whole conversations, cut in packets. What tells them apart is that a stream's own chain
 * of records never breaks. So it is followed for as far as what a peer says in one go, or to a point where the stream ends, has a gap,
 * or gives the word to the other side, since there records mostly end as well; and no further, because while it is followed nothing of
 * it can be told, and the other side goes on.
 */

/** What is known of the bytes behind those at hand, if not how many are missing (infinitely many: the stream ends there). */
export const MORE_TO_COME = -1;
/** The other side speaks now: what this one said is whole, if it can be. */
export const TURN = -2;

/** The most that a chain spans before it is believed, the last record it leads over apart. */
export const CHAIN_SPAN = 2048;
/** The most headers that it is followed over. */
export const CHAIN_HEADERS = 8;

/** A stretch of a stream that misses `holeLength` bytes before index `holeAt`; no hole: 0. */
export interface Hole {
  readonly holeAt: number;
  readonly holeLength: number;
}

export const BELIEVED = 0;
export const REJECTED = -1;

/**
 * Follows the chain from the plausible header at `from` through bytes[from, to).
 *
 * @param hole where bytes are missing in it, null for nowhere; it begins behind the first header
 * @param next MORE_TO_COME, TURN or how many bytes are missing behind `to`
 * @param alone a second header will do: the first one is where one has to be, or mostly is
 * @returns BELIEVED, REJECTED, or how many bytes more it takes to tell
 */
export function followChain(
  bytes: Uint8Array,
  from: number,
  to: number,
  side: Side,
  hole: Hole | null,
  next: number,
  alone: boolean,
): number {
  const holeAt = hole === null || hole.holeLength === 0 ? Number.POSITIVE_INFINITY : hole.holeAt;
  const holeLength = hole === null ? 0 : hole.holeLength;
  const end = to + holeLength;
  const version = bytes[from]!;
  let headers = 1;
  let at = from;
  let index = from;
  for (;;) {
    at += recordLength(bytes, index);
    index = at < holeAt ? at : at - holeLength;
    if (at + HEADER_LENGTH > holeAt && at < holeAt + holeLength) return REJECTED;
    if (at + HEADER_LENGTH > end) break;
    if (!isPlausibleHeader(bytes, index, side, version)) return REJECTED;
    headers += 1;
    if (alone || headers === CHAIN_HEADERS) return BELIEVED;
    // What a recording breaks off after, more often than not, is the end of an answer.
    if (at - from >= CHAIN_SPAN && bytes[index + 1] !== RecordType.END_REQUEST) return BELIEVED;
  }
  const wanted = at + HEADER_LENGTH - end;
  if (next === MORE_TO_COME) return wanted;
  if (at === end || headers > 1) return BELIEVED;
  if (next === TURN) return wanted;
  return at - end >= next ? wanted : REJECTED;
}
