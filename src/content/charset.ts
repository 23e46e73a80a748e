import { parseMediaType } from './media-type.js';

/** A body's bytes as text. */
export interface DecodedText {
  readonly text: string;
  /** The encoding that was used, by its WHATWG name. */
  readonly charset: string;
  /** False when bytes were not valid in that encoding and stand as U+FFFD: the text does not lead back to the bytes. */
  readonly faithful: boolean;
}

const FALLBACK = 'windows-1252';
/** HTML wants its `<meta charset>` within this many bytes. */
const META_REACH = 1024;

/**
 * The charset, in order of trust: a byte order mark, the Content-Type, an HTML or XML declaration at the head, UTF-8 when the bytes are
 * that, windows-1252 (which is what browsers take unlabelled text for).
 * @param contentType the header's value, null when there was none
 */
export function decodeText(bytes: Uint8Array, contentType: string | null): DecodedText {
  const labelled = parseMediaType(contentType).parameters.get('charset') ?? declaredCharset(bytes);
  const charset = encodingName(byteOrderMark(bytes) ?? labelled);
  if (charset !== null) return decodeWith(charset, bytes);
  const text = decodeWith('utf-8', bytes);
  return text.faithful ? text : decodeWith(FALLBACK, bytes);
}

function decodeWith(charset: string, bytes: Uint8Array): DecodedText {
  try {
    return { text: new TextDecoder(charset, { fatal: true }).decode(bytes), charset, faithful: true };
  } catch {
    return { text: new TextDecoder(charset).decode(bytes), charset, faithful: false };
  }
}

/** Null when there is no label, or this runtime does not know it. */
function encodingName(label: string | null): string | null {
  if (label === null) return null;
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return null;
  }
}

function byteOrderMark(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  return null;
}

function declaredCharset(bytes: Uint8Array): string | null {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, META_REACH));
  const match =
    /<meta\s[^>]{0,200}?charset\s*=\s*["']?\s*([\w-]+)/i.exec(head) ??
    /^\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([\w-]+)/i.exec(head);
  const label = match?.[1] ?? null;
  // A declaration that could be read as ASCII cannot be in a two-byte encoding, whatever it says.
  return label !== null && /^utf-?16/i.test(label) ? 'utf-8' : label;
}
