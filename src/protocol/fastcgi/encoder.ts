import { concatBytes, NO_BYTES } from '../../model/bytes.js';
import type { StreamName } from '../../model/exchange.js';
import {
  BODY_LENGTH,
  HEADER_LENGTH,
  MAX_CONTENT_LENGTH,
  NULL_REQUEST_ID,
  RecordType,
  STREAM_TYPES,
  VERSION,
} from './constants.js';
import { encodePairs, type Pair } from './name-value.js';

/**
 * Records to bytes: the decoder's inverse, for whoever plays a web server or an application. It writes what it is told, also what no
 * peer should send (any type, any version, a header that says more than follows), because an inspector is tested with that.
 */
export interface RecordFields {
  readonly type: number;
  readonly requestId: number;
  /** At most 65 535 bytes. */
  readonly content?: Uint8Array;
  /** How many zero bytes follow the content, at most 255. */
  readonly padding?: number;
  readonly version?: number;
  readonly reserved?: number;
}

export interface StreamLayout {
  /** Content bytes of each record at most; 65 535 unless told. */
  readonly recordLength?: number;
  /** Pad every record to a multiple of this many bytes, as nginx and PHP-FPM do with 8; 1 (none) unless told. */
  readonly alignment?: number;
  /** Close the stream with its empty record; true unless told. */
  readonly close?: boolean;
}

/** One record (specification section 3.3). Throws a RangeError when a field does not fit its bytes. */
export function encodeRecord(fields: RecordFields): Uint8Array {
  const { type, requestId, content = NO_BYTES, padding = 0, version = VERSION, reserved = 0 } = fields;
  checkField('version', version, 0xff);
  checkField('type', type, 0xff);
  checkField('requestId', requestId, 0xffff);
  checkField('contentLength', content.length, MAX_CONTENT_LENGTH);
  checkField('paddingLength', padding, 0xff);
  checkField('reserved', reserved, 0xff);
  const record = new Uint8Array(HEADER_LENGTH + content.length + padding);
  record[0] = version;
  record[1] = type;
  record[2] = requestId >> 8;
  record[3] = requestId & 0xff;
  record[4] = content.length >> 8;
  record[5] = content.length & 0xff;
  record[6] = padding;
  record[7] = reserved;
  record.set(content, HEADER_LENGTH);
  return record;
}

/** Section 5.1. */
export function encodeBeginRequest(requestId: number, role: number, flags = 0): Uint8Array {
  const content = new Uint8Array(BODY_LENGTH);
  content[0] = (role >> 8) & 0xff;
  content[1] = role & 0xff;
  content[2] = flags;
  return encodeRecord({ type: RecordType.BEGIN_REQUEST, requestId, content });
}

/** Section 5.4. */
export function encodeAbortRequest(requestId: number): Uint8Array {
  return encodeRecord({ type: RecordType.ABORT_REQUEST, requestId });
}

/** Section 5.5. The app status is 32 bits wide; negative ones are written as two's complement. */
export function encodeEndRequest(requestId: number, appStatus: number, protocolStatus: number): Uint8Array {
  const content = new Uint8Array(BODY_LENGTH);
  content[0] = (appStatus >>> 24) & 0xff;
  content[1] = (appStatus >>> 16) & 0xff;
  content[2] = (appStatus >>> 8) & 0xff;
  content[3] = appStatus & 0xff;
  content[4] = protocolStatus;
  return encodeRecord({ type: RecordType.END_REQUEST, requestId, content });
}

/** A stream's content in as many records as it takes, and the empty record that ends it (section 3.3). */
export function encodeStream(
  stream: StreamName,
  requestId: number,
  content: Uint8Array,
  layout: StreamLayout = {},
): Uint8Array {
  const { recordLength = MAX_CONTENT_LENGTH, alignment = 1, close = true } = layout;
  checkField('recordLength', recordLength - 1, MAX_CONTENT_LENGTH - 1);
  const type = STREAM_TYPES[stream];
  const records: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += recordLength) {
    const part = content.subarray(at, at + recordLength);
    const padding = (alignment - (part.length % alignment)) % alignment;
    records.push(encodeRecord({ type, requestId, content: part, padding }));
  }
  if (close) records.push(encodeRecord({ type, requestId }));
  return concatBytes(records);
}

/** The PARAMS stream of a request (section 5.2). */
export function encodeParams(requestId: number, pairs: readonly Pair[], layout: StreamLayout = {}): Uint8Array {
  return encodeStream('params', requestId, encodePairs(pairs), layout);
}

/** Section 4.1: the web server asks for variables by name. */
export function encodeGetValues(names: readonly string[]): Uint8Array {
  const content = encodePairs(names.map((name): Pair => [name, '']));
  return encodeRecord({ type: RecordType.GET_VALUES, requestId: NULL_REQUEST_ID, content });
}

/** Section 4.1: the application's answer, without the names that it does not know. */
export function encodeGetValuesResult(pairs: readonly Pair[]): Uint8Array {
  return encodeRecord({ type: RecordType.GET_VALUES_RESULT, requestId: NULL_REQUEST_ID, content: encodePairs(pairs) });
}

/** Section 4.2: the application's answer to a management record whose type it does not know. */
export function encodeUnknownType(type: number): Uint8Array {
  const content = new Uint8Array(BODY_LENGTH);
  content[0] = type;
  return encodeRecord({ type: RecordType.UNKNOWN_TYPE, requestId: NULL_REQUEST_ID, content });
}

function checkField(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`${name} ${value} is not between 0 and ${max}`);
  }
}
