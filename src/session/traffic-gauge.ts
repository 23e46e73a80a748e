import { MICROSECONDS_PER_SECOND, type Timestamp } from '../model/time.js';

/** Durations that the percentiles are taken of. */
const SAMPLES = 1_000;

/** How many requests settle, and how long they take: the figures in the head of a screen. */
export class TrafficGauge {
  private readonly durations = new Float64Array(SAMPLES);
  private samples = 0;
  private next = 0;
  /** The second of the newest settlement, and the counts of it and of the one before. */
  private second = 0;
  private current = 0;
  private previous = 0;

  settled(at: Timestamp, milliseconds: number | null): void {
    this.moveTo(at);
    this.current += 1;
    if (milliseconds === null) return;
    this.durations[this.next] = milliseconds;
    this.next = (this.next + 1) % SAMPLES;
    this.samples = Math.min(this.samples + 1, SAMPLES);
  }

  /** Settled in the last full second before `now`. */
  perSecond(now: Timestamp): number {
    this.moveTo(now);
    return this.previous;
  }

  /** Nearest rank; null without samples. */
  percentiles(): { readonly p50: number | null; readonly p95: number | null } {
    if (this.samples === 0) return { p50: null, p95: null };
    const sorted = this.durations.slice(0, this.samples).sort();
    const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * this.samples) - 1)]!;
    return { p50: rank(0.5), p95: rank(0.95) };
  }

  private moveTo(at: Timestamp): void {
    const second = Math.floor(at / MICROSECONDS_PER_SECOND);
    if (second <= this.second) return;
    this.previous = second === this.second + 1 ? this.current : 0;
    this.current = 0;
    this.second = second;
  }
}
