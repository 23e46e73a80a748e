import type { Rule } from '../../rule.js';
import { backendNameUnknown } from './backend-name-unknown.js';
import { connectFailed } from './connect-failed.js';
import { connectRefusedTcp } from './connect-refused-tcp.js';
import { connectTimeout } from './connect-timeout.js';
import { localPortExhaustion } from './local-port-exhaustion.js';
import { unixBacklogFull } from './unix-backlog-full.js';
import { unixSocketMissing } from './unix-socket-missing.js';
import { unixSocketPermission } from './unix-socket-permission.js';
import { unixSocketStale } from './unix-socket-stale.js';

/** The backend cannot be reached. In the order in which they are asked. */
export const CONNECTING: readonly Rule[] = [
  connectRefusedTcp,
  unixSocketMissing,
  unixSocketStale,
  unixSocketPermission,
  unixBacklogFull,
  localPortExhaustion,
  backendNameUnknown,
  connectTimeout,
  connectFailed,
];
