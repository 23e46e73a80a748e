/** Unchecked integer reads: the caller has made sure that the bytes are there. Network order unless the name says otherwise. */

export function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

export function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** The parts one after the other, in memory of their own. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

const REPLACEMENT = '\ufffd';
const encoder = new TextEncoder();

/**
 * Whether `text`, which TextDecoder made of bytes[from, to), does not say what they were. A replacement character may also have been
 * sent as such; only its bytes tell.
 */
export function isLossyUtf8(text: string, bytes: Uint8Array, from = 0, to = bytes.length): boolean {
  if (!text.includes(REPLACEMENT)) return false;
  const exact = encoder.encode(text);
  return exact.length !== to - from || exact.some((byte, i) => byte !== bytes[from + i]);
}

export const NO_BYTES = new Uint8Array(0);
