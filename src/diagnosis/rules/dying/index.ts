import type { Rule } from '../../rule.js';
import { crashMidResponse } from './crash-mid-response.js';
import { eofBeforeAnyByte } from './eof-before-any-byte.js';
import { partialRequestPinsWorker } from './partial-request-pins-worker.js';
import { peerNotAllowed } from './peer-not-allowed.js';
import { rstBeforeAnyByte } from './rst-before-any-byte.js';
import { silentAfterAccept } from './silent-after-accept.js';
import { terminateTimeout } from './terminate-timeout.js';

/** The connection ended, or stood still, before the request was answered. In the order in which they are asked. */
export const DYING: readonly Rule[] = [
  peerNotAllowed,
  partialRequestPinsWorker,
  terminateTimeout,
  silentAfterAccept,
  crashMidResponse,
  rstBeforeAnyByte,
  eofBeforeAnyByte,
];
