import type { Rule } from '../../rule.js';
import { finishRequestBlocksConnection } from './finish-request-blocks-connection.js';
import { keepConnIgnored } from './keep-conn-ignored.js';
import { keepaliveDesync } from './keepalive-desync.js';
import { keepaliveIdleCloseRace } from './keepalive-idle-close-race.js';
import { keepaliveKilledByTerminateTimeout } from './keepalive-killed-by-terminate-timeout.js';
import { keepaliveMaxRequests } from './keepalive-max-requests.js';
import { keepalivePinsWorker } from './keepalive-pins-worker.js';
import { multiplexMixup } from './multiplex-mixup.js';

/** What only happens on kept connections, and where requests share one. In the order in which they are asked. */
export const KEEPALIVE: readonly Rule[] = [
  keepaliveIdleCloseRace,
  keepaliveDesync,
  multiplexMixup,
  keepalivePinsWorker,
  finishRequestBlocksConnection,
  keepaliveMaxRequests,
  keepaliveKilledByTerminateTimeout,
  keepConnIgnored,
];
