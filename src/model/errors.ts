/**
 * What the environment or the flags got wrong. Never thrown for what came over the wire: that is data (architecture: errors).
 * The codes are stable; tests and scripts may match on them.
 */
export type ErrorCode =
  | 'usage'
  | 'bad-address'
  | 'bad-filter'
  | 'address-in-use'
  | 'permission'
  | 'not-found'
  | 'unsupported'
  | 'io';

export class FcgiInspectError extends Error {
  override readonly name = 'FcgiInspectError';

  /**
   * @param code what kind of mistake it is
   * @param message one line: what is wrong and where
   * @param advice one line: what to try
   */
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly advice: string | null = null,
  ) {
    super(message);
  }
}

/** Closes an exhaustive switch: a new member of a union makes the call a compile error. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
