import type { StreamName } from '../../model/exchange.js';

/**
 * The FastCGI 1.0 specification's numbers, each with its section, and the words that stand for them above this floor. Names are the
 * specification's without the FCGI_ prefix. Numbers without a name stay visible: `type 200`, `unknown-7`.
 */

/** FCGI_VERSION_1 (section 8). */
export const VERSION = 1;

/** FCGI_HEADER_LEN: version, type, requestId (2), contentLength (2), paddingLength, reserved (section 3.3). */
export const HEADER_LENGTH = 8;

/** contentLength has two bytes, paddingLength one (section 3.3). */
export const MAX_CONTENT_LENGTH = 0xffff;
export const MAX_PADDING_LENGTH = 0xff;
export const MAX_RECORD_LENGTH = HEADER_LENGTH + MAX_CONTENT_LENGTH + MAX_PADDING_LENGTH;

/** BEGIN_REQUEST, END_REQUEST and UNKNOWN_TYPE have a body of eight bytes (sections 5.1, 5.5, 4.2). */
export const BODY_LENGTH = 8;

/** FCGI_NULL_REQUEST_ID marks a management record (section 3.3). */
export const NULL_REQUEST_ID = 0;

/** FCGI_BEGIN_REQUEST … FCGI_UNKNOWN_TYPE (section 8; management: section 4, application: section 5). */
export const RecordType = {
  BEGIN_REQUEST: 1,
  ABORT_REQUEST: 2,
  END_REQUEST: 3,
  PARAMS: 4,
  STDIN: 5,
  STDOUT: 6,
  STDERR: 7,
  DATA: 8,
  GET_VALUES: 9,
  GET_VALUES_RESULT: 10,
  UNKNOWN_TYPE: 11,
} as const;

/** FCGI_MAXTYPE (section 8). */
export const MAX_TYPE = RecordType.UNKNOWN_TYPE;

/** Mask for the flags of BEGIN_REQUEST: the application leaves the connection open (section 5.1). */
export const KEEP_CONN = 1;

/** Roles of BEGIN_REQUEST (section 6). */
export const Role = { RESPONDER: 1, AUTHORIZER: 2, FILTER: 3 } as const;

/** Protocol statuses of END_REQUEST (section 5.5). */
export const ProtocolStatus = { REQUEST_COMPLETE: 0, CANT_MPX_CONN: 1, OVERLOADED: 2, UNKNOWN_ROLE: 3 } as const;

/** Names that GET_VALUES may ask for (section 4.1). */
export const MAX_CONNS = 'FCGI_MAX_CONNS';
export const MAX_REQS = 'FCGI_MAX_REQS';
export const MPXS_CONNS = 'FCGI_MPXS_CONNS';

/** The record type that carries a stream (section 3.3, "Types of record types"). */
export const STREAM_TYPES: Readonly<Record<StreamName, number>> = {
  params: RecordType.PARAMS,
  stdin: RecordType.STDIN,
  stdout: RecordType.STDOUT,
  stderr: RecordType.STDERR,
  data: RecordType.DATA,
};

const TYPE_NAMES: readonly string[] = ['', ...Object.keys(RecordType)];
const ROLE_WORDS: readonly string[] = ['', 'responder', 'authorizer', 'filter'];
const STATUS_WORDS: readonly string[] = ['request-complete', 'cant-mpx-conn', 'overloaded', 'unknown-role'];

/** `BEGIN_REQUEST` … `UNKNOWN_TYPE`, else `type N`. */
export function recordTypeName(type: number): string {
  return isKnownType(type) ? TYPE_NAMES[type]! : `type ${type}`;
}

/** `responder`, `authorizer`, `filter`, else `unknown-N`. */
export function roleWord(role: number): string {
  return ROLE_WORDS[role] || `unknown-${role}`;
}

/** `request-complete`, `cant-mpx-conn`, `overloaded`, `unknown-role`, else `unknown-N`. */
export function protocolStatusWord(status: number): string {
  return STATUS_WORDS[status] ?? `unknown-${status}`;
}

export function isKnownType(type: number): boolean {
  return type >= RecordType.BEGIN_REQUEST && type <= MAX_TYPE;
}

/** Management records have request id 0 and a type of their own (section 4). */
export function isManagementType(type: number): boolean {
  return type >= RecordType.GET_VALUES && type <= RecordType.UNKNOWN_TYPE;
}
