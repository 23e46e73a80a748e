import type { Rule } from '../rule.js';
import { backendNameUnknown } from './backend-name-unknown.js';
import { backendSpeaksHttp } from './backend-speaks-http.js';
import { clientAbort } from './client-abort.js';
import { connectFailed } from './connect-failed.js';
import { connectRefusedTcp } from './connect-refused-tcp.js';
import { connectTimeout } from './connect-timeout.js';
import { crashMidResponse } from './crash-mid-response.js';
import { endWithoutHeader } from './end-without-header.js';
import { eofBeforeAnyByte } from './eof-before-any-byte.js';
import { headerNotTerminated } from './header-not-terminated.js';
import { localPortExhaustion } from './local-port-exhaustion.js';
import { peerSpeaksNotFastcgi } from './peer-speaks-not-fastcgi.js';
import { phpFatal } from './php-fatal.js';
import { primaryScriptUnknown } from './primary-script-unknown.js';
import { requestRejected } from './request-rejected.js';
import { rstBeforeAnyByte } from './rst-before-any-byte.js';
import { stderrNoise } from './stderr-noise.js';
import { unixBacklogFull } from './unix-backlog-full.js';
import { unixSocketMissing } from './unix-socket-missing.js';
import { unixSocketPermission } from './unix-socket-permission.js';
import { unixSocketStale } from './unix-socket-stale.js';

/** All rules, in the order in which they are asked: the connection first, then who ended it, then what was said. */
export const RULES: readonly Rule[] = [
  connectRefusedTcp,
  unixSocketMissing,
  unixSocketStale,
  unixSocketPermission,
  unixBacklogFull,
  localPortExhaustion,
  backendNameUnknown,
  connectTimeout,
  connectFailed,
  peerSpeaksNotFastcgi,
  backendSpeaksHttp,
  ...requestRejected,
  clientAbort,
  rstBeforeAnyByte,
  eofBeforeAnyByte,
  crashMidResponse,
  endWithoutHeader,
  headerNotTerminated,
  primaryScriptUnknown,
  phpFatal,
  stderrNoise,
];
