import type { Rule } from '../rule.js';
import { CONNECTING } from './connecting/index.js';
import { DYING } from './dying/index.js';
import { KEEPALIVE } from './keepalive/index.js';
import { PHP } from './php/index.js';
import { PROTOCOL } from './protocol/index.js';
import { REQUEST } from './request/index.js';
import { RESPONSE } from './response/index.js';
import { ROLES } from './roles/index.js';
import { SECURITY } from './security/index.js';
import { WAITING } from './waiting/index.js';

/**
 * All rules, in the order in which they are asked: the connection first, then what an authorizer's silence opens, what was spoken, and
 * whether what was sent is complete, since that explains a backend that hangs up or waits; then how the backend ended it, what was said, and
 * who waited for whom. A response that cannot be passed on comes before those: web servers hang up on it.
 */
export const RULES: readonly Rule[] = [
  ...CONNECTING,
  ...ROLES,
  ...PROTOCOL,
  ...REQUEST,
  ...KEEPALIVE,
  ...DYING,
  ...PHP,
  ...RESPONSE,
  ...WAITING,
  ...SECURITY,
];
