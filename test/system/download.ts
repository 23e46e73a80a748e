import { createHash } from 'node:crypto';

/** What www/download.php sends for `?blocks=N`: N blocks of 64 KiB, block i being md5(i), in hex, 2048 times. */
export function md5BlockText(blocks: number): string {
  return Array.from({ length: blocks }, (_, i) => createHash('md5').update(`${i}`).digest('hex').repeat(2048)).join('');
}
