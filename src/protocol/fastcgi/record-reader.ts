import { NO_BYTES, u16, u32 } from '../../model/bytes.js';
import type { ProblemCode, StreamName } from '../../model/exchange.js';
import type { Timestamp } from '../../model/time.js';
import { HEADER_LENGTH, isKnownType, RecordType, recordTypeName, VERSION } from './constants.js';
import { fixedBodyLength } from './framing.js';
import type { RecordBase, RecordSink } from './record-event.js';

/**
 * Gives the record whose header is at `from` to the sink as an event, remarks on it first. The decoder has made sure that the header
 * is there and the content that was seen directly behind it, the missing bytes left out, or the beginning of it up to where `bytes` end.
 *
 * @param offset where the header is in the stream
 * @param at when its first byte arrived
 * @param missing how many content bytes were not seen
 * @param missingFrom where in the content they begin; contentLength when none are missing
 */
export function readRecord(
  sink: RecordSink,
  bytes: Uint8Array,
  from: number,
  offset: number,
  at: Timestamp,
  missing: number,
  missingFrom: number,
): void {
  const version = bytes[from]!;
  const type = bytes[from + 1]!;
  const requestId = u16(bytes, from + 2);
  const contentLength = u16(bytes, from + 4);
  const paddingLength = bytes[from + 6]!;
  const fixed = fixedBodyLength(type);
  if (version !== VERSION || bytes[from + 7] !== 0 || !isKnownType(type) || (fixed >= 0 && fixed !== contentLength)) {
    remarkOn(sink, bytes, from, offset, at);
  }
  const seen = Math.min(contentLength - missing, bytes.length - from - HEADER_LENGTH);
  // Not subarray, which would hand on the class of the chunk (a Buffer).
  const content = seen === 0 ? NO_BYTES : new Uint8Array(bytes.buffer, bytes.byteOffset + from + HEADER_LENGTH, seen);
  const stream = STREAM_OF_TYPE[type];
  // The fields are written out in each case: spreading a common part costs more than the rest of the decoder.
  if (stream) {
    sink({
      kind: 'stream',
      requestId,
      at,
      offset,
      version,
      contentLength,
      paddingLength,
      missing,
      missingFrom,
      stream,
      bytes: content,
    });
    return;
  }
  const base: RecordBase = { requestId, at, offset, version, contentLength, paddingLength, missing, missingFrom };
  if (type === RecordType.BEGIN_REQUEST && missingFrom >= BEGIN_FIELDS) {
    sink({ kind: 'begin-request', ...base, role: u16(content, 0), flags: content[2]!, bytes: content });
  } else if (type === RecordType.END_REQUEST && missingFrom >= END_FIELDS) {
    sink({ kind: 'end-request', ...base, appStatus: u32(content, 0), protocolStatus: content[4]!, bytes: content });
  } else if (type === RecordType.ABORT_REQUEST) {
    sink({ kind: 'abort-request', ...base, bytes: content });
  } else if (type === RecordType.GET_VALUES) {
    sink({ kind: 'management', ...base, type: 'get-values', bytes: content });
  } else if (type === RecordType.GET_VALUES_RESULT) {
    sink({ kind: 'management', ...base, type: 'get-values-result', bytes: content });
  } else if (type === RecordType.UNKNOWN_TYPE) {
    sink({ kind: 'management', ...base, type: 'unknown-type', bytes: content });
  } else {
    sink({ kind: 'unrecognised', ...base, type, bytes: content });
  }
}

/** How much of their bodies must be there to know the fields in use: role and flags; app and protocol status (sections 5.1, 5.5). */
const BEGIN_FIELDS = 3;
const END_FIELDS = 5;

const STREAM_OF_TYPE: readonly (StreamName | '')[] = [
  ...(['', '', '', ''] as const),
  'params',
  'stdin',
  'stdout',
  'stderr',
  'data',
];

function remarkOn(sink: RecordSink, bytes: Uint8Array, from: number, offset: number, at: Timestamp): void {
  const type = bytes[from + 1]!;
  const name = recordTypeName(type);
  const fixed = fixedBodyLength(type);
  const contentLength = u16(bytes, from + 4);
  const remark = (code: ProblemCode, message: string): void =>
    sink({ kind: 'problem', code, at, offset, length: HEADER_LENGTH, message, remark: true });
  if (bytes[from] !== VERSION) remark('bad-version', `the ${name} record has version ${bytes[from]}, not ${VERSION}`);
  if (bytes[from + 7] !== 0)
    remark('reserved-not-zero', `the ${name} record's reserved byte is ${bytes[from + 7]}, not 0`);
  if (!isKnownType(type)) remark('unknown-record-type', `${type} is no record type of the specification`);
  if (fixed >= 0 && fixed !== contentLength) {
    remark('bad-body-length', `the ${name} record has a body of ${contentLength} bytes, not ${fixed}`);
  }
}
