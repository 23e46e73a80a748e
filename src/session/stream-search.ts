/**
 * Questions to a stream of bytes that comes in slices and is never held whole. Slices may be borrowed: nothing of them is kept but
 * copies, and those are bounded by what is looked for.
 */

/** Whether `needle` occurs, also across slices. Reads no further than the first place. */
export async function streamContains(slices: AsyncIterable<Uint8Array>, needle: Uint8Array): Promise<boolean> {
  if (needle.length === 0) return true;
  const overlap = needle.length - 1;
  /** The last bytes before this slice, at most `overlap`: a match that they begin ends in this slice or later. */
  let tail: Uint8Array = new Uint8Array(0);
  for await (const slice of slices) {
    const seam = Buffer.concat([tail, slice.subarray(0, overlap)]);
    if (seam.indexOf(needle) >= 0 || Buffer.from(slice.buffer, slice.byteOffset, slice.length).indexOf(needle) >= 0) {
      return true;
    }
    const joined = slice.length >= overlap ? slice : Buffer.concat([tail, slice]);
    tail = new Uint8Array(joined.subarray(joined.length - Math.min(joined.length, overlap)));
  }
  return false;
}

/** The first `length` bytes, or all when there are fewer. Reads no further than that. */
export async function streamHead(slices: AsyncIterable<Uint8Array>, length: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let left = length;
  if (left > 0) {
    for await (const slice of slices) {
      const part = new Uint8Array(slice.subarray(0, left));
      parts.push(part);
      left -= part.length;
      if (left === 0) break;
    }
  }
  return Buffer.concat(parts);
}
