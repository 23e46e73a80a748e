import { concatBytes, NO_BYTES } from '../../model/bytes.js';
import type { Timestamp } from '../../model/time.js';
import { visibleBytes } from '../../model/visible-text.js';
import { FOREIGN_HEAD, type ForeignProtocol, foreignMessage } from './foreign-protocol.js';
import type { RecordSink } from './record-event.js';

/** A place where a decoder got out of step, until it is in step again: then what was passed over is told in one problem. */
export class LostStep {
  /**
   * The first byte after what was not captured, else null. A capture goes on with a packet, and most packets begin with a record: what
   * looks like one there needs less to be believed.
   */
  resumed: number | null;
  #head: Uint8Array = NO_BYTES;

  /**
   * @param offset of the first byte that may belong to no record
   * @param at when that byte arrived; null before there is one
   */
  constructor(
    readonly code: 'lost-framing' | 'foreign-protocol' | 'midstream-start',
    readonly offset: number,
    public at: Timestamp | null,
    readonly cause: string,
  ) {
    this.resumed = code === 'midstream-start' ? offset : null;
  }

  /** The next bytes that arrive. From the start in the middle on they may show that this is something else altogether. */
  see(bytes: Uint8Array, at: Timestamp): void {
    this.at ??= at;
    if (this.code !== 'midstream-start' || this.#head.length >= FOREIGN_HEAD) return;
    this.#head = concatBytes([this.#head, bytes.subarray(0, FOREIGN_HEAD - this.#head.length)]);
  }

  /** In step again at `offset`. */
  tellFound(sink: RecordSink, offset: number): void {
    this.#tell(sink, offset, this.code, this.cause, `records begin again at offset ${offset}`);
  }

  /** The stream ended at `offset`, and no record was found. */
  tellEnd(sink: RecordSink, offset: number): void {
    const foreign = foreignMessage(this.#head);
    const code = foreign === null ? this.code : 'foreign-protocol';
    const cause =
      foreign === null
        ? this.cause
        : `${this.cause}, with ${foreign.words} ("${visibleBytes(this.#head.subarray(0, SHOWN))}")`;
    this.#tell(sink, offset, code, cause, 'no further record was found until the stream ended');
  }

  #tell(sink: RecordSink, offset: number, code: LostStep['code'], cause: string, outcome: string): void {
    const length = offset - this.offset;
    if (length === 0) return;
    const message = `${cause}; ${bytesInWords(length)} belong to no record, and ${outcome}`;
    sink({ kind: 'problem', code, at: this.at ?? 0, offset: this.offset, length, message });
  }
}

const SHOWN = 16;

/** What stands where a header should be. */
export function notARecord(head: Uint8Array, foreign: ForeignProtocol | null): string {
  if (foreign !== null)
    return `the stream begins with ${foreign.words} ("${visibleBytes(head)}"), not with a FastCGI record`;
  const shown = Array.from(head, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `${shown} is no record header`;
}

export function bytesInWords(count: number): string {
  return count === 1 ? '1 byte' : `${count} bytes`;
}
