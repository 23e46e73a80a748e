import { advanced, distance, REACH } from './sequence.js';

/**
 * Strategy: one direction of a TCP connection. What is in order never comes here; what is not waits as copies, sorted, without overlaps
 * (the first copy of a byte wins), until the bytes before it come or are given up. A FIN or RST waits in the same row as an entry
 * without bytes, so that it cannot overtake what was sent before it.
 */

/** What waits for bytes before it: a part of a segment, or with `end` the end of the stream. */
export interface Waiting {
  readonly sequence: number;
  readonly bytes: Uint8Array;
  readonly end: 'fin' | 'reset' | null;
  readonly origin: number;
  readonly at: number;
  /** Which packet of the connection brought it, counted. */
  readonly count: number;
  /** What its sender had received of the other direction; null when that says nothing about the order of the two. */
  readonly acknowledgement: number | null;
}

/** `new`: nothing is known. `settling`: joined under way, where it begins is not yet decided. */
type State = 'new' | 'settling' | 'open' | 'ended';

/** Twice the largest window TCP can have (RFC 7323, section 2.3: 2**30) would be half the circle; what lies further ahead is no part of this connection. */
export const AHEAD_LIMIT = 2 ** 30;
/** Of so many gaps it is known where they were. */
const GAPS_LIMIT = 16;

interface Gap {
  readonly from: number;
  readonly to: number;
}

/** A reset whose number is not the one that is due: a receiver ignores it (RFC 5961, section 3.2), unless the capture lacks what lies between. */
export interface DoubtfulReset {
  readonly sequence: number;
  readonly acknowledgement: number | null;
  readonly at: number;
  readonly count: number;
  /** Up to where the other side had spoken. */
  readonly heard: number;
}

export class StreamAssembler {
  state: State = 'new';
  /** The SYN, or what proves its number, was seen: the first byte is the stream's first. */
  fromStart = false;
  synSeen = false;
  /** The number of the SYN; while no SYN was seen it is guessed from the first byte, or from what came first. */
  initial = 0;
  /** Only while `open` or `ended`: the next byte to deliver. */
  next = 0;
  delivered = false;
  /** Sorted by sequence, without overlaps, none of them before `next`. */
  readonly waiting: Waiting[] = [];
  waitingBytes = 0;
  /**
   * Up to where bytes are known to have passed, captured or not: the other side has acknowledged them, or the snap length cut them.
   * It counts only while `covered`: then it lies ahead of `next`, and `coveredCount` and `coveredAt` say since when. (Long after that it
   * may seem to, as the numbers go round.) While `settling` the two say since when that is.
   */
  passed = 0;
  covered = false;
  coveredCount = 0;
  coveredAt = 0;
  /** `passed` rests on a packet that was cut, so bytes are missing for certain. */
  cut = false;
  /** A single number was acknowledged that never came, and nothing after it did: it was a FIN. */
  finMissed = false;
  /** The highest acknowledgement of the other side, when `acknowledged`. */
  acked = 0;
  acknowledged = false;
  /** An acknowledgement that was too far away to be believed alone. */
  doubted: number | null = null;
  doubtfulReset: DoubtfulReset | null = null;
  /** Which packet, counted and by time, brought what was delivered last of what came here. */
  heardCount = 0;
  heardAt = Number.NEGATIVE_INFINITY;
  /** Segments that belong nowhere, and their bytes, since that was asked last. */
  discards = 0;
  discardedBytes = 0;
  /** Most streams have none. */
  #gaps: Gap[] | null = null;
  /** The number of the FIN or RST, when `endKnown`. */
  endAt = 0;
  endKnown = false;

  /** The SYN's number is known: the first byte is `first`. */
  begin(first: number, syn: boolean): void {
    this.synSeen ||= syn;
    if (this.state === 'open' || this.state === 'ended') {
      if (distance(this.initial, first) === 1) this.fromStart = true;
      else if (!this.delivered) this.next = first;
      else return;
    } else this.next = first;
    this.initial = advanced(first, -1);
    this.fromStart = true;
    if (this.state !== 'ended') this.state = 'open';
    this.#dropBefore();
  }

  /** Joined under way, at `sequence`. */
  join(sequence: number): void {
    this.next = sequence;
    this.initial = advanced(sequence, -1);
    this.state = 'open';
  }

  /** Without a SYN: the earliest byte that came so far is the first. */
  settle(): void {
    this.join(this.waiting[0]?.sequence ?? this.next);
  }

  /** Whether a number can be believed: it is not far from where the stream is, or from what the other side has acknowledged. */
  isNear(sequence: number): boolean {
    if (this.state === 'new') return !this.acknowledged || within(this.acked, sequence);
    if (this.state === 'settling') return within(this.initial, sequence);
    if (within(this.next, sequence)) return true;
    return this.isAhead(sequence) && this.acknowledged && within(this.acked, sequence);
  }

