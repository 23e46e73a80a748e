/**
 * What bytes were read as before. Most of an environment is the same from request to request (the server's own settings, the headers of
 * one browser), and so are the header lines of responses. They are looked up by their bytes before they are decoded: that costs a fifth,
 * and thousands of requests share one object. What is sent only once, as most cookies and URLs are, is kept out: it is remembered when it
 * is met for the second time. The tables have a fixed size; a collision costs a second look, never the answer.
 */
export class FamiliarBytes<T> {
  /*
   * Invariants: what is known at a place was read of copies[place * LONGEST, + lengths[place]), whose hash is hashes[place]. It is at the
   * place of the hash's lowest bits, or at its neighbour.
   */
  readonly #known: (T | null)[] = new Array<T | null>(PLACES).fill(null);
  readonly #hashes = new Int32Array(PLACES);
  readonly #lengths = new Uint16Array(PLACES);
  readonly #copies = new Uint8Array(PLACES * LONGEST);
  /** The last hash that was met at each place without being known there. */
  readonly #met = new Int32Array(PLACES);

  /** What bytes[from, to) were read as lately; null says nothing about them. */
  find(bytes: Uint8Array, from: number, to: number): T | null {
    const length = to - from;
    if (length > LONGEST || length < SHORTEST) return null;
    const hash = hashOf(bytes, from, to);
    const place = hash & (PLACES - 1);
    if (this.#hashes[place] === hash && this.#isAt(place, bytes, from, length)) return this.#known[place]!;
    const second = place ^ 1;
    return this.#hashes[second] === hash && this.#isAt(second, bytes, from, length) ? this.#known[second]! : null;
  }

  /** Says what bytes were read as of which `find` knew nothing. */
  remember(bytes: Uint8Array, from: number, to: number, read: T): void {
    const length = to - from;
    if (length > LONGEST || length < SHORTEST) return;
    const hash = hashOf(bytes, from, to);
    const place = hash & (PLACES - 1);
    if (this.#met[place] !== hash) {
      this.#met[place] = hash;
      return;
    }
    const second = place ^ 1;
    const free = this.#known[place] === null ? place : this.#known[second] === null || hash < 0 ? second : place;
    this.#known[free] = read;
    this.#hashes[free] = hash;
    this.#lengths[free] = length;
    const at = free * LONGEST;
    for (let i = 0; i < length; i += 1) this.#copies[at + i] = bytes[from + i]!;
  }

  #isAt(place: number, bytes: Uint8Array, from: number, length: number): boolean {
    if (this.#lengths[place] !== length) return false;
    const copies = this.#copies;
    const at = place * LONGEST;
    for (let i = 0; i < length; i += 1) if (copies[at + i] !== bytes[from + i]) return false;
    return true;
  }
}

/** Some hundred are in use at a time; a power of two. */
const PLACES = 1_024;
/** Longer than nearly all that is sent twice. */
const LONGEST = 256;
/** Two lengths and a name of a letter; less is read as fast as it is found. */
const SHORTEST = 3;

/** A few bytes tell the pairs and lines of real requests apart well enough. */
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
