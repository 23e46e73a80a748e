import type { Exchange, Param } from '../model/exchange.js';
import { paramValue } from '../model/param-value.js';

/**
 * What CONTENT_LENGTH says of the request body: bytes, `none` when it is absent or empty, `unusable` when it is no number of bytes (RFC
 * 3875 section 4.1.2). Several rules ask one after the other, so the last answer is kept.
 */
export function declaredLength({ params }: Pick<Exchange, 'params'>): number | 'none' | 'unusable' {
  if (params !== lastParams || params.length !== lastCount) {
    lastAnswer = read(paramValue(params, 'CONTENT_LENGTH'));
    lastParams = params;
    lastCount = params.length;
  }
  return lastAnswer;
}

/** Params are only ever added to a list, so that a list and its length tell whether they are the same. */
let lastParams: readonly Param[] | null = null;
let lastCount = 0;
let lastAnswer: number | 'none' | 'unusable' = 'none';

function read(value: string | null): number | 'none' | 'unusable' {
  if (value === null || value === '') return 'none';
  return /^\d{1,15}$/.test(value) ? Number(value) : 'unusable';
}