  /** Whether a number can be one that is yet to come. */
  isAhead(sequence: number): boolean {
    if (this.state === 'new') return true;
    const ahead = distance(this.state === 'settling' ? this.initial : this.next, sequence);
    return ahead > 0 && ahead <= AHEAD_LIMIT;
  }

  /** Takes a far number for true when an acknowledgement near it was doubted before. */
  believes(sequence: number): boolean {
    const { doubted } = this;
    if (doubted === null || doubted === sequence || !within(doubted, sequence) || !this.isAhead(sequence)) return false;
    this.doubted = null;
    this.reach(sequence);
    return true;
  }

  /** The stream is known to have come as far as this. */
  reach(sequence: number): void {
    this.acked = sequence;
    this.acknowledged = true;
  }

  /** A segment of which `bytes` belong nowhere. */
  discard(bytes: number): void {
    this.discards += 1;
    this.discardedBytes += bytes;
  }

  /** How many bytes are missing before what waits; 0 when nothing waits or nothing is missing. */
  get hole(): number {
    const head = this.waiting[0];
    return head === undefined ? 0 : Math.max(0, distance(this.next, head.sequence));
  }

  /** The bytes up to `to` are told as missing. */
  giveUp(to: number): void {
    this.#gaps ??= [];
    if (this.#gaps.length >= GAPS_LIMIT) this.#gaps.shift();
    this.#gaps.push({ from: this.next, to });
    this.progress(to);
  }

  /**
   * Forgets what waits behind a hole when the sender has long gone on before it: a stray, as what is really missing would have been sent
   * again or acknowledged. Whether it was one.
   */
  dropStray(patience: number, time: number): boolean {
    const { waiting } = this;
    const stray = waiting.every(({ count, at }) => this.heardCount - count > patience || this.heardAt - at > time);
    if (!stray || waiting.length === 0) return false;
    for (const { end, bytes } of waiting) {
      this.discard(bytes.length);
      if (end !== null) this.endKnown = false;
    }
    this.clear();
    return true;
  }

  /** Everything before `next` has been delivered or given up. */
  progress(next: number): void {
    this.next = next;
    this.delivered = true;
    if (this.covered && distance(next, this.passed) > 0) return;
    this.covered = false;
    this.cut = false;
  }

  /** Bytes up to `sequence` have passed, as is known since now. */
  cover(sequence: number, count: number, at: number): void {
    if (this.state !== 'open') return;
    const limit = this.endKnown && distance(this.endAt, sequence) > 0 ? this.endAt : sequence;
    const ahead = distance(this.next, limit);
    if (ahead <= 0 || ahead > AHEAD_LIMIT || (ahead === 1 && this.finMissed)) return;
    if (!this.covered) {
      this.covered = true;
      this.passed = limit;
      this.coveredCount = count;
      this.coveredAt = at;
    } else if (distance(this.passed, limit) > 0) this.passed = limit;
  }

  /** The other side has received everything before `sequence`. */
  acknowledge(sequence: number, count: number, at: number): void {
    if (!this.acknowledged || distance(this.acked, sequence) > 0) this.acked = sequence;
    this.acknowledged = true;
    this.cover(sequence, count, at);
  }

  /**
   * Takes in a segment of which bytes[from, to) were captured; copies what is new. The origin is that of the first byte.
   */
  add(
    sequence: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    origin: number,
    at: number,
    count: number,
    acknowledgement: number | null,
  ): void {
    this.#meet(sequence, count, at);
    let start = sequence;
    let end = advanced(sequence, to - from);
    if (this.state === 'open' && distance(start, this.next) > 0) {
      this.late(start, end);
      start = this.next;
    }
    if (this.endKnown && distance(this.endAt, end) > 0) {
      this.discard(Math.min(to - from, distance(this.endAt, end)));
      end = this.endAt;
    }
    let index = this.#placeOf(start);
    while (distance(start, end) > 0) {
      const beyond = this.waiting[index];
      const free = beyond === undefined ? distance(start, end) : distance(start, beyond.sequence);
      if (free > 0) {
        const length = Math.min(free, distance(start, end));
        const first = from + distance(sequence, start);
        const copy = copied(bytes, first, first + length);
        const place = origin < 0 ? -1 : origin + distance(sequence, start);
        const entry = { sequence: start, bytes: copy, end: null, origin: place, at, count, acknowledgement };
        if (index === this.waiting.length) this.waiting.push(entry);
        else this.waiting.splice(index, 0, entry);
        this.waitingBytes += length;
        start = advanced(start, length);
      } else if (beyond !== undefined) {
        const over = advanced(beyond.sequence, beyond.bytes.length);
        if (distance(start, over) > 0) start = over;
      }
      index += 1;
    }
  }

  /** The stream ends before `sequence`; what was said to lie beyond is none of it. The first end that is heard of counts. */
  addEnd(how: 'fin' | 'reset', sequence: number, at: number, count: number, acknowledgement: number | null): void {
    if (this.endKnown) return;
    this.#meet(sequence, count, at);
    if (this.state === 'open' && distance(sequence, this.next) > 0) return;
    this.endKnown = true;
    this.endAt = sequence;
    for (let last = this.waiting.at(-1); last !== undefined; last = this.waiting.at(-1)) {
      if (distance(advanced(last.sequence, last.bytes.length), sequence) >= 0) break;
      this.waiting.pop();
      this.waitingBytes -= last.bytes.length;
      const keep = distance(last.sequence, sequence);
      this.discard(last.bytes.length - Math.max(0, keep));
      if (keep <= 0) continue;
      this.waiting.push({ ...last, bytes: last.bytes.subarray(0, keep) });
      this.waitingBytes += keep;
    }
    if (this.covered && distance(sequence, this.passed) > 0) this.passed = sequence;
    this.covered &&= distance(this.next, this.passed) > 0;
    this.waiting.push({ sequence, bytes: NOTHING, end: how, origin: -1, at, count, acknowledgement });
  }

  /** Whether a reset with this number ends the stream where it is known to be. */
  isDue(sequence: number): boolean {
    if (this.state !== 'open') return false;
    if (sequence === this.next || (this.acknowledged && sequence === this.acked)) return true;
    const last = this.waiting.at(-1);
    return last !== undefined && last.end === null && sequence === advanced(last.sequence, last.bytes.length);
  }

  /** Nobody heeds the reset that was doubtful. */
  disproveReset(): void {
    this.doubtfulReset = null;
    this.discard(0);
  }

  /** The doubtful reset ends the stream after all; false when there is none. */
  believeReset(): boolean {
    const reset = this.doubtfulReset;
    if (reset === null) return false;
    this.doubtfulReset = null;
    this.endByReset(reset.sequence, reset.at, reset.count, reset.acknowledgement);
    return true;
  }

  /** A reset ends the stream: what lies before it will not be sent again. */
  endByReset(sequence: number, at: number, count: number, acknowledgement: number | null): void {
    const place = distance(this.next, sequence) > 0 ? sequence : this.next;
    this.addEnd('reset', place, at, count, acknowledgement);
    this.cover(place, count, at);
  }

  /** Takes the first entry out; it must not be asked for when nothing waits. */
  shift(): Waiting {
    const head = this.waiting.shift()!;
    this.waitingBytes -= head.bytes.length;
    return head;
  }

  /** The end has been delivered. */
  finish(): void {
    this.state = 'ended';
    this.covered = false;
    this.clear();
  }

  /** Forgets what waits. */
  clear(): void {
    if (this.waiting.length === 0) return;
    this.waiting.length = 0;
    this.waitingBytes = 0;
  }

  /** The first entry that ends behind `start`; most segments belong at the end. */
  #placeOf(start: number): number {
    let index = this.waiting.length;
    while (index > 0) {
      const before = this.waiting[index - 1]!;
      if (distance(start, advanced(before.sequence, before.bytes.length)) <= 0 && before.end === null) break;
      index -= 1;
    }
    return index;
  }

