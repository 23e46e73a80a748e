import type { Exchange } from '../model/exchange.js';

/** The kept beginning of STDERR as text. Several rules ask for it one after the other, so the last answer is kept. */
export function stderrText({ stderrHead }: Pick<Exchange, 'stderrHead'>): string {
  if (stderrHead !== lastHead) {
    lastText = decoder.decode(stderrHead);
    lastHead = stderrHead;
  }
  return lastText;
}

const decoder = new TextDecoder();

/** STDERR_KEPT bytes at most stay behind. What lies in such an array is never changed, only replaced by a longer one. */
let lastHead: Uint8Array | null = null;
let lastText = '';
