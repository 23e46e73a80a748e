import type { Exchange } from '../model/exchange.js';
import { MICROSECONDS_PER_MILLISECOND, milliseconds, type Timestamp } from '../model/time.js';
import { Abreast } from './abreast.js';
import { PathWaits } from './path-waits.js';

/** Requests that are remembered: one that waited for more has waited for a pool in any case. */
const KEPT = 256;
/** Milliseconds that one was slower than the quickest, from which on it may have lain in a queue. */
const QUEUED = 500;
/** Of fewer others nobody knows what is usual. */
const USUAL_OF = 3;

/** What others did while a request waited. */
export interface Meanwhile {
  readonly servedMeanwhile: number;
  readonly overtakenBy: number;
  /** The last end of another before `until`, if that came while it waited. */
  readonly lastEnd: Timestamp | null;
}

/**
 * The last requests that a backend answered. Adding one costs a few stores, as most backends are never asked about; asking costs a few
 * walks over KEPT numbers, and one for each that was added since. It is asked about every slow request: when a backend hangs, that is all.
 */
export class RecentRequests {
  /*
   * Invariant: `waits` and `workers` hold what the ring held when it was asked last: the `added - reckoned` last places are behind.
   * `paths` and `pathWaits` tell what `waits` has of each place.
   */
  private readonly begins = new Float64Array(KEPT).fill(Number.NEGATIVE_INFINITY);
  private readonly ends = new Float64Array(KEPT).fill(Number.NEGATIVE_INFINITY);
  /** First bytes; an end where none was sent. */
  private readonly firsts = new Float64Array(KEPT).fill(Number.NEGATIVE_INFINITY);
  /** 1 for the first request of its connection. */
  private readonly fresh = new Uint8Array(KEPT);
  /** 1 for an answer that came when the web server had gone. */
  private readonly late = new Uint8Array(KEPT);
  private readonly urls: (string | null)[] = new Array(KEPT).fill(null);
  private added = 0;
  private reckoned = 0;
  private readonly waits = new PathWaits();
  private readonly paths: (string | null)[] = new Array(KEPT).fill(null);
  private readonly pathWaits = new Float64Array(KEPT);
  private readonly workers = new Abreast(KEPT);

  add(exchange: Exchange, end: Timestamp): void {
    const { times, url, precedingRequests } = exchange;
    const at = this.added % KEPT;
    this.begins[at] = times.begin;
    this.ends[at] = end;
    this.firsts[at] = times.firstStdout ?? end;
    this.fresh[at] = precedingRequests === 0 ? 1 : 0;
    // What nobody waited for any more says how long the queue was, and not what is usual.
    const late = isTooLate(exchange);
    this.late[at] = late ? 1 : 0;
    this.urls[at] = late ? null : url;
    this.added += 1;
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
    return waits.length < USUAL_OF ? null : waits[waits.length >> 1]!;
  }

  /**
   * How far from the end of another, in milliseconds, it lies that a request with its first byte at `first` was taken up, if it was served
   * as quickly as the quickest for the same path. Null when it was about as quick, when none ended, and when it had been overtaken by then.
   */
  takenUp(url: string | null, begin: Timestamp, first: Timestamp): number | null {
    const [quickest] = this.waitsOf(url);
    if (quickest === undefined) return null;
    const start = first - quickest * MICROSECONDS_PER_MILLISECOND;
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
    this.reckon();
    return this.workers.most();
  }

  /** What those for the same path took to their first byte, in milliseconds, the quickest first. */
  private waitsOf(url: string | null): readonly number[] {
    if (url === null) return [];
    this.reckon();
    return this.waits.of(pathOf(url));
  }

  /** Takes in what was added since it was asked last; of more than KEPT, those that are still there. */
  private reckon(): void {
    for (let n = Math.max(this.reckoned, this.added - KEPT); n < this.added; n += 1) this.reckonOne(n % KEPT);
    this.reckoned = this.added;
  }

  private reckonOne(at: number): void {
    const before = this.paths[at] ?? null;
    if (before !== null) this.waits.remove(before, this.pathWaits[at]!);
    const begin = this.begins[at]!;
    const first = this.firsts[at]!;
    const url = this.urls[at] ?? null;
    const path = url === null ? null : pathOf(url);
    this.paths[at] = path;
    if (path !== null) {
      const wait = milliseconds(begin, first) ?? 0;
      this.pathWaits[at] = wait;
      this.waits.add(path, wait);
    }
    this.workers.replace(at, begin, this.late[at] === 1 ? null : first, this.ends[at]!);
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
