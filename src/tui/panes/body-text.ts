import { decodeText } from '../../content/charset.js';
import { codingsOf, undoContentCoding } from '../../content/content-coding.js';
import { formFields } from '../../content/form.js';
import { isText, parseMediaType } from '../../content/media-type.js';
import { formatBytes } from '../../model/quantity.js';
import { visibleBytes, visibleText } from '../../model/visible-text.js';
import { layOutJson } from './json-layout.js';

/** Bytes of a body as the lines of a text, if they are one. */

export interface BodyText {
  /** Safe to show, not yet cut to a width; or how many bytes are missing here. */
  readonly lines: readonly (string | { readonly missing: number })[];
  /** What was done to the bytes, a few words each: `gzip undone: 5.10kB`, `JSON`. */
  readonly remarks: readonly string[];
}

export interface BodyMedia {
  /** The headers' values; null when there is none. */
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  /** Text whatever it looks like: STDERR is for people. */
  readonly alwaysText: boolean;
}

const TAB = '    ';
const LONGEST_UTF8 = 4;

/**
 * The text as it came: nothing undone, what is not UTF-8 as `\xNN`.
 * @param whole false when more of the body follows
 * @returns null when the bytes are no text
 */
export function rawText(bytes: Uint8Array, media: BodyMedia, whole: boolean): BodyText | null {
  if (!media.alwaysText && (codingsOf(media.contentEncoding).length > 0 || !isText(media.contentType, bytes)))
    return null;
  return { lines: splitBytes(whole ? bytes : wholeCharacters(bytes)), remarks: ['as it came'] };
}

/**
 * Content coding undone, charset honoured, JSON and forms laid out.
 * @param whole false when more of the body follows
 * @param limit bytes that are unpacked at most
 * @returns null when what was unpacked is no text
 */
export async function prettyText(
  coded: Uint8Array,
  media: BodyMedia,
  whole: boolean,
  limit: number,
): Promise<BodyText | null> {
  const { bytes, undone, problem } = await undoContentCoding([coded], media.contentEncoding, limit);
  if (!media.alwaysText && !isText(media.contentType, bytes)) return null;
  const remarks: string[] = [];
  if (undone.length > 0) remarks.push(`${undone.join(', ')} undone: ${formatBytes(bytes.length)}`);
  if (problem !== null && (whole || undone.length === 0)) remarks.push(problem);
  const fields = whole ? formFields(media.contentType, bytes) : null;
  if (fields !== null && fields.length > 0) {
    remarks.push('form');
    return {
      lines: fields.map(({ name, value, fileName, contentType }) =>
        visibleText(`${name} = ${fileName === undefined ? value : `file ${fileName} (${contentType ?? 'no type'})`}`),
      ),
      remarks,
    };
  }
  const { text, charset, faithful } = decodeText(whole ? bytes : wholeCharacters(bytes), media.contentType);
  if (!faithful && charset === 'utf-8') return { lines: splitBytes(bytes), remarks: [...remarks, 'not valid UTF-8'] };
  if (charset !== 'utf-8') remarks.push(charset);
  if (!faithful) remarks.push(`not valid ${charset}`);
  if (isJson(text, media.contentType)) {
    remarks.push('JSON');
    return { lines: split(layOutJson(text)), remarks };
  }
  return { lines: split(text), remarks };
}

/**
 * The text around bytes that were never seen: what stands in their place is not read.
 * @param gaps ranges [from, to) of `bytes`, in order
 * @param read makes a text of a part
 */
export async function textAroundGaps(
  bytes: Uint8Array,
  gaps: readonly (readonly [number, number])[],
  read: (part: Uint8Array) => Promise<BodyText | null>,
): Promise<BodyText | null> {
  const lines: BodyText['lines'][number][] = [];
  let remarks: readonly string[] | null = null;
  let at = 0;
  for (const [from, to] of [...gaps, [bytes.length, bytes.length] as const]) {
    if (from > at) {
      const text = await read(bytes.subarray(at, from));
      if (text === null) return null;
      for (const line of text.lines) lines.push(line);
      remarks ??= text.remarks;
    }
    if (to > from) lines.push({ missing: to - from });
    at = Math.max(at, to);
  }
  return { lines, remarks: remarks ?? [] };
}

function split(text: string): string[] {
  const lines = text.split('\n');
  if (lines.length > 1 && lines.at(-1) === '') lines.pop();
  return lines.map((line) => visibleText(line.replace(/\r$/, '').replaceAll('\t', TAB)));
}

/** Lines of bytes, each shown as far as it is UTF-8. */
function splitBytes(bytes: Uint8Array): string[] {
  const lines: string[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(0x0a, from);
    lines.push(visibleBytes(bytes.subarray(from, end < 0 ? bytes.length : end)));
    from = end < 0 ? bytes.length : end + 1;
  }
  return lines;
}

/** Without the last character when it is cut off: it would make valid UTF-8 look like something else. */
function wholeCharacters(bytes: Uint8Array): Uint8Array {
  for (let back = 1; back < LONGEST_UTF8 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return bytes;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? bytes.subarray(0, bytes.length - back) : bytes;
  }
  return bytes;
}

function isJson(text: string, contentType: string | null): boolean {
  if (/[/+]json$/.test(parseMediaType(contentType).type)) return true;
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
