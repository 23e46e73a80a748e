/**
 * Strategy: one number says in which of several capture files a byte lies, and where. Doubles count exactly to 2 ** 53; half of that
 * is left to whoever keeps bytes apart from files, so 256 files of 16 TiB each have numbers of their own. -1 stands for bytes that lie in no file (a pipe, what gzip packed, a live source).
 */

/** How far the origins of two neighbouring files are apart. */
export const FILE_SPAN = 2 ** 44;

/** How many files origins can tell apart. */
export const FILES_LIMIT = 256;

/** The origin of the byte at `offset` of the file with number `file`, counted from 0. */
export function originOf(file: number, offset: number): number {
  return file * FILE_SPAN + offset;
}

/** The inverse of originOf; null when the origin is that of no file. */
export function splitOrigin(origin: number): { readonly file: number; readonly offset: number } | null {
  if (origin < 0) return null;
  const file = Math.floor(origin / FILE_SPAN);
  return { file, offset: origin - file * FILE_SPAN };
}
