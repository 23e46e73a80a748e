import type { Exchange, Header, ResponseHead } from '../model/exchange.js';

/**
 * What the rules ask of a response's headers, found in one pass over them. Every request is asked about some ten headers, by one rule
 * after the other: so the answer for the last response is kept, and a name is looked at only when its length fits.
 */
export interface HeaderFacts {
  /** Each the first of its name, null when there is none. */
  readonly contentType: string | null;
  readonly contentLength: string | null;
  readonly contentEncoding: string | null;
  readonly transferEncoding: string | null;
  readonly location: string | null;
  readonly accelRedirect: string | null;
  /** X-Sendfile, X-LIGHTTPD-send-file or X-Sendfile2, as it was sent. */
  readonly sendfile: Header | null;
  /** Whether there is another one of its name, and what it says. */
  readonly secondStatus: string | null;
  readonly secondContentLength: string | null;
}

export function headerFacts(response: ResponseHead): HeaderFacts {
  if (response !== lastResponse) {
    lastFacts = readFacts(response.headers);
    lastResponse = response;
  }
  return lastFacts;
}

/**
 * How many bytes of body came; null where that is not known for certain: the response is not whole, its head has no end, or bytes were
 * not seen or are not kept.
 */
export function bodyLength({ outcome, response, streams }: Exchange): number | null {
  if (outcome !== 'completed' || response === null || !response.complete || response.length === 0) return null;
  return streams.stdout.missing > 0 ? null : streams.stdout.bytes - response.length;
}

/** A Content-Length that can be believed: digits, and not contradicted by a second one. */
export function declaredLength({ contentLength, secondContentLength }: HeaderFacts): number | null {
  if (contentLength === null || (secondContentLength !== null && secondContentLength !== contentLength)) return null;
  return /^[0-9]{1,15}$/.test(contentLength) ? Number(contentLength) : null;
}

/** No body may follow these (RFC 9110 section 6.4.1). */
export function isBodiless(status: number | null): boolean {
  return status === 204 || status === 304 || (status !== null && status >= 100 && status < 200);
}

type Draft<T> = { -readonly [K in keyof T]: T[K] };

const NONE: HeaderFacts = Object.freeze({
  contentType: null,
  contentLength: null,
  contentEncoding: null,
  transferEncoding: null,
  location: null,
  accelRedirect: null,
  sendfile: null,
  secondStatus: null,
  secondContentLength: null,
});

let lastResponse: ResponseHead | null = null;
let lastFacts: HeaderFacts = NONE;

function readFacts(headers: readonly Header[]): HeaderFacts {
  const facts: Draft<HeaderFacts> = { ...NONE };
  let status: string | null = null;
  for (const header of headers) {
    const { name, value } = header;
    switch (name.length) {
      case 6:
        if (!is(name, 'status')) break;
        if (status === null) status = value;
        else facts.secondStatus ??= value;
        break;
      case 8:
        if (is(name, 'location')) facts.location ??= value;
        break;
      case 10:
      case 11:
      case 20:
        if (is(name, 'x-sendfile') || is(name, 'x-sendfile2') || is(name, 'x-lighttpd-send-file')) {
          facts.sendfile ??= header;
        }
        break;
      case 12:
        if (is(name, 'content-type')) facts.contentType ??= value;
        break;
      case 14:
        if (!is(name, 'content-length')) break;
        if (facts.contentLength === null) facts.contentLength = value;
        else facts.secondContentLength ??= value;
        break;
      case 16:
        if (is(name, 'content-encoding')) facts.contentEncoding ??= value;
        else if (is(name, 'x-accel-redirect')) facts.accelRedirect ??= value;
        break;
      case 17:
        if (is(name, 'transfer-encoding')) facts.transferEncoding ??= value;
    }
  }
  return facts;
}

function is(name: string, wanted: string): boolean {
  return name.toLowerCase() === wanted;
}
