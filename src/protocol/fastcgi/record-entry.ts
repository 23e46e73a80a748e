import type { Side } from '../../model/connection.js';
import { assertNever } from '../../model/errors.js';
import type { ProblemCode, RecordEntry } from '../../model/exchange.js';
import { KEEP_CONN, protocolStatusWord, RecordType, recordTypeName, roleWord, STREAM_TYPES } from './constants.js';
import { decodePairs } from './name-value.js';
import type { RecordEvent } from './record-event.js';

/** A record, as against a remark of the decoder. */
export type WholeRecord = Exclude<RecordEvent, { kind: 'problem' }>;

/** The line of the timeline that stands for a record. `streamOffset` is null for one that is in no stream. */
export function recordEntry(
  record: WholeRecord,
  side: Side,
  index: number,
  streamOffset: number | null,
  problems: readonly ProblemCode[],
): RecordEntry {
  const typeCode = recordTypeCode(record);
  return {
    index,
    at: record.at,
    side,
    type: recordTypeName(typeCode),
    typeCode,
    version: record.version,
    requestId: record.requestId,
    offset: record.offset,
    contentLength: record.contentLength,
    paddingLength: record.paddingLength,
    missing: record.missing,
    streamOffset,
    problems,
    summary: summary(record),
  };
}

/** The number of its type (specification section 8). */
export function recordTypeCode(record: WholeRecord): number {
  switch (record.kind) {
    case 'begin-request':
      return RecordType.BEGIN_REQUEST;
    case 'abort-request':
      return RecordType.ABORT_REQUEST;
    case 'end-request':
      return RecordType.END_REQUEST;
    case 'stream':
      return STREAM_TYPES[record.stream];
    case 'management':
      return MANAGEMENT_TYPES[record.type];
    case 'unrecognised':
      return record.type;
    default:
      return assertNever(record);
  }
}

const MANAGEMENT_TYPES = {
  'get-values': RecordType.GET_VALUES,
  'get-values-result': RecordType.GET_VALUES_RESULT,
  'unknown-type': RecordType.UNKNOWN_TYPE,
} as const;

/** Capability queries name three variables (section 4.1); more is somebody's joke. */
const VALUES_SHOWN = 8;

function summary(record: WholeRecord): string {
  switch (record.kind) {
    case 'begin-request':
      return `role ${roleWord(record.role)}${record.flags & KEEP_CONN ? ', keep' : ''}${otherFlags(record.flags)}`;
    case 'end-request':
      return `app status ${record.appStatus}, ${protocolStatusWord(record.protocolStatus).replaceAll('-', ' ')}`;
    case 'management':
      // UNKNOWN_TYPE's first byte is the type that was not understood (section 4.2).
      if (record.type === 'unknown-type') return record.bytes.length > 0 ? `type ${record.bytes[0]}` : '';
      return values(record.bytes);
    default:
      return '';
  }
}

function otherFlags(flags: number): string {
  const others = flags & ~KEEP_CONN;
  return others === 0 ? '' : `, flags 0x${others.toString(16)}`;
}

function values(bytes: Uint8Array): string {
  const { params } = decodePairs(bytes);
  const shown = params.slice(0, VALUES_SHOWN).map(({ name, value }) => (value === '' ? name : `${name}=${value}`));
  return shown.join(', ') + (params.length > VALUES_SHOWN ? ', …' : '');
}
