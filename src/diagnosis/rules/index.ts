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
 * All rules, in the order in which they are asked: the connection first, then what was spoken, then who ended it, what was said, and who
 * waited for whom; last what does not fit together in what was passed.
 */
export const RULES: readonly Rule[] = [
  ...CONNECTING,
  ...PROTOCOL,
  ...KEEPALIVE,
  ...DYING,
  ...PHP,
  ...REQUEST,
  ...WAITING,
  ...RESPONSE,
  ...ROLES,
  ...SECURITY,
];
