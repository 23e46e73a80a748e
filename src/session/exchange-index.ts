import { Deque } from './deque.js';
import type { KeptExchange } from './kept-exchange.js';

/**
 * The kept exchanges in the order of their numbers. When there are too many, the oldest unremarkable one goes. Remarkable ones stay behind
 * as elders, at most half of all: beyond that, the oldest elder goes, whatever became of it.
 */
export class ExchangeIndex {
  /** How many had to go for want of room. */
  evicted = 0;
  /** How many were taken out: when it has gone up, those who keep lists of their own look for `evicted` marks. */
  removed = 0;
  /** Elders come before recents, both are in order of n. */
  private readonly elders = new Deque<KeptExchange>();
  private readonly recents = new Deque<KeptExchange>();

  constructor(
    readonly limit: number,
    private readonly onRemove: (exchange: KeptExchange) => void,
  ) {}

  get length(): number {
    return this.elders.length + this.recents.length;
  }

  add(exchange: KeptExchange): void {
    this.recents.push(exchange);
    if (this.length > this.limit) this.evictOne();
  }

  at(index: number): KeptExchange | undefined {
    return index < this.elders.length ? this.elders.at(index) : this.recents.at(index - this.elders.length);
  }

  get(n: number): KeptExchange | null {
    const exchange = this.at(this.position(n));
    return exchange?.n === n ? exchange : null;
  }

  /** All as of now: what is added or evicted on the way does not matter. */
  all(): KeptExchange[] {
    return this.elders.toArray().concat(this.recents.toArray());
  }

  /** How many kept ones have a smaller number. */
  position(n: number): number {
    const first = this.recents.at(0);
    return first === undefined || n < first.n
      ? this.elders.lowerBound(n, numberOf)
      : this.elders.length + this.recents.lowerBound(n, numberOf);
  }

  /** Takes out all of these. */
  evictAll(marked: ReadonlySet<KeptExchange>): void {
    if (marked.size === 0) return;
    for (const exchange of marked) this.evict(exchange);
    this.elders.retain((exchange) => !exchange.evicted);
    this.recents.retain((exchange) => !exchange.evicted);
  }

  /** Takes out all that have settled, because nobody will ask for them: they do not count as evicted. */
  letGo(): void {
    for (const list of [this.elders, this.recents]) {
      list.retain((exchange) => {
        if (exchange.live !== null) return true;
        this.remove(exchange);
        return false;
      });
    }
  }

  private evictOne(): void {
    for (;;) {
      if (this.elders.length > this.limit / 2 || this.recents.length <= 1) {
        this.evict(this.elders.shift() ?? this.recents.shift()!);
        return;
      }
      const oldest = this.recents.shift()!;
      if (!oldest.isRemarkable) {
        this.evict(oldest);
        return;
      }
      this.elders.push(oldest);
    }
  }

  private evict(exchange: KeptExchange): void {
    if (exchange.evicted) return;
    this.evicted += 1;
    this.remove(exchange);
  }

  private remove(exchange: KeptExchange): void {
    exchange.evicted = true;
    this.removed += 1;
    this.onRemove(exchange);
  }
}

function numberOf(exchange: KeptExchange): number {
  return exchange.n;
}
