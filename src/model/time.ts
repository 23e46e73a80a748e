/**
 * A point in time: microseconds since the Unix epoch, as a double. Whole microseconds are exact until the year 2255; what a
 * nanosecond capture adds survives to a quarter of a microsecond. Differences are microseconds too.
 */
export type Timestamp = number;

export const MICROSECONDS_PER_MILLISECOND = 1_000;
export const MICROSECONDS_PER_SECOND = 1_000_000;

/** `later - earlier` in milliseconds, rounded to the microsecond; null when either end is unknown. */
export function milliseconds(earlier: Timestamp | null, later: Timestamp | null): number | null {
  if (earlier === null || later === null) return null;
  return Math.round(later - earlier) / MICROSECONDS_PER_MILLISECOND;
}
