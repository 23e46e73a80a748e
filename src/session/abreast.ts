import { MICROSECONDS_PER_MILLISECOND, type Timestamp } from '../model/time.js';

/** Milliseconds that one goes on after another’s first byte, from which on they had a worker each: an end may be seen late. */
const ABREAST = 50;

/**
 * How many requests were worked on at once, among the last ones: one was answered while so many less one that had begun before it were
 * open. Each counts those that were open beside it; putting one in another's place costs a walk over all.
 */
export class Abreast {
  private readonly begins: Float64Array;
  private readonly ends: Float64Array;
  /** From when on an end is one of another worker; infinite for one whose answer nobody waited for. */
  private readonly answers: Float64Array;
  /** Those that were open beside each. */
  private readonly beside: Uint16Array;

  constructor(private readonly size: number) {
    this.begins = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
    this.ends = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
    this.answers = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
    this.beside = new Uint16Array(size);
  }

  /** @param first null for one whose answer came when nobody waited for it any more */
  replace(at: number, begin: Timestamp, first: Timestamp | null, end: Timestamp): void {
    const { begins, ends, answers, beside, size } = this;
    const oldBegin = begins[at]!;
    const oldEnd = ends[at]!;
    const answer = first === null ? Number.POSITIVE_INFINITY : first + ABREAST * MICROSECONDS_PER_MILLISECOND;
    begins[at] = begin;
    ends[at] = end;
    answers[at] = answer;
    let own = 0;
    for (let i = 0; i < size; i += 1) {
      if (i === at) continue;
      const other = begins[i]!;
      const its = answers[i]!;
      if (oldBegin < other && oldEnd > its) beside[i]! -= 1;
      if (begin < other && end > its) beside[i]! += 1;
      if (other < begin && ends[i]! > answer) own += 1;
    }
    beside[at] = own;
  }

  most(): number {
    let most = 0;
    for (let i = 0; i < this.size; i += 1) if (this.beside[i]! > most) most = this.beside[i]!;
    return most + 1;
  }
}
