import type { Param } from '../../model/exchange.js';

/**
 * Pairs that were met before. Most of an environment is the same from request to request (the server's own settings, the headers of one
 * browser), so a pair is looked up by its bytes, lengths and all, before it is decoded: that costs a fifth, and thousands of requests
 * share one object. What is sent only once, as most cookies and URLs are, is kept out: a pair is remembered when it is met for the second
 * time. Tables of fixed size, in which a collision costs a second look, never the answer.
 */

/** The parameter that bytes[from, to) were read as lately; null says nothing about them. They are a whole pair. */
export function familiarPair(bytes: Uint8Array, from: number, to: number): Param | null {
  const length = to - from;
  if (length > LONGEST || length < SHORTEST) return null;
  const hash = hashOf(bytes, from, to);
  const place = hash & (PLACES - 1);
  if (hashes[place] === hash && isAt(place, bytes, from, length)) return params[place]!;
  const second = place ^ 1;
  return hashes[second] === hash && isAt(second, bytes, from, length) ? params[second]! : null;
}

/** Says what a pair was read as, of which familiarPair knew nothing. */
export function remember(bytes: Uint8Array, from: number, to: number, param: Param): void {
  const length = to - from;
  if (length > LONGEST || length < SHORTEST) return;
  const hash = hashOf(bytes, from, to);
  const place = hash & (PLACES - 1);
  if (met[place] !== hash) {
    met[place] = hash;
    return;
  }
  const free = params[place] === null ? place : params[place ^ 1] === null ? place ^ 1 : place ^ (hash >>> 31);
  hashes[free] = hash;
  lengths[free] = length;
  params[free] = param;
  const at = free * LONGEST;
  for (let i = 0; i < length; i += 1) copies[at + i] = bytes[from + i]!;
}

/** Some hundred pairs are in use at a time; a power of two. */
const PLACES = 1_024;
/** Longer than nearly all that is sent twice. */
const LONGEST = 256;
/** Two lengths and a name of a letter. */
const SHORTEST = 3;

const copies = new Uint8Array(PLACES * LONGEST);
const lengths = new Uint16Array(PLACES);
const hashes = new Int32Array(PLACES);
const params: (Param | null)[] = new Array<Param | null>(PLACES).fill(null);
/** The last hash that was met at each place without being known there. */
const met = new Int32Array(PLACES);

/** A few bytes tell the pairs of real requests apart well enough. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  const length = to - from;
  const ends = (bytes[from]! << 24) | (bytes[from + 1]! << 16) | (bytes[to - 1]! << 8) | bytes[to - 2]!;
  const middle =
    (bytes[from + (length >> 1)]! << 24) |
    (bytes[from + (length >> 2)]! << 16) |
    (bytes[to - (length >> 2) - 1]! << 8) |
    bytes[from + (length >> 3) + 2]!;
  const mixed = Math.imul(ends, 0x85eb_ca6b) ^ Math.imul(middle, 0xc2b2_ae35);
  return Math.imul(mixed ^ (mixed >>> 15), 0x9e37_79b1) ^ (mixed >>> 13);
}

function isAt(place: number, bytes: Uint8Array, from: number, length: number): boolean {
  if (lengths[place] !== length) return false;
  const at = place * LONGEST;
  for (let i = 0; i < length; i += 1) if (copies[at + i] !== bytes[from + i]) return false;
  return true;
}
