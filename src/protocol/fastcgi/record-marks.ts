import type { Side } from '../../model/connection.js';
import type { Problem, ProblemCode } from '../../model/exchange.js';
import { HEADER_LENGTH, recordTypeName } from './constants.js';
import { recordTypeCode, type WholeRecord } from './record-entry.js';
import type { RecordEvent } from './record-event.js';

/** What a decoder says of bytes. */
export type Remark = Extract<RecordEvent, { kind: 'problem' }>;

/**
 * What is wrong with the record at hand. Some of it a decoder has remarked before it gave the record, the rest the tracker adds; when
 * the record has found its place, all of it goes there. Nearly always there is nothing, so nothing is made before it is needed.
 */
export class RecordMarks {
  #marks: Problem[] = NOTHING;
  #client: Remark[] = NOTHING;
  #server: Remark[] = NOTHING;

  /** Whether a remark of this side waits for its record. */
  awaits(side: Side): boolean {
    return this.waiting(side).length > 0;
  }

  /** This side's remarks that wait. */
  waiting(side: Side): readonly Remark[] {
    return side === 'client' ? this.#client : this.#server;
  }

  /** Keeps a remark until the record, or the problem, that it is about. */
  keep(side: Side, remark: Remark): void {
    const kept = side === 'client' ? this.#client : this.#server;
    if (kept !== NOTHING) kept.push(remark);
    else if (side === 'client') this.#client = [remark];
    else this.#server = [remark];
  }

  /** Makes this side's remarks that lie in the record its marks. Returns those that lie elsewhere. */
  claim(side: Side, record: WholeRecord): readonly Remark[] {
    const end = record.offset + recordLength(record);
    const strays: Remark[] = [];
    for (const remark of this.release(side)) {
      if (remark.offset >= record.offset && remark.offset < end) this.add(asProblem(side, remark));
      else strays.push(remark);
    }
    return strays;
  }

  /** Takes this side's remarks out: their record will not come. */
  release(side: Side): readonly Remark[] {
    const kept = side === 'client' ? this.#client : this.#server;
    if (side === 'client') this.#client = NOTHING;
    else this.#server = NOTHING;
    return kept;
  }

  /** Marks the record at hand, all of it. */
  mark(side: Side, record: WholeRecord, code: ProblemCode, message: string): void {
    this.add({ code, at: record.at, side, offset: record.offset, length: recordLength(record), message });
  }

  markDirection(side: Side, record: WholeRecord): void {
    const sender = side === 'client' ? 'web server' : 'backend';
    this.mark(side, record, 'wrong-direction', `${typeName(record)} sent by the ${sender}`);
  }

  add(problem: Problem): void {
    if (this.#marks === NOTHING) this.#marks = [];
    this.#marks.push(problem);
  }

  /** The marks of the record at hand so far. */
  get marks(): readonly Problem[] {
    return this.#marks;
  }

  /** Takes the marks out: the record has found its place. */
  take(): readonly Problem[] {
    const marks = this.#marks;
    this.#marks = NOTHING;
    return marks;
  }
}

export function asProblem(side: Side, { code, at, offset, length, message }: Remark): Problem {
  return { code, at, side, offset, length, message };
}

export function typeName(record: WholeRecord): string {
  return recordTypeName(recordTypeCode(record));
}

function recordLength(record: WholeRecord): number {
  return HEADER_LENGTH + record.contentLength + record.paddingLength;
}

/** Shared by everything that is empty; never written to. */
const NOTHING: never[] = [];
