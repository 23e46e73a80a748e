import { parseMediaType } from './media-type.js';

/** One field of a submitted form. */
export interface FormField {
  readonly name: string;
  readonly value: string;
  /** Of a file in a multipart form. */
  readonly fileName?: string;
  readonly contentType?: string;
}

/** A field of a multipart form with its place in the body, by which it can be replaced. */
export interface FormPart extends FormField {
  /** Where the content begins and ends. */
  readonly from: number;
  readonly to: number;
}

/** More fields than this are not listed: PHP's max_input_vars is 1 000. */
const FIELDS_LIMIT = 5_000;
/** As much of a part's header lines is read; real ones take a few hundred bytes. */
const PART_HEAD_LIMIT = 8 * 1024;

/**
 * The fields of a form in their order, duplicates kept; null when the type is not a form's.
 * @param contentType the request's Content-Type
 */
export function formFields(contentType: string | null, body: Uint8Array): FormField[] | null {
  const { type, parameters } = parseMediaType(contentType);
  if (type === 'application/x-www-form-urlencoded') return urlencodedFields(new TextDecoder().decode(body));
  if (type !== 'multipart/form-data') return null;
  return multipartFields(body, parameters.get('boundary') ?? '').map(({ from: _from, to: _to, ...field }) => field);
}

/** Of a query string or urlencoded form. What is not valid percent-encoding stays as it is. */
export function urlencodedFields(text: string): FormField[] {
  const fields: FormField[] = [];
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    if (fields.length === FIELDS_LIMIT) break;
    const equals = pair.indexOf('=');
    const name = equals < 0 ? pair : pair.slice(0, equals);
    fields.push({ name: decoded(name), value: equals < 0 ? '' : decoded(pair.slice(equals + 1)) });
  }
  return fields;
}

/**
 * RFC 7578; lines that end with LF alone are read too, as PHP does. A last part that is cut off is listed as far as it goes.
 * @param limit more parts than this are not listed
 */
export function multipartFields(body: Uint8Array, boundary: string, limit = FIELDS_LIMIT): FormPart[] {
  if (boundary === '') return [];
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const delimiter = Buffer.from(`--${boundary}`);
  const parts: FormPart[] = [];
  let at = bytes.indexOf(delimiter);
  while (at >= 0 && parts.length < limit) {
    const start = at + delimiter.length;
    // Two hyphens after it: the closing delimiter.
    if (bytes[start] === HYPHEN && bytes[start + 1] === HYPHEN) break;
    at = bytes.indexOf(`\n--${boundary}`, start);
    const end = at < 0 ? bytes.length : bytes[at - 1] === CR ? at - 1 : at;
    if (at >= 0) at += 1;
    const blank = blankLine(bytes.subarray(start, end));
    if (blank === null) continue;
    parts.push({
      ...partFields(bytes.toString('utf8', start, start + Math.min(blank.from, PART_HEAD_LIMIT))),
      ...content(bytes, start + blank.to, end),
    });
  }
  return parts.map((part) => withoutFileContent(part));
}

const HYPHEN = 0x2d;
const CR = 0x0d;

/** Where the head of a part ends and its content begins. */
function blankLine(part: Buffer): { from: number; to: number } | null {
  const ends = ['\n\r\n', '\n\n'].flatMap((end) => {
    const from = part.indexOf(end);
    return from < 0 ? [] : [{ from, to: from + end.length }];
  });
  return ends.sort((a, b) => a.from - b.from)[0] ?? null;
}

function partFields(block: string): { name: string; fileName?: string; contentType?: string } {
  const head = block.replace(/\r?\n[ \t]+/g, ' ');
  const disposition = /^content-disposition:(.*)$/im.exec(head)?.[1] ?? '';
  const contentType = /^content-type:\s*(.*?)\s*$/im.exec(head)?.[1];
  const { parameters } = parseMediaType(`form/data;${disposition.slice(disposition.indexOf(';') + 1)}`);
  const fileName = parameters.get('filename');
  return {
    name: parameters.get('name') ?? '',
    ...(fileName === undefined ? {} : { fileName }),
    ...(contentType === undefined ? {} : { contentType }),
  };
}

function content(bytes: Buffer, from: number, to: number): { value: string; from: number; to: number } {
  return { value: bytes.toString('utf8', from, to), from, to };
}

/** A file's bytes are in the body; as a value they would only double it. */
function withoutFileContent(part: FormPart): FormPart {
  return part.fileName === undefined ? part : { ...part, value: '' };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
