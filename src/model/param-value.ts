import type { Param } from './exchange.js';

/** A param's value, null when it is not there. Of several the last one counts, as in PHP. */
export function paramValue(params: readonly Param[], name: string): string | null {
  return params.findLast((param) => param.name === name)?.value ?? null;
}
