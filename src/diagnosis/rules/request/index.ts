import type { Rule } from '../../rule.js';

/** What the web server sent, or did not. In the order in which they are asked. */
export const REQUEST: readonly Rule[] = [];
