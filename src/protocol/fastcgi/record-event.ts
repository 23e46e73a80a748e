import type { ProblemCode, StreamName } from '../../model/exchange.js';
import type { Timestamp } from '../../model/time.js';

/**
 * Waist 2, private to the protocol: the decoder of one direction tells the tracker. One event per whole record, so that events do not
 * depend on how the bytes were chunked (only `at` does). `bytes` is borrowed until the sink returns.
 */
export interface RecordBase {
  readonly requestId: number;
  /** When the record's first byte arrived. */
  readonly at: Timestamp;
  /** Where its header begins in this direction's stream. */
  readonly offset: number;
  readonly version: number;
  readonly contentLength: number;
  readonly paddingLength: number;
  /** Content bytes that were announced and not seen: a capture gap, or the stream ended. The content that was seen is in `bytes`. */
  readonly missing: number;
  /** Where in the content the missing bytes begin; equals contentLength when none are missing. */
  readonly missingFrom: number;
}

export type RecordEvent =
  | (RecordBase & {
      readonly kind: 'begin-request';
      readonly role: number;
      readonly flags: number;
      readonly bytes: Uint8Array;
    })
  | (RecordBase & { readonly kind: 'abort-request'; readonly bytes: Uint8Array })
  | (RecordBase & {
      readonly kind: 'end-request';
      readonly appStatus: number;
      readonly protocolStatus: number;
      readonly bytes: Uint8Array;
    })
  /** `bytes` holds the content that was seen, the parts before and after a gap joined; contentLength 0 ends the stream. */
  | (RecordBase & { readonly kind: 'stream'; readonly stream: StreamName; readonly bytes: Uint8Array })
  | (RecordBase & {
      readonly kind: 'management';
      readonly type: 'get-values' | 'get-values-result' | 'unknown-type';
      readonly bytes: Uint8Array;
    })
  | (RecordBase & { readonly kind: 'unrecognised'; readonly type: number; readonly bytes: Uint8Array })
  /** Bytes that belong to no record, or a remark on the record that follows; `length` bytes of this direction from `offset`. */
  | {
      readonly kind: 'problem';
      readonly code: ProblemCode;
      readonly at: Timestamp;
      readonly offset: number;
      readonly length: number;
      readonly message: string;
    };

export type RecordSink = (event: RecordEvent) => void;
