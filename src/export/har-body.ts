import { decodeText } from '../content/charset.js';
import { codingsOf, UNCODED_LIMIT, undoContentCoding } from '../content/content-coding.js';
import { formFields } from '../content/form.js';
import { isText, parseMediaType } from '../content/media-type.js';
import { redactRequestBody } from '../content/redacted-body.js';
import { StoredBody } from '../content/stored-body.js';
import type { Exchange } from '../model/exchange.js';
import type { Inspection } from '../model/inspection.js';
import { paramValue } from '../model/param-value.js';
import { headerValue, type NameValue } from './har-message.js';
import { streamContent } from './stream-content.js';
import { base64 } from './text-writer.js';

/**
 * Bodies as HAR wants them: one string, decoded. An entry is written in one piece, so a body has to fit into memory; a larger one is
 * left out with a comment that says so (NDJSON writes bodies of any size).
 */
export const HAR_BODY_LIMIT = UNCODED_LIMIT;

/** HAR's name for a body whose type is not known. */
const UNKNOWN_TYPE = 'x-unknown';

export interface HarContent {
  readonly size: number;
  readonly compression?: number;
  readonly mimeType: string;
  readonly text?: string;
  readonly encoding?: 'base64';
  readonly comment?: string;
}

export interface HarPostData {
  readonly mimeType: string;
  readonly text: string;
  readonly params?: readonly (NameValue & { readonly fileName?: string; readonly contentType?: string })[];
  /** HAR has no encoding for what is sent; this says the same as `content.encoding`. */
  readonly _encoding?: 'base64';
  readonly comment?: string;
}

/** @param exchange not redacted: where the body begins is looked up there, and response bodies are written as they are */
export async function responseContent(
  exchange: Exchange,
  inspection: Inspection,
  redact: boolean,
): Promise<HarContent> {
  const { response, streams } = exchange;
  const total = streams.stdout.bytes + streams.stdout.missing;
  if (total === 0) return { size: 0, mimeType: UNKNOWN_TYPE };
  if (response === null || response.length === 0 || !response.complete) {
    if (streams.stdout.bytes > 0) return headlessContent(exchange, inspection, redact);
    return { size: 0, mimeType: UNKNOWN_TYPE, comment: notKept('response', total) };
  }
  const contentType = headerValue(response.headers, 'content-type');
  const mimeType = contentType ?? UNKNOWN_TYPE;
  const wireSize = total - response.length;
  if (wireSize > HAR_BODY_LIMIT) {
    return { size: wireSize, mimeType, comment: `${wireSize} bytes, too large to be written here` };
  }
  const stored = new StoredBody(inspection, exchange.n, 'stdout', response.length, total);
  const encoding = headerValue(response.headers, 'content-encoding');
  const { bytes, undone, complete, problem } = await undoContentCoding(stored, encoding, HAR_BODY_LIMIT);
  const absent = wireSize - stored.read;
  if (stored.read === 0 && absent > 0) {
    return { size: wireSize, mimeType, comment: notKept('body', absent) };
  }
  return {
    size: bytes.length,
    ...(complete && undone.length > 0 ? { compression: bytes.length - stored.read } : {}),
    mimeType,
    ...(bytes.length === 0 ? {} : encoded(bytes, contentType, 'encoding')),
    ...comment(absent, problem),
  };
}

/** What came in place of a header block and a body: all of it, so that nothing is lost. */
async function headlessContent(exchange: Exchange, inspection: Inspection, redact: boolean): Promise<HarContent> {
  const content = await streamContent(exchange, 'stdout', inspection, redact);
  if (content === null) return { size: 0, mimeType: UNKNOWN_TYPE, comment: WITHHELD };
  const { bytes } = await undoContentCoding(content.slices(), null, HAR_BODY_LIMIT);
  return {
    size: bytes.length,
    mimeType: UNKNOWN_TYPE,
    ...encoded(bytes, null, 'encoding'),
    ...comment(
      content.missing(),
      exchange.streams.stdout.missing > 0
        ? 'the header block was not kept whole: this is STDOUT from its beginning'
        : 'no complete header block: this is STDOUT from its beginning',
    ),
  };
}

