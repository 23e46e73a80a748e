/**
 * Calls `found` for each option in [start, end) of `view`, where the options of a pcapng block are: a code, a length, a value padded to
 * four bytes, until the code 0. Stops at an option that would go beyond `end`.
 */
export function eachOption(
  view: DataView,
  start: number,
  end: number,
  little: boolean,
  found: (code: number, at: number, length: number) => void,
): void {
  let at = start;
  while (end - at >= 4) {
    const code = view.getUint16(at, little);
    const length = view.getUint16(at + 2, little);
    if (code === 0 || length > end - at - 4) return;
    found(code, at + 4, length);
    at += 4 + ((length + 3) & ~3);
  }
}
