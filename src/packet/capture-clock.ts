import type { Timestamp } from '../model/time.js';

/**
 * Strategy: the time that a capture tells, which only goes forward, as packets of several interfaces come a little out of order. A single
 * packet from another age (a damaged stamp) must not make everything else look old: a leap, either way, is only believed when the next
 * packet confirms it.
 */

/** Larger steps are leaps, in microseconds: an hour. */
export const LEAP = 3_600_000_000;

export class CaptureClock {
  now: Timestamp = Number.NEGATIVE_INFINITY;
  /** Where the packet before wanted to leap to. */
  #leap: Timestamp | null = null;

  /** A packet was captured at `at`. */
  tick(at: Timestamp): void {
    const step = at - this.now;
    if (step >= 0 && step <= LEAP) {
      this.now = at;
      this.#leap = null;
    } else if (step < 0 && step >= -LEAP) this.#leap = null;
    else if (this.now === Number.NEGATIVE_INFINITY || (this.#leap !== null && Math.abs(at - this.#leap) <= LEAP)) {
      this.now = at;
      this.#leap = null;
    } else this.#leap = at;
  }
}
