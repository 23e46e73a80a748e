/**
 * TCP sequence numbers are modulo 2**32 (RFC 9293, section 3.4). They are kept as signed 32-bit integers, and are only ever compared by
 * their distance: what is less than half the circle ahead is later.
 */

/**
 * Numbers further from where a stream is are not believed alone. What is in flight fits into a window: Linux lets one grow to 6 MiB
 * (net.ipv4.tcp_rmem), and who tunes it rarely needs more than 16, though TCP could have 1 GiB (RFC 7323, section 2.3).
 */
export const REACH = 2 ** 24;

/** How far `to` lies ahead of `from`, -2**31 to 2**31 - 1. */
export function distance(from: number, to: number): number {
  return (to - from) | 0;
}

/** The number `count` bytes after `sequence`. */
export function advanced(sequence: number, count: number): number {
  return (sequence + count) | 0;
}
