import type { Rule } from '../../rule.js';

/** Authorizers and filters. In the order in which they are asked. */
export const ROLES: readonly Rule[] = [];
