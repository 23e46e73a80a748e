import type { Exchange } from '../model/exchange.js';
import { MICROSECONDS_PER_MILLISECOND, milliseconds, type Timestamp } from '../model/time.js';

/** Requests that are remembered: one that waited for more has waited for a pool in any case. */
const KEPT = 256;
/** Milliseconds that one was slower than the quickest, from which on it may have lain in a queue. */
const QUEUED = 500;
/** Milliseconds that one goes on after another’s first byte, from which on they had a worker each: an end may be seen late. */
const ABREAST = 50;
/** Of fewer others nobody knows what is usual. */
const USUAL_OF = 3;

/** What others did while a request waited. */
export interface Meanwhile {
  readonly servedMeanwhile: number;
  readonly overtakenBy: number;
  /** The last end of another before `until`, if that came while it waited. */
  readonly lastEnd: Timestamp | null;
}

/** The last requests that a backend answered. Adding one costs a few stores; asking costs a walk over all of them. */
export class RecentRequests {
  private readonly begins = new Float64Array(KEPT).fill(Number.NEGATIVE_INFINITY);
  private readonly ends = new Float64Array(KEPT).fill(Number.NEGATIVE_INFINITY);
  /** First bytes; an end where none was sent. */
  private readonly firsts = new Float64Array(KEPT).fill(Number.NEGATIVE_INFINITY);
  /** 1 for the first request of its connection. */
  private readonly fresh = new Uint8Array(KEPT);
  /** 1 for an answer that came when the web server had gone. */
  private readonly late = new Uint8Array(KEPT);
  private readonly urls: (string | null)[] = new Array(KEPT).fill(null);
  private at = 0;
  /** Null when one was added since it was found, as that costs a square of KEPT. */
  private mostAbreast: number | null = null;

  add(exchange: Exchange, end: Timestamp): void {
    const { times, url, precedingRequests } = exchange;
    const { at } = this;
    this.begins[at] = times.begin;
    this.ends[at] = end;
    this.firsts[at] = times.firstStdout ?? end;
    this.fresh[at] = precedingRequests === 0 ? 1 : 0;
    // What nobody waited for any more says how long the queue was, and not what is usual.
    const late = isTooLate(exchange);
    this.late[at] = late ? 1 : 0;
    this.urls[at] = late ? null : url;
    this.mostAbreast = null;
    this.at = (at + 1) % KEPT;
  }

  /** While a request that began at `begin` waited until `until`. */
  between(begin: Timestamp, until: Timestamp): Meanwhile {
    let servedMeanwhile = 0;
    let overtakenBy = 0;
    let last = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < KEPT; i += 1) {
      if (this.fresh[i] === 1 && this.begins[i]! > begin && this.firsts[i]! < until) overtakenBy += 1;
      const end = this.ends[i]!;
      if (end > until || end < begin) continue;
      servedMeanwhile += 1;
      if (end > last) last = end;
    }
    return { servedMeanwhile, overtakenBy, lastEnd: servedMeanwhile === 0 ? null : last };
  }

  /** The median time to the first byte of those for the same path, in milliseconds; null when they are too few. */
  usualWait(url: string | null): number | null {
    const waits = this.waitsOf(url);
    return waits.length < USUAL_OF ? null : waits.sort((a, b) => a - b)[waits.length >> 1]!;
  }

  /**
   * How far from the end of another, in milliseconds, it lies that a request with its first byte at `first` was taken up, if it was served
   * as quickly as the quickest for the same path. Null when it was about as quick, when none ended, and when it had been overtaken by then.
   */
  takenUp(url: string | null, begin: Timestamp, first: Timestamp): number | null {
    const quickest = Math.min(...this.waitsOf(url)) * MICROSECONDS_PER_MILLISECOND;
    const start = first - quickest;
    if (!(start > begin + QUEUED * MICROSECONDS_PER_MILLISECOND)) return null;
    let nearest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < KEPT; i += 1) {
      if (this.fresh[i] === 1 && this.begins[i]! > begin && this.firsts[i]! < start) return null;
      const end = this.ends[i]!;
      if (end >= begin) nearest = Math.min(nearest, Math.abs(end - start));
    }
    return nearest === Number.POSITIVE_INFINITY ? null : Math.round(nearest) / MICROSECONDS_PER_MILLISECOND;
  }

  /** How many workers there must be: one was answered while so many less one that had begun before it were open. */
  abreast(): number {
    this.mostAbreast ??= this.findAbreast();
    return this.mostAbreast;
  }

  private findAbreast(): number {
    const { begins, ends, firsts } = this;
    let most = 1;
    for (let i = 0; i < KEPT; i += 1) {
      const begin = begins[i]!;
      if (this.late[i] === 1) continue;
      const first = firsts[i]! + ABREAST * MICROSECONDS_PER_MILLISECOND;
      let together = 1;
      for (let j = 0; j < KEPT; j += 1) if (begins[j]! < begin && ends[j]! > first) together += 1;
      if (together > most) most = together;
    }
    return most;
  }

  /** What those for the same path took to their first byte, in milliseconds. */
  private waitsOf(url: string | null): number[] {
    if (url === null) return [];
    const path = pathOf(url);
    const waits: number[] = [];
    for (const [i, other] of this.urls.entries()) {
      if (other === null || !other.startsWith(path) || pathOf(other).length !== path.length) continue;
      waits.push(milliseconds(this.begins[i]!, this.firsts[i]!) ?? 0);
    }
    return waits;
  }
}

/** The web server had gone before the first byte came. */
function isTooLate({ connectionEnd, times }: Exchange): boolean {
  return connectionEnd?.endedBy === 'web-server' && (times.firstStdout ?? connectionEnd.at) > connectionEnd.at;
}

function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}
