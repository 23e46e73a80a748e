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
  /**
   * Content bytes that were announced and not seen: a capture gap, or the stream ended. The content that was seen is in `bytes`.
   * Several gaps in one record count as one from the first to the last: what was seen between them is given up.
   */
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
  /**
   * `bytes` holds the content that was seen, the parts before and after a gap joined; contentLength 0 ends the stream. Of a record that
   * came in pieces it may be only the beginning, as much as was wanted: then there are more than `bytes.length` that are not missing.
   */
  | (RecordBase & { readonly kind: 'stream'; readonly stream: StreamName; readonly bytes: Uint8Array })
  | (RecordBase & {
      readonly kind: 'management';
      readonly type: 'get-values' | 'get-values-result' | 'unknown-type';
      readonly bytes: Uint8Array;
    })
  | (RecordBase & { readonly kind: 'unrecognised'; readonly type: number; readonly bytes: Uint8Array })
  /** `length` bytes of this direction from `offset`: bytes that belong to no record, or (`remark`) a remark. */
  | {
      readonly kind: 'problem';
      readonly code: ProblemCode;
      readonly at: Timestamp;
      readonly offset: number;
      readonly length: number;
      readonly message: string;
      /**
       * Present when the range belongs to a record or to another problem as well, as a rule to the one that follows (a gap, an unknown
       * type, a record cut short). Records and the problems without it cover every offset of the direction exactly once.
       */
      readonly remark?: true;
    };

export type RecordSink = (event: RecordEvent) => void;
