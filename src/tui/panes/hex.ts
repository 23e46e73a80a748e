import type { Line } from '../paint.js';

/** A hex dump's lines: offset, bytes, and the printable ASCII among them. */

/** A line of 16 takes 76 cells. */
const FULL_WIDTH = 78;

export function bytesPerLine(width: number): number {
  return width >= FULL_WIDTH ? 16 : 8;
}

/**
 * @param bytes what the line shows, at most `perLine`
 * @param offset what stands before it
 * @param missing whether the byte at this index of `bytes` was never seen
 */
export function hexLine(
  bytes: Uint8Array,
  offset: number,
  perLine: number,
  missing: (index: number) => boolean = () => false,
): Line {
  let hex = '';
  let text = '';
  for (let index = 0; index < perLine; index++) {
    if (index === 8) hex += ' ';
    const byte = bytes[index];
    if (byte === undefined) {
      hex += '   ';
      continue;
    }
    hex += missing(index) ? '-- ' : `${byte.toString(16).padStart(2, '0')} `;
    text += missing(index) ? '-' : byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·';
  }
  return [
    [`${offset.toString(16).padStart(8, '0')}  `, 'dim'],
    [hex, 'plain'],
    [` ${text}`, 'name'],
  ];
}
