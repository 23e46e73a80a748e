/**
 * Content-Type values, and what they say about how to show a body. The names are the sender's: they may lie, so that the bytes have the
 * last word on whether something is text.
 */
export interface MediaType {
  /** `text/html`, in lower case; empty when the value does not name one. */
  readonly type: string;
  /** Names in lower case, values without quotes. */
  readonly parameters: ReadonlyMap<string, string>;
}

const PARAMETER = /;\s*([!#$%&'*+.^_`|~\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;"]*))/g;

/** @param value of a Content-Type header (RFC 9110 section 8.3), null when there was none */
export function parseMediaType(value: string | null): MediaType {
  const text = value ?? '';
  const type = /^\s*([\w!#$&^.+-]+\/[\w!#$&^.+-]+)/.exec(text)?.[1]?.toLowerCase() ?? '';
  const parameters = new Map<string, string>();
  for (const [, name, quoted, plain] of text.matchAll(PARAMETER)) {
    const key = name!.toLowerCase();
    if (!parameters.has(key)) parameters.set(key, quoted?.replace(/\\(.)/g, '$1') ?? plain!.trim());
  }
  return { type, parameters };
}

/** How much of a body is looked at when its type does not tell. */
const SNIFFED = 1024;

const TEXT_TYPE =
  /^(?:text\/|application\/(?:json|xml|javascript|ecmascript|x-javascript|x-www-form-urlencoded|graphql|x-ndjson|ld\+json|yaml|x-yaml|sql|toml|x-sh|x-httpd-php)\b|multipart\/form-data|message\/|image\/svg\+xml)|\+(?:json|xml|yaml)$/;
const BINARY_TYPE =
  /^(?:image|audio|video|font|model)\/|^application\/(?:octet-stream|pdf|zip|gzip|x-gzip|x-tar|x-7z|vnd\.openxml|vnd\.ms-|protobuf|x-protobuf|grpc|wasm|msgpack)/;

/**
 * Whether a body is to be shown as text.
 * @param contentType the header's value, null when there was none
 * @param head the first bytes of the body, its content coding undone; the first 1 024 are looked at
 */
export function isText(contentType: string | null, head: Uint8Array): boolean {
  const { type, parameters } = parseMediaType(contentType);
  const sniffed = head.subarray(0, SNIFFED);
  if (/^utf-?(?:16|32)/i.test(parameters.get('charset') ?? '') || hasWideMark(sniffed)) return true;
  if (sniffed.includes(0)) return false;
  if (TEXT_TYPE.test(type) || parameters.has('charset')) return true;
  return !BINARY_TYPE.test(type) && looksLikeText(sniffed);
}

function hasWideMark(head: Uint8Array): boolean {
  return (head[0] === 0xfe && head[1] === 0xff) || (head[0] === 0xff && head[1] === 0xfe);
}

/** UTF-8 without control characters other than white space and ESC (coloured logs are text). */
function looksLikeText(head: Uint8Array): boolean {
  if (head.some((byte) => byte < 0x20 && !(byte >= 0x09 && byte <= 0x0d) && byte !== 0x1b)) return false;
  try {
    // The last character may be cut off by where the sniffing ends.
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return true;
  } catch {
    return false;
  }
}