  /** The first number that is heard of while nothing is known is what others are measured by. */
  #meet(sequence: number, count: number, at: number): void {
    if (this.state !== 'new') return;
    this.state = 'settling';
    this.coveredCount = count;
    this.coveredAt = at;
    this.initial = advanced(sequence, -1);
  }

  /**
   * Bytes that come when it is past their turn: sent again, unless they are told as missing, lie before what is the first, or behind the
   * end.
   */
  late(start: number, end: number): void {
    let lost = this.state === 'ended' ? Math.max(0, Math.min(distance(start, end), distance(this.next, end))) : 0;
    for (const { from, to } of this.#gaps ?? []) {
      const overlap = Math.min(distance(start, end), distance(start, to)) - Math.max(0, distance(start, from));
      if (overlap > 0) lost += overlap;
    }
    const before = this.fromStart ? 0 : distance(start, advanced(this.initial, 1));
    // A single byte there is a probe of what lay before.
    if (before > 1 && before <= REACH) lost += Math.min(before, distance(start, end));
    if (lost > 0) this.discard(lost);
  }

  #dropBefore(): void {
    for (let head = this.waiting[0]; head !== undefined; head = this.waiting[0]) {
      if (distance(this.next, advanced(head.sequence, head.bytes.length)) > 0 || head.end !== null) return;
      this.discard(head.bytes.length);
      this.shift();
    }
  }
}

function within(place: number, sequence: number): boolean {
  return Math.abs(distance(place, sequence)) <= REACH;
}

const NOTHING = new Uint8Array(0);

/** Buffer's own slice would share the memory. */
function copied(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const copy = new Uint8Array(to - from);
  copy.set(bytes.subarray(from, to));
  return copy;
}
