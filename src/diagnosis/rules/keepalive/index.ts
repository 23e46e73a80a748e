import type { Rule } from '../../rule.js';

/** What only happens on kept connections, and where requests share one. In the order in which they are asked. */
export const KEEPALIVE: readonly Rule[] = [];