/** @param exchange not redacted. Undefined when the request had no body. */
export async function postData(
  exchange: Exchange,
  inspection: Inspection,
  redact: boolean,
): Promise<HarPostData | undefined> {
  const { stdin } = exchange.streams;
  const total = stdin.bytes + stdin.missing;
  if (total === 0) return undefined;
  const contentType = paramValue(exchange.params, 'CONTENT_TYPE');
  const mimeType = contentType ?? '';
  if (total > HAR_BODY_LIMIT) return { mimeType, text: '', comment: `${total} bytes, too large to be written here` };
  const contentEncoding = paramValue(exchange.params, 'HTTP_CONTENT_ENCODING');
  const packed = codingsOf(contentEncoding).length > 0;
  // A packed form is unpacked here, so that it can be looked through; others are asked for without their secrets.
  const content = await streamContent(exchange, 'stdin', inspection, redact && !packed);
  if (content === null) return { mimeType, text: '', comment: WITHHELD };
  const uncoded = await undoContentCoding(content.slices(), contentEncoding, HAR_BODY_LIMIT);
  const absent = content.missing();
  if (redact && packed && (!uncoded.complete || absent > 0)) return { mimeType, text: '', comment: WITHHELD };
  const bytes = redact && packed ? redactRequestBody(exchange.params, uncoded.bytes) : uncoded.bytes;
  const params = formFields(contentType, bytes);
  return {
    mimeType,
    ...encoded(bytes, contentType, '_encoding'),
    ...(params === null ? {} : { params }),
    ...comment(absent, uncoded.problem),
  };
}

function notKept(what: string, missing: number): string {
  return `the ${what} was not kept: ${missing} bytes are missing`;
}

/** When the session cannot be asked any more: the entry is written all the same. */
export function unreadableContent(): HarContent {
  return { size: 0, mimeType: UNKNOWN_TYPE, comment: UNREADABLE };
}

export function unreadablePostData(): HarPostData {
  return { mimeType: '', text: '', comment: UNREADABLE };
}

const UNREADABLE = 'the body could not be read';

function comment(absent: number, problem: string | null): { comment?: string } {
  const parts = [absent > 0 ? `${absent} bytes are missing` : null, problem].filter((part) => part !== null);
  return parts.length === 0 ? {} : { comment: parts.join('; ') };
}

const WITHHELD = 'withheld: it may hold secrets and cannot be looked through';

/** Text as it reads where it is text and can be given back as such, else base64 with a mark. */
function encoded<Mark extends string>(
  bytes: Uint8Array,
  contentType: string | null,
  mark: Mark,
): { text: string } | ({ text: string } & Record<Mark, 'base64'>) {
  if (isText(contentType, bytes)) {
    const { text, faithful } = decodeText(bytes, contentType);
    if (faithful) return { text };
  }
  return { text: base64(bytes), [mark]: 'base64' } as { text: string } & Record<Mark, 'base64'>;
}

/** Chrome sorts and colours by it; FastCGI carries no such thing, so the type of the response stands in. */
export function resourceType(exchange: Exchange): string {
  if (paramValue(exchange.params, 'HTTP_X_REQUESTED_WITH')?.toLowerCase() === 'xmlhttprequest') return 'xhr';
  const { type } = parseMediaType(headerValue(exchange.response?.headers ?? [], 'content-type'));
  if (type === 'text/html' || type === 'application/xhtml+xml') return 'document';
  if (type === 'text/css') return 'stylesheet';
  if (/javascript|ecmascript/.test(type)) return 'script';
  if (/^(?:image|font)\//.test(type)) return type.slice(0, type.indexOf('/'));
  if (/^(?:audio|video)\//.test(type)) return 'media';
  return /json|xml/.test(type) ? 'xhr' : 'other';
}
