import type { FlowAddress } from './flow-address.js';
import type { IpPart } from './ip.js';
import type { TcpHeader } from './tcp.js';

/** What can be found by its address. The index alone sets `chained`. */
export interface Indexed<T> {
  readonly address: FlowAddress;
  /** Another entry whose address has the same hash. */
  chained: T | null;
}

/**
 * Strategy: connections by their addresses, as a Map of small integers to chains, so that finding one makes no objects. Of two entries
 * with the same address the later one is found.
 */
export class FlowIndex<T extends Indexed<T>> {
  readonly #byHash = new Map<number, T>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(entry: T): void {
    const { hash } = entry.address;
    entry.chained = this.#byHash.get(hash) ?? null;
    this.#byHash.set(hash, entry);
    this.#size += 1;
  }

  /** The entry that a packet belongs to; `hash` is that of its addresses. */
  find(bytes: Uint8Array, ip: IpPart, tcp: TcpHeader, hash: number): T | null {
    let entry = this.#byHash.get(hash) ?? null;
    while (entry !== null && entry.address.sender(bytes, ip, tcp) < 0) entry = entry.chained;
    return entry;
  }

  /** Takes out an entry, which must be in. */
  remove(entry: T): void {
    const { hash } = entry.address;
    let before: T | null = null;
    for (let each = this.#byHash.get(hash) ?? null; each !== null && each !== entry; each = each.chained) before = each;
    if (before !== null) before.chained = entry.chained;
    else if (entry.chained !== null) this.#byHash.set(hash, entry.chained);
    else this.#byHash.delete(hash);
    entry.chained = null;
    this.#size -= 1;
  }

  clear(): void {
    this.#byHash.clear();
    this.#size = 0;
  }

  /** All of them, as they are now: they may be taken out meanwhile. */
  all(): T[] {
    const entries: T[] = [];
    for (const first of this.#byHash.values()) {
      for (let entry: T | null = first; entry !== null; entry = entry.chained) entries.push(entry);
    }
    return entries;
  }
}
