import type { Rule } from '../../rule.js';
import { endWithoutHeader } from './end-without-header.js';
import { headerNotTerminated } from './header-not-terminated.js';

/** What came back is not what a web server can pass on. In the order in which they are asked. */
export const RESPONSE: readonly Rule[] = [endWithoutHeader, headerNotTerminated];
