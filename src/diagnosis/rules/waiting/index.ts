import type { Rule } from '../../rule.js';
import { clientAbort } from './client-abort.js';
import { missingEndRequestHang } from './missing-end-request-hang.js';
import { poolExhausted } from './pool-exhausted.js';
import { sendTimeout } from './send-timeout.js';
import { slowScript } from './slow-script.js';
import { stallMidResponse } from './stall-mid-response.js';
import { stdinStall } from './stdin-stall.js';
import { webServerAbortsResponse } from './web-server-aborts-response.js';

/** Somebody waited too long, or went away. In the order in which they are asked: who is left at the end has simply gone. */
export const WAITING: readonly Rule[] = [
  missingEndRequestHang,
  sendTimeout,
  stdinStall,
  poolExhausted,
  slowScript,
  stallMidResponse,
  webServerAbortsResponse,
  clientAbort,
];
