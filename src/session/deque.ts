/** An array whose front can be taken off at no cost; what is taken off is let go of at once. */
export class Deque<T> {
  /** Items before `head` are taken off. They are undefined, and cut off when they are more than half. */
  private items: (T | undefined)[] = [];
  private head = 0;

  get length(): number {
    return this.items.length - this.head;
  }

  /** Undefined beyond the end. */
  at(index: number): T | undefined {
    return index < 0 ? undefined : this.items[this.head + index];
  }

  push(item: T): void {
    this.items.push(item);
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.items[this.head];
    this.items[this.head] = undefined;
    this.head += 1;
    if (this.head > CUT_AT_LEAST && this.head * 2 > this.items.length) {
      this.items.splice(0, this.head);
      this.head = 0;
    }
    return item;
  }

  clear(): void {
    this.items = [];
    this.head = 0;
  }

  toArray(): T[] {
    return this.items.slice(this.head) as T[];
  }

  /** Keeps those that pass, in order. */
  retain(test: (item: T) => boolean): void {
    const kept: T[] = [];
    for (let i = this.head; i < this.items.length; i += 1) {
      const item = this.items[i]!;
      if (test(item)) kept.push(item);
    }
    this.items = kept;
    this.head = 0;
  }

  /** The index of the first item whose key is not less than `key`, in a deque in the order of its keys. */
  lowerBound(key: number, keyOf: (item: T) => number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (keyOf(this.at(middle)!) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const CUT_AT_LEAST = 1_024;
