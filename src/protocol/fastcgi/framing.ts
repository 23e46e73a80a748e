import { u16 } from '../../model/bytes.js';
import type { Side } from '../../model/connection.js';
import { BODY_LENGTH, HEADER_LENGTH, isKnownType, isManagementType, RecordType, VERSION } from './constants.js';

/**
 * What eight bytes must look like to be taken for a record header (specification section 3.3) while the decoder is out of step.
 * It is stricter than the decoder in step: a chain of two such headers comes up by chance once in some 10^14 places of random bytes,
 * while a real but odd record passed over costs no more than waiting for the next one.
 */
export function isPlausibleHeader(bytes: Uint8Array, at: number, side: Side, version: number): boolean {
  const first = bytes[at]!;
  return (first === VERSION || first === version) && isPlausibleApartFromVersion(bytes, at, side);
}

/** The first place from `from` on where a plausible header lies whole before `to`; if there is none, where less than a header is left. */
export function findPlausibleHeader(bytes: Uint8Array, from: number, to: number, side: Side, version: number): number {
  const last = to - HEADER_LENGTH;
  let at = from;
  for (; at <= last; at++) {
    const first = bytes[at];
    if ((first === VERSION || first === version) && isPlausibleApartFromVersion(bytes, at, side)) break;
  }
  return at;
}

export function isPlausibleApartFromVersion(bytes: Uint8Array, at: number, side: Side): boolean {
  const type = bytes[at + 1]!;
  if (bytes[at + 7] !== 0 || !isKnownType(type) || SENDER[type] !== side) return false;
  if ((u16(bytes, at + 2) === 0) !== isManagementType(type)) return false;
  const fixed = fixedBodyLength(type);
  return fixed < 0 || u16(bytes, at + 4) === fixed;
}

/** Header, content and padding of the record whose header is at `at`. */
export function recordLength(bytes: Uint8Array, at: number): number {
  return HEADER_LENGTH + u16(bytes, at + 4) + bytes[at + 6]!;
}

/** The content length that the specification gives a type (sections 4.2, 5.1, 5.4, 5.5), -1 where any will do. */
export function fixedBodyLength(type: number): number {
  switch (type) {
    case RecordType.BEGIN_REQUEST:
    case RecordType.END_REQUEST:
    case RecordType.UNKNOWN_TYPE:
      return BODY_LENGTH;
    case RecordType.ABORT_REQUEST:
      return 0;
    default:
      return -1;
  }
}

/** Who sends which type (section 8 lists them by direction), by type. */
const SENDER: readonly (Side | null)[] = [
  null,
  'client',
  'client',
  'server',
  'client',
  'client',
  'server',
  'server',
  'client',
  'client',
  'server',
  'server',
];
