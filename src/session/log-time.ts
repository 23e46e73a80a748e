import type { LogStamp } from '../diagnosis/logs/log-head.js';
import { MICROSECONDS_PER_MILLISECOND, MICROSECONDS_PER_SECOND, type Timestamp } from '../model/time.js';

/** Time zones are a whole number of these apart from one another, in microseconds. */
const ZONE_STEP = 15 * 60 * MICROSECONDS_PER_SECOND;
/** How old a line may be when it is read, and still be known for one of another time zone. */
const FRESH = 60 * MICROSECONDS_PER_SECOND;

/**
 * The time of a log line. Its wall is that of our own time zone, unless it was just written and is off by whole steps of zones: then its
 * writer has another one, as in a container.
 * @param arrival when a line that has just been written was read; null for one that may be old
 */
export function logTime({ wall, isLocal }: LogStamp, arrival: Timestamp | null): Timestamp {
  if (!isLocal) return wall;
  const at = localTime(wall);
  if (arrival === null) return at;
  const steps = Math.round((arrival - at) / ZONE_STEP);
  const shifted = at + steps * ZONE_STEP;
  return steps !== 0 && Math.abs(arrival - shifted) < FRESH ? shifted : at;
}

function localTime(wall: number): Timestamp {
  const shown = new Date(wall / MICROSECONDS_PER_MILLISECOND);
  const local = new Date(
    shown.getUTCFullYear(),
    shown.getUTCMonth(),
    shown.getUTCDate(),
    shown.getUTCHours(),
    shown.getUTCMinutes(),
    shown.getUTCSeconds(),
    shown.getUTCMilliseconds(),
  );
  return local.getTime() * MICROSECONDS_PER_MILLISECOND + (wall % MICROSECONDS_PER_MILLISECOND);
}
