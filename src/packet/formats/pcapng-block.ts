import { PACKET_LIMIT } from './format.js';

/** The frame of pcapng blocks: a type, a length, what is in it, and the length again. */

export const PCAPNG_SECTION = 0x0a0d0d0a;
export const PCAPNG_BYTE_ORDER = 0x1a2b3c4d;
export const INTERFACE_DESCRIPTION = 1;
export const OBSOLETE_PACKET = 2;
export const SIMPLE_PACKET = 3;
export const ENHANCED_PACKET = 6;
/** What else is a block to somebody who lost the way: names, statistics, journals, secrets, custom blocks. */
const OTHER_TYPES: ReadonlySet<number> = new Set([4, 5, 9, 10, 0xbad, 0x40000bad]);

/** A block with nothing in it. */
export const SMALLEST_BLOCK = 12;
/** What follows the content. */
export const TAIL = 4;
/** The largest packet with what a block puts around it. */
export const BLOCK_LIMIT = PACKET_LIMIT + 32 * 1024;
/** In a search a longer block is not believed: its end would have to be waited for. */
const SEARCHED_BLOCK_LIMIT = 1024 * 1024;

// All of these ask for SMALLEST_BLOCK bytes at `at`, and `little` is the byte order of the section.

/** Whether a block of a type that there is may begin at `at`. */
export function beginsBlock(view: DataView, at: number, little: boolean): boolean {
  const type = view.getUint32(at, little);
  if (type >= INTERFACE_DESCRIPTION && type <= ENHANCED_PACKET) return true;
  if (type !== PCAPNG_SECTION) return OTHER_TYPES.has(type);
  return view.getUint32(at + 8, true) === PCAPNG_BYTE_ORDER || view.getUint32(at + 8, false) === PCAPNG_BYTE_ORDER;
}

/** For a search: how long the block at `at` says it is; 0 when none begins there. */
export function blockLength(view: DataView, at: number, little: boolean): number {
  if (!beginsBlock(view, at, little)) return 0;
  const length = view.getUint32(at + 4, orderOf(view, at, little));
  return length < SMALLEST_BLOCK || length > SEARCHED_BLOCK_LIMIT || length % 4 !== 0 ? 0 : length;
}

/** Whether the block's last length is its first one. The whole block must be there. */
export function blockEndsWell(view: DataView, at: number, length: number, little: boolean): boolean {
  return view.getUint32(at + length - TAIL, orderOf(view, at, little)) === length;
}

/** A section header brings its own byte order, and its type reads the same in both. */
function orderOf(view: DataView, at: number, little: boolean): boolean {
  return view.getUint32(at, little) === PCAPNG_SECTION ? view.getUint32(at + 8, true) === PCAPNG_BYTE_ORDER : little;
}
