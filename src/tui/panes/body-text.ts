import { visibleBytes, visibleText } from '../../model/visible-text.js';
import { layOutJson } from './json-layout.js';

/** Bytes of a body as the lines of a text, if they are one. */

export interface BodyText {
  /** Safe to show; not yet cut to a width. */
  readonly lines: readonly string[];
  /** What was done to the bytes, a word each: `JSON`, `iso-8859-1`. */
  readonly remarks: readonly string[];
}

const TAB = '    ';
/** Bytes looked at to tell text from the rest; control characters in a tenth of them are no text. */
const SAMPLE = 4096;
const CONTROL_SHARE = 0.1;

export interface BodyMedia {
  /** The headers' values; '' when there is none. */
  readonly contentType: string;
  readonly contentEncoding: string;
}

/**
 * @param pretty undo and lay out what can be; else the text as it came
 * @returns null when the bytes are no text
 */
export async function bodyText(bytes: Uint8Array, media: BodyMedia, pretty: boolean): Promise<BodyText | null> {
  const charset = charsetOf(media.contentType);
  if (!isText(bytes, charset)) return null;
  const decoded = decode(bytes, charset);
  const remarks = decoded.charset === 'utf-8' ? [] : [decoded.charset];
  if (decoded.text === null) return { lines: mixedLines(bytes), remarks: [...remarks, 'not valid UTF-8'] };
  let { text } = decoded;
  if (pretty && isJson(text, media.contentType)) {
    text = layOutJson(text);
    remarks.push('JSON');
  }
  return { lines: lines(text, pretty), remarks };
}

function lines(text: string, pretty: boolean): string[] {
  const all = text.split('\n');
  if (all.length > 1 && all.at(-1) === '') all.pop();
  return all.map((line) => visibleText(pretty ? line.replace(/\r$/, '').replaceAll('\t', TAB) : line));
}

/** Lines of bytes, each shown as far as it is UTF-8. */
function mixedLines(bytes: Uint8Array): string[] {
  const all: string[] = [];
  let from = 0;
  while (from < bytes.length) {
    const end = bytes.indexOf(0x0a, from);
    all.push(visibleBytes(bytes.subarray(from, end < 0 ? bytes.length : end)));
    if (end < 0) break;
    from = end + 1;
  }
  return all;
}

function charsetOf(contentType: string): string {
  return /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType)?.[1]?.toLowerCase() ?? 'utf-8';
}

function isText(bytes: Uint8Array, charset: string): boolean {
  if (/^utf-?(16|32)|^ucs-?2/.test(charset)) return true;
  const sample = bytes.subarray(0, SAMPLE);
  let controls = 0;
  for (const byte of sample) {
    if (byte === 0) controls += 4;
    else if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d && byte !== 0x1b) controls++;
  }
  if (controls > sample.length * CONTROL_SHARE) return false;
  // Without a charset that says otherwise, what is for the most part not UTF-8 is no text.
  return charset !== 'utf-8' || foreignShare(sample) <= CONTROL_SHARE;
}

function foreignShare(sample: Uint8Array): number {
  if (sample.length === 0) return 0;
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(sample);
  let foreign = 0;
  for (const character of text) if (character === '\ufffd') foreign++;
  return foreign / sample.length;
}

/** `text` is null for bytes that are not valid in UTF-8. A charset that is unknown is read as UTF-8. */
function decode(bytes: Uint8Array, charset: string): { readonly text: string | null; readonly charset: string } {
  let decoder: InstanceType<typeof TextDecoder>;
  try {
    decoder = new TextDecoder(charset, { fatal: false });
  } catch {
    return { text: utf8(bytes), charset: `unknown charset ${visibleText(charset, 40)}` };
  }
  if (decoder.encoding === 'utf-8') return { text: utf8(bytes), charset: 'utf-8' };
  return { text: decoder.decode(bytes), charset: decoder.encoding };
}

function utf8(bytes: Uint8Array): string | null {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    // As a stream: a character cut in two by the end of what was fetched is no mistake.
    return decoder.decode(bytes, { stream: true });
  } catch {
    return null;
  }
}

function isJson(text: string, contentType: string): boolean {
  if (/^[^;]*[/+]json\b/i.test(contentType)) return true;
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
