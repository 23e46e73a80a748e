import type { Exchange } from '../model/exchange.js';

/** Whether the response body begins with this ASCII text. Costs next to nothing where the first byte is another. */
export function bodyBegins({ bodyHead }: Pick<Exchange, 'bodyHead'>, text: string): boolean {
  if (bodyHead.length < text.length) return false;
  for (let i = 0; i < text.length; i++) if (bodyHead[i] !== text.charCodeAt(i)) return false;
  return true;
}

/** The kept beginning of the body as text, for messages: bytes that are not UTF-8 become replacement characters. */
export function bodyHeadText({ bodyHead }: Pick<Exchange, 'bodyHead'>): string {
  return decoder.decode(bodyHead);
}

const decoder = new TextDecoder();
