/**
 * Text out of wire bytes, fast where it is short. Names, and many values, are the same from request to request, so short strings are
 * looked up by their bytes in a small table: that costs a third of decoding them, and thousands of kept exchanges share them. Longer
 * ones go through TextDecoder, the fastest of the ways that make a flat string. (Decoding a whole block and slicing is faster still,
 * but every slice would keep the block alive.)
 */

/** Bytes that are not UTF-8 become replacement characters; isLossyUtf8 tells whether there were any. */
export function wireText(bytes: Uint8Array, from: number, to: number): string {
  return familiarText(bytes, from, to) ?? decodeText(bytes, from, to);
}

/** The ASCII text of bytes[from, to) if it was met lately; null says nothing about the bytes. */
export function familiarText(bytes: Uint8Array, from: number, to: number): string | null {
  const length = to - from;
  if (length === 0) return '';
  if (length > FAMILIAR_LENGTH) return null;
  const text = familiar[slot(bytes, from, to)]!;
  if (text.length !== length) return null;
  for (let i = 0; i < length; i++) {
    if (text.charCodeAt(i) !== bytes[from + i]) return null;
  }
  return text;
}

/** What wireText gives, without looking it up. */
export function decodeText(bytes: Uint8Array, from: number, to: number): string {
  const length = to - from;
  const text = decoder.decode(bytes.subarray(from, to));
  // As many units as bytes: it is ASCII, or has replacement characters, which no byte is equal to.
  if (length > 0 && length <= FAMILIAR_LENGTH && text.length === length) familiar[slot(bytes, from, to)] = text;
  return text;
}

/** The table cannot grow, and a collision costs a second look, never the answer. */
const FAMILIAR_SLOTS = 512;
const FAMILIAR_LENGTH = 32;
const familiar: string[] = new Array<string>(FAMILIAR_SLOTS).fill('');

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** A few bytes tell the strings of real requests apart well enough. */
function slot(bytes: Uint8Array, from: number, to: number): number {
  const length = to - from;
  const sum =
    length * 7 +
    bytes[from]! * 31 +
    bytes[to - 1]! * 17 +
    bytes[from + (length >> 1)]! * 113 +
    bytes[from + (length >> 2)]! * 57;
  return sum & (FAMILIAR_SLOTS - 1);
}
