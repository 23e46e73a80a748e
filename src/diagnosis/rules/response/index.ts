import type { Rule } from '../../rule.js';
import { bodyNotAllowed } from './body-not-allowed.js';
import { contentLengthInvalid } from './content-length-invalid.js';
import { contentLengthTooBig } from './content-length-too-big.js';
import { contentLengthTooSmall } from './content-length-too-small.js';
import { contentTypeMissing } from './content-type-missing.js';
import { encodingMismatch } from './encoding-mismatch.js';
import { endWithoutHeader } from './end-without-header.js';
import { haproxySplitHeaderCrash } from './haproxy-split-header-crash.js';
import { headerLineInvalid } from './header-line-invalid.js';
import { headerNotTerminated } from './header-not-terminated.js';
import { headerTooBig } from './header-too-big.js';
import { headersAlreadySent } from './headers-already-sent.js';
import { locationWithoutStatus } from './location-without-status.js';
import { recordsAfterEnd } from './records-after-end.js';
import { statusBad } from './status-bad.js';
import { statusLineNph } from './status-line-nph.js';
import { stdoutAfterEof } from './stdout-after-eof.js';
import { tooManyHeaders } from './too-many-headers.js';
import { transferEncodingFromApp } from './transfer-encoding-from-app.js';
import { xAccelRedirectMissing } from './x-accel-redirect-missing.js';
import { xSendfileMissing } from './x-sendfile-missing.js';

/** What came back is not what a web server can pass on. In the order in which they are asked. */
export const RESPONSE: readonly Rule[] = [
  haproxySplitHeaderCrash,
  endWithoutHeader,
  statusLineNph,
  headerLineInvalid,
  headerNotTerminated,
  headerTooBig,
  tooManyHeaders,
  statusBad,
  contentLengthInvalid,
  transferEncodingFromApp,
  encodingMismatch,
  bodyNotAllowed,
  contentLengthTooSmall,
  contentLengthTooBig,
  xAccelRedirectMissing,
  xSendfileMissing,
  headersAlreadySent,
  stdoutAfterEof,
  recordsAfterEnd,
  contentTypeMissing,
  locationWithoutStatus,
];
