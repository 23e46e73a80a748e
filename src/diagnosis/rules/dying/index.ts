import type { Rule } from '../../rule.js';
import { crashMidResponse } from './crash-mid-response.js';
import { eofBeforeAnyByte } from './eof-before-any-byte.js';
import { rstBeforeAnyByte } from './rst-before-any-byte.js';

/** The backend ended the connection before the request was answered. In the order in which they are asked. */
export const DYING: readonly Rule[] = [rstBeforeAnyByte, eofBeforeAnyByte, crashMidResponse];
