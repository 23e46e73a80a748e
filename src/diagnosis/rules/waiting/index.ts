import type { Rule } from '../../rule.js';
import { clientAbort } from './client-abort.js';

/** Somebody waited too long, or went away. In the order in which they are asked. */
export const WAITING: readonly Rule[] = [clientAbort];
