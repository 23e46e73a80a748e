import type { Rule } from '../../rule.js';
import { backendNameUnknown } from './backend-name-unknown.js';
import { backendRestartGap } from './backend-restart-gap.js';
import { connectFailed } from './connect-failed.js';
import { connectRefusedTcp } from './connect-refused-tcp.js';
import { connectTimeout } from './connect-timeout.js';
import { localPortExhaustion } from './local-port-exhaustion.js';
import { noRespawnAfterMaxRequests } from './no-respawn-after-max-requests.js';
import { tcpBacklogFull } from './tcp-backlog-full.js';
import { unixBacklogFull } from './unix-backlog-full.js';
import { unixSocketMissing } from './unix-socket-missing.js';
import { unixSocketPermission } from './unix-socket-permission.js';
import { unixSocketStale } from './unix-socket-stale.js';

/** The backend cannot be reached, or not any more. In the order in which they are asked. */
export const CONNECTING: readonly Rule[] = [
  backendRestartGap,
  noRespawnAfterMaxRequests,
  connectRefusedTcp,
  unixSocketMissing,
  unixSocketStale,
  unixSocketPermission,
  unixBacklogFull,
  localPortExhaustion,
  backendNameUnknown,
  connectTimeout,
  connectFailed,
  tcpBacklogFull,
];
