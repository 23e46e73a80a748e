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

  /** A packet was captured at `at`; whether that confirms that the packet before was right in its leap. */
  tick(at: Timestamp): boolean {
    const step = at - this.now;
    if (step >= 0 && step <= LEAP) this.now = at;
    else if (step > LEAP || step < -LEAP) {
      const confirmed = this.#leap !== null && Math.abs(at - this.#leap) <= LEAP;
      if (!confirmed && this.now !== Number.NEGATIVE_INFINITY) {
        this.#leap = at;
        return false;
      }
      this.now = at;
      this.#leap = null;
      return confirmed;
    }
    this.#leap = null;
    return false;
  }
}
