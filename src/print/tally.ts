/** More different texts than this are not counted one by one. */
const KEPT = 1_000;

/**
 * Counts texts, of which there may be any number, and knows the frequent ones. When there are too many of them the rarer half is
 * forgotten: what occurs often comes again, and its count is then too small by what was forgotten.
 */
export class Tally {
  readonly #counts = new Map<string, number>();

  get size(): number {
    return this.#counts.size;
  }

  add(text: string): void {
    this.#counts.set(text, (this.#counts.get(text) ?? 0) + 1);
    if (this.#counts.size <= KEPT) return;
    for (const [rare] of this.top(KEPT).slice(KEPT / 2)) this.#counts.delete(rare);
  }

  /** The most frequent first; of equal ones those that came first. */
  top(count: number): (readonly [text: string, count: number])[] {
    return [...this.#counts].sort(([, a], [, b]) => b - a).slice(0, count);
  }
}
