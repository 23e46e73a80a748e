import type { Recording } from './recording.js';
import { FAILURES } from './stories/failures.js';
import { HAPROXY } from './stories/haproxy.js';
import { LINK_LAYERS } from './stories/link-layers.js';
import { NGINX } from './stories/nginx.js';
import { ROLES } from './stories/roles.js';
import { WEB_SERVERS } from './stories/web-servers.js';

export const RECORDINGS: readonly Recording[] = [
  ...NGINX,
  ...WEB_SERVERS,
  ...HAPROXY,
  ...ROLES,
  ...FAILURES,
  ...LINK_LAYERS,
];
