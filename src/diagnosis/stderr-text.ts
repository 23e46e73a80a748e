import type { Exchange } from '../model/exchange.js';

const decoder = new TextDecoder();

/** The kept beginning of STDERR as text. */
export function stderrText(exchange: Exchange): string {
  return decoder.decode(exchange.stderrHead);
}
