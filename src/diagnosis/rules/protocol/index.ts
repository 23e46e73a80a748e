import type { Rule } from '../../rule.js';
import { backendSpeaksHttp } from './backend-speaks-http.js';
import { cantMpxConn } from './cant-mpx-conn.js';
import { captureIncomplete } from './capture-incomplete.js';
import { managementRecordProblems } from './management-record-problems.js';
import { nonzeroAppStatus } from './nonzero-app-status.js';
import { overloaded } from './overloaded.js';
import { paddingOrLengthError } from './padding-or-length-error.js';
import { peerSpeaksNotFastcgi } from './peer-speaks-not-fastcgi.js';
import { truncatedRecord } from './truncated-record.js';
import { unknownProtocolStatus } from './unknown-protocol-status.js';
import { unknownRecordType } from './unknown-record-type.js';
import { unknownRole } from './unknown-role.js';
import { versionMismatch } from './version-mismatch.js';
import { wrongRequestId } from './wrong-request-id.js';

/** What is spoken is not FastCGI, or not as the specification says. In the order in which they are asked. */
export const PROTOCOL: readonly Rule[] = [
  peerSpeaksNotFastcgi,
  backendSpeaksHttp,
  versionMismatch,
  wrongRequestId,
  unknownRecordType,
  managementRecordProblems,
  paddingOrLengthError,
  overloaded,
  cantMpxConn,
  unknownRole,
  unknownProtocolStatus,
  truncatedRecord,
  nonzeroAppStatus,
  captureIncomplete,
];
