import type { Exchange } from '../../../model/exchange.js';
import { formatBytes } from '../../../model/quantity.js';
import { declaredLength } from '../../declared-length.js';
import { type WebServer, webServerOf } from '../../products.js';

/** These have the whole body before they connect to the backend, unless they are told otherwise. */
const BUFFERING: readonly (WebServer | null)[] = ['nginx', 'lighttpd', 'h2o', 'litespeed', 'iis'];

export interface Upload {
  /** `3.00MB`, as CONTENT_LENGTH announces; `a body of unknown length`. */
  readonly of: string;
  /** The web server is one that mostly has all of it: then it is not the visitor who is slow. */
  readonly buffered: boolean;
}

/** A request body that has not come whole; null when it has, or when that is not known. */
export function uploadSoFar(exchange: Exchange): Upload | null {
  const { role, streams } = exchange;
  if (role !== 'responder' && role !== 'filter') return null;
  if (!streams.params.ended || streams.stdin.ended) return null;
  const announced = declaredLength(exchange);
  if (typeof announced === 'number' && streams.stdin.bytes + streams.stdin.missing >= announced) return null;
  return {
    of: typeof announced === 'number' ? formatBytes(announced) : 'a body of unknown length',
    buffered: BUFFERING.includes(webServerOf(exchange)),
  };
}
