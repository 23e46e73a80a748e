import type { Exchange } from '../model/exchange.js';

/**
 * Whether a request asks for a page, has no body, and was waited for to its end, as most are: then no rule has anything to say of its STDIN,
 * of its method, and of the length of its params.
 */
export function isPlainRequest({ method, streams, connectionEnd }: Exchange): boolean {
  if ((method !== 'GET' && method !== 'HEAD') || connectionEnd !== null) return false;
  const { stdin, params } = streams;
  if (!stdin.ended || stdin.bytes + stdin.missing > 0) return false;
  return params.bytes + params.missing <= NEARLY_TOO_LONG;
}

/** Bytes of PARAMS from which on it is not far to what fits into one record. */
export const NEARLY_TOO_LONG = 58_000;
