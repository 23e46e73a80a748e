import type { Rule } from '../../rule.js';

/** What an attacker would do, or could. In the order in which they are asked. */
export const SECURITY: readonly Rule[] = [];
