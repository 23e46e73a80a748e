import type { Exchange } from '../model/exchange.js';

/** A response header's value, null when it was not sent. Of several the first counts. @param name in lower case */
export function headerValue({ response }: Pick<Exchange, 'response'>, name: string): string | null {
  if (response === null) return null;
  for (const header of response.headers)
    if (header.name.length === name.length && header.name.toLowerCase() === name) return header.value;
  return null;
}
