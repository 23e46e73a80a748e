import type { Rule } from '../../rule.js';
import { authorizerBodyOn200 } from './authorizer-body-on-200.js';
import { authorizerDenied } from './authorizer-denied.js';
import { authorizerFailOpen } from './authorizer-fail-open.js';
import { authorizerHangsOnStdin } from './authorizer-hangs-on-stdin.js';
import { authorizerVariableHeaders } from './authorizer-variable-headers.js';
import { filterDataLengthMismatch } from './filter-data-length-mismatch.js';

/** Authorizers and filters (specification sections 6.3 and 6.4). In the order in which they are asked. */
export const ROLES: readonly Rule[] = [
  authorizerFailOpen,
  authorizerHangsOnStdin,
  filterDataLengthMismatch,
  authorizerDenied,
  authorizerVariableHeaders,
  authorizerBodyOn200,
];
