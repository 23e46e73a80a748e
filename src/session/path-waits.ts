/** What requests for each path took to their first byte, in milliseconds, in order: so the quickest and the median cost nothing to ask. */
export class PathWaits {
  /*
   * Invariant: no list is empty, and each is sorted. There are as many waits as were added and not removed, so whoever adds bounds them.
   */
  private readonly byPath = new Map<string, number[]>();

  add(path: string, wait: number): void {
    const waits = this.byPath.get(path);
    if (waits === undefined) this.byPath.set(path, [wait]);
    else waits.splice(lowerBound(waits, wait), 0, wait);
  }

  /** One that was added. */
  remove(path: string, wait: number): void {
    const waits = this.byPath.get(path);
    if (waits === undefined) return;
    if (waits.length === 1) this.byPath.delete(path);
    else waits.splice(lowerBound(waits, wait), 1);
  }

  /** The shortest first. */
  of(path: string): readonly number[] {
    return this.byPath.get(path) ?? NONE;
  }
}

const NONE: readonly number[] = Object.freeze([]);

function lowerBound(sorted: readonly number[], value: number): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (sorted[middle]! < value) from = middle + 1;
    else to = middle;
  }
  return from;
}
