import type { Exchange, Param } from '../model/exchange.js';
import { paramValue } from '../model/param-value.js';
import { isSecretName, REDACTED, redactHeaderLine, redactQuery } from '../model/redaction.js';
import { codingsOf } from './content-coding.js';
import { multipartFields } from './form.js';
import { parseMediaType } from './media-type.js';
import { redactJson } from './redacted-json.js';

/**
 * Bodies without their secrets. Two places are known to hold them: the fields of a request's form or JSON object whose names say so,
 * and the header block at the head of STDOUT (Set-Cookie). Other bodies, responses among them, are passed on as they are.
 */

/** A form or JSON body is looked through whole, so it must fit into memory; a larger one is withheld. */
export const REDACTABLE_LIMIT = 4 * 1024 * 1024;

/** Whether the request's body can hold secrets that we would find: it must then pass through redactRequestBody. */
export function holdsFields(params: readonly Param[]): boolean {
  return fieldKind(params) !== null;
}

/** Whether it is packed (Content-Encoding), so that its fields cannot be told apart. */
export function isPacked(params: readonly Param[]): boolean {
  return codingsOf(paramValue(params, 'HTTP_CONTENT_ENCODING')).length > 0;
}

/** @param body whole, without content coding; the same object comes back when there was nothing to hide */
export function redactRequestBody(params: readonly Param[], body: Uint8Array): Uint8Array {
  const kind = fieldKind(params);
  if (kind === null) return body;
  if (kind === 'multipart') {
    return redactMultipart(body, parseMediaType(paramValue(params, 'CONTENT_TYPE')).parameters.get('boundary') ?? '');
  }
  // Latin-1 there and back leaves every byte that is not replaced as it was; names and punctuation are ASCII.
  const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1');
  const redacted = kind === 'urlencoded' ? redactQuery(text) : redactJson(text);
  return redacted === text ? body : Buffer.from(redacted, 'latin1');
}

/**
 * The CGI header block as it was sent, without the values of secret headers.
 * @param block the first `exchange.response.length` bytes of STDOUT
 */
export function redactHeaderBlock(exchange: Exchange, block: Uint8Array): Uint8Array {
  if (exchange.response === null) return block;
  const text = Buffer.from(block.buffer, block.byteOffset, block.length).toString('latin1');
  // A line that begins with a blank continues the one before it.
  const redacted = text
    .split(/\n(?![ \t])/)
    .map(redactHeaderLine)
    .join('\n');
  return redacted === text ? block : Buffer.from(redacted, 'latin1');
}

type FieldKind = 'urlencoded' | 'multipart' | 'json';

function fieldKind(params: readonly Param[]): FieldKind | null {
  const { type } = parseMediaType(paramValue(params, 'CONTENT_TYPE'));
  if (type === 'application/x-www-form-urlencoded') return 'urlencoded';
  if (type === 'multipart/form-data') return 'multipart';
  return type === 'application/json' || type.endsWith('+json') ? 'json' : null;
}

function redactMultipart(body: Uint8Array, boundary: string): Uint8Array {
  const secret = multipartFields(body, boundary, Number.POSITIVE_INFINITY).filter(
    (part) => isSecretName(part.name) && part.to > part.from,
  );
  if (secret.length === 0) return body;
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const part of secret) {
    pieces.push(body.subarray(at, part.from), Buffer.from(REDACTED));
    at = part.to;
  }
  return Buffer.concat([...pieces, body.subarray(at)]);
}
