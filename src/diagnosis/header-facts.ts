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
 * Whether there is anything about a response that a rule may have to say something about: a healthy page mostly has a Content-Type and
 * none of the others, and then none of those rules need be asked.
 */
export function hasHeaderMarks({ response, bodyHead, method }: Exchange): boolean {
  if (response === null) return false;
  if (response.length > ORDINARY_LENGTH || response.headers.length > ORDINARY_COUNT) return true;
  if (response.invalidLines.length > 0 || method === 'HEAD' || bodyHead[0] === GZIP || response.status !== 200)
    return true;
  const facts = headerFacts(response);
  return (
    facts.contentType === null ||
    facts.contentLength !== null ||
    facts.contentEncoding !== null ||
    facts.transferEncoding !== null ||
    facts.accelRedirect !== null ||
    facts.sendfile !== null ||
    facts.secondStatus !== null
  );
}

/** Less than the smallest buffer (nginx: 4096) and fewer than the smallest limit (h2o: 100). */
const ORDINARY_LENGTH = 4000;
const ORDINARY_COUNT = 90;
/** The first byte of a gzip member. */
const GZIP = 0x1f;

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

let lastResponse: ResponseHead | null = null;
let lastFacts: HeaderFacts = readFacts([]);

function readFacts(headers: readonly Header[]): HeaderFacts {
  let contentType: string | null = null;
  let contentLength: string | null = null;
  let secondContentLength: string | null = null;
  let contentEncoding: string | null = null;
  let transferEncoding: string | null = null;
  let location: string | null = null;
  let accelRedirect: string | null = null;
  let sendfile: Header | null = null;
  let status: string | null = null;
  let secondStatus: string | null = null;
  for (let i = 0; i < headers.length; i++) {
    const header = headers[i]!;
    const { name, value } = header;
    switch (name.length) {
      case 6:
        if (!is(name, 'status')) break;
        if (status === null) status = value;
        else secondStatus ??= value;
        break;
      case 8:
        if (is(name, 'location')) location ??= value;
        break;
      case 10:
        if (is(name, 'x-sendfile')) sendfile ??= header;
        break;
      case 11:
        if (is(name, 'x-sendfile2')) sendfile ??= header;
        break;
      case 20:
        if (is(name, 'x-lighttpd-send-file')) sendfile ??= header;
        break;
      case 12:
        if (is(name, 'content-type')) contentType ??= value;
        break;
      case 14:
        if (!is(name, 'content-length')) break;
        if (contentLength === null) contentLength = value;
        else secondContentLength ??= value;
        break;
      case 16:
        if (is(name, 'content-encoding')) contentEncoding ??= value;
        else if (is(name, 'x-accel-redirect')) accelRedirect ??= value;
        break;
      case 17:
        if (is(name, 'transfer-encoding')) transferEncoding ??= value;
    }
  }
  return {
    contentType,
    contentLength,
    contentEncoding,
    transferEncoding,
    location,
    accelRedirect,
    sendfile,
    secondStatus,
    secondContentLength,
  };
}

/** Whether it is that name in any case; both are equally long. Most are ruled out by their first letter. */
function is(name: string, wanted: string): boolean {
  return (name.charCodeAt(0) | 0x20) === wanted.charCodeAt(0) && name.toLowerCase() === wanted;
}
