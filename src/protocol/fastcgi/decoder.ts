import { u16 } from '../../model/bytes.js';
import type { Side } from '../../model/connection.js';
import type { ProblemCode } from '../../model/exchange.js';
import type { Timestamp } from '../../model/time.js';
import { HEADER_LENGTH, isKnownType, RecordType, recordTypeName, VERSION } from './constants.js';
import { foreignProtocol } from './foreign-protocol.js';
import { findPlausibleHeader, isPlausibleApartFromVersion, recordLength } from './framing.js';
import { HeldBytes } from './held-bytes.js';
import { bytesInWords, LostStep, notARecord } from './lost-step.js';
import { PassingRecord } from './passing-record.js';
import type { RecordSink } from './record-event.js';
import { BELIEVED, followChain, MORE_TO_COME, REJECTED, TURN } from './record-hunt.js';
import { readRecord } from './record-reader.js';

/** Whether a record of this type and id can come, by all that is known, when `passed` bytes were passed over before it. */
export type Expectation = (type: number, requestId: number, passed: number) => boolean;

/**
 * How many bytes of the content of a record of this type and id anybody will look at. bytes[from, to) of it have arrived and nothing else
 * has been told meanwhile; before `searched` it was asked already. Infinitely many: all, as far as can be told yet.
 */
export type Wanted = (
  type: number,
  requestId: number,
  bytes: Uint8Array,
  from: number,
  to: number,
  searched: number,
) => number;

/**
 * Bytes of one direction in, whole records out (specification section 3.3). It knows framing, not requests.
 *
 * A record that lies whole in a chunk is decoded in place; what is left at the end of a chunk is copied and held, until the record is
 * whole or there is nothing more in it that anybody wants: then the rest of it is only counted (passing-record.ts). A header is
 * judged as soon as its eight bytes are there. It is in one of three steps:
 *
 *   in step   the next byte begins a header. Version 1 is believed (an unknown type too, or a reserved byte that is not zero, but not
 *             both at once).
 *   doubt     a header of another version but sound in everything else: PHP-FPM, for one, never looks at the version. It is believed,
 *             and from then on that version, if another sound header follows the record or the stream ends with it.
 *   hunting   out of step, after a header that is none, a gap over a header, or from the start when the capture began in the middle.
 *             It goes on from the first place from which records follow one another (record-hunt.ts), of those that the other
 *             direction lets expect. The bytes passed over are reported in one problem, when it goes on or at the end.
 *
 * Every decision rests on the stream's bytes, its gaps and its end, and where in it the other side spoke: not on the chunks. Nothing throws on
 * what came over the wire. Records and problems without `remark` cover every offset exactly once.
 */
export class RecordDecoder {
  /*
   * Invariants between calls: #held is null or holds at least one byte, up to #offset; in step it begins a record that is not whole;
   * out of step it is shorter than a header or begins a chain that waits for what follows. #lost is set exactly when hunting. #passing
   * is only set in step while #held is null, and something of it is still to come.
   */
  readonly #side: Side;
  readonly #sink: RecordSink;
  readonly #expects: Expectation | null;
  readonly #wants: Wanted | null;
  #step: 'in-step' | 'doubt' | 'hunting' = 'in-step';
  /** The version believed beside VERSION. */
  #version = VERSION;
  #offset: number;
  #held: HeldBytes | null = null;
  #passing: PassingRecord | null = null;
  /** Up to where the content of the record that is held was looked through for what is wanted of it. */
  #searched = 0;
  #lost: LostStep | null = null;
  /** Stream offset of index 0 of the bytes being worked on. */
  #base = 0;

  /**
   * @param side whose bytes these are; it only matters while hunting
   * @param options.offset where in the stream the first byte is; only a stream from 0 is checked for foreign protocols
   * @param options.midstream the first byte need not begin a record
   * @param options.expects asked while hunting
   * @param options.wants asked of stream records that arrive in pieces; without it all content is held until they are whole
   */
  constructor(
    side: Side,
    sink: RecordSink,
    options: {
      readonly offset?: number | undefined;
      readonly midstream?: boolean | undefined;
      readonly expects?: Expectation | undefined;
      readonly wants?: Wanted | undefined;
    } = {},
  ) {
    this.#side = side;
    this.#sink = sink;
    this.#offset = options.offset ?? 0;
    this.#expects = options.expects ?? null;
    this.#wants = options.wants ?? null;
    if (options.midstream) {
      this.#lose('midstream-start', this.#offset, null, 'the capture began in the middle of the connection');
    }
  }

  /** The stream offset of the next byte to be pushed. */
  get offset(): number {
    return this.#offset;
  }

  /** Between records, in step, nothing held. Asked between calls, not from the sink. */
  get atBoundary(): boolean {
    return this.#held === null && this.#passing === null && this.#isInStep();
  }

  /** Records may pass that cannot be told. */
  get isLost(): boolean {
    return this.#lost !== null;
  }

  /** @param bytes the next bytes, borrowed until it returns */
  push(bytes: Uint8Array, at: Timestamp): void {
    const to = bytes.length;
    const base = this.#offset;
    this.#offset += to;
    if (this.#lost !== null) this.#lost.see(bytes, at);
    let from = 0;
    if (this.#passing !== null) {
      from = Math.min(to, this.#passing.rest);
      this.#passing.see(from);
      this.#endPassing(this.#passing);
    }
    while (this.#held !== null) {
      if (from === to) {
        this.#letPass(this.#held);
        return;
      }
      from = this.#fill(this.#held, bytes, from, at);
    }
    if (from === to) return;
    this.#base = base;
    from = this.#advance(bytes, from, to, null, at, MORE_TO_COME);
    if (from === to) return;
    this.#searched = 0;
    const wanted = this.#wantedOf(bytes, from, to);
    if (to - from >= HEADER_LENGTH + wanted) {
      this.#passing = new PassingRecord(bytes, from, to, wanted, base + from, at);
    } else {
      this.#held = new HeldBytes(base + from, at);
      this.#held.append(bytes, from, to);
    }
  }

  /** The next `length` bytes of the stream were never seen. */
  gap(length: number, at: Timestamp): void {
    if (length <= 0) return;
    if (this.#lost !== null) this.#lost.at ??= at;
    this.#remark('capture-gap', at, this.#offset, length, `${bytesInWords(length)} of the stream were not captured`);
    const resumed = this.#offset + length;
    let rest = length;
    while (rest > 0) {
      if (this.#passing !== null) {
        const taken = Math.min(this.#passing.rest, rest);
        this.#passing.miss(taken);
        this.#offset += taken;
        rest -= taken;
        this.#endPassing(this.#passing);
        continue;
      }
      if (!this.#isInStep()) {
        if (this.#held !== null) this.#advanceHeld(this.#held, at, rest);
        if (this.#isInStep()) continue;
        if (this.#held !== null && this.#held.span >= HEADER_LENGTH) this.#held.addHole(rest);
        else this.#drop();
        this.#offset += rest;
        if (this.#lost !== null) this.#lost.resumed = resumed;
        return;
      }
      const held = this.#held;
      if (held === null || held.span < HEADER_LENGTH) {
        const cause = `a gap of ${bytesInWords(rest)} goes over a record header`;
        this.#lose('lost-framing', held?.offset ?? this.#offset, at, cause).resumed = resumed;
        this.#drop();
        this.#offset += rest;
        return;
      }
      const taken = Math.min(this.#wanted(held), rest);
      held.addHole(taken);
      this.#offset += taken;
      rest -= taken;
      this.#advanceHeld(held, at, MORE_TO_COME);
    }
  }

  /** The other side goes on. Told before its bytes are, so that what waits here is known by then if it can be. */
  turn(at: Timestamp): void {
    if (this.#held !== null && !this.#isInStep()) this.#advanceHeld(this.#held, at, TURN);
  }

  /** The direction ended, however it did. What was held is delivered as far as it came. */
  end(at: Timestamp): void {
    if (this.#held !== null && !this.#isInStep()) this.#advanceHeld(this.#held, at, Number.POSITIVE_INFINITY);
    if (!this.#isInStep()) {
      this.#drop();
      this.#lost?.tellEnd(this.#sink, this.#offset);
      this.#step = 'in-step';
      this.#lost = null;
    } else if (this.#passing !== null) {
      const { span, rest, offset, bytes, at: begun } = this.#passing;
      this.#remarkCut(bytes[1]!, begun, offset, span, rest);
      this.#passing.miss(rest);
      this.#endPassing(this.#passing);
    } else if (this.#held !== null) {
      if (this.#held.span < HEADER_LENGTH) this.#endInHeader(this.#held);
      else this.#endInRecord(this.#held, at);
    }
  }

  // ---- between the chunks

  /** Takes as much of the chunk as the held bytes need to get further. Returns where the rest begins. */
  #fill(held: HeldBytes, bytes: Uint8Array, from: number, at: Timestamp): number {
    const wanted = this.#wanted(held);
    const taken = Math.min(wanted, bytes.length - from);
    if (!this.#isInStep()) held.markArrival(at);
    held.append(bytes, from, from + taken);
    if (taken < wanted) return bytes.length;
    this.#advanceHeld(held, at, MORE_TO_COME);
    const used = from + taken;
    const left = this.#held;
    if (left === null || left.holeLength > 0 || left.span > used) return used;
    // All that is still held came with this chunk: go on in place.
    const back = left.span;
    this.#drop();
    return used - back;
  }

  /** How many bytes more it takes to get further: a header, the rest of a record, or that and the headers that confirm it. */
  #wanted(held: HeldBytes): number {
    if (held.span < HEADER_LENGTH) return HEADER_LENGTH - held.span;
    if (this.#isInStep()) return recordLength(held.bytes, held.start) - held.span;
    return this.#follows(held.bytes, held.start, held.end, held, MORE_TO_COME);
  }

  #advanceHeld(held: HeldBytes, at: Timestamp, next: number): void {
    this.#base = held.offset - held.start;
    const from = this.#advance(held.bytes, held.start, held.end, held, at, next);
    held.advance(from, this.#base + from);
    this.#searched = 0;
    if (held.span === 0) this.#drop();
  }

  #drop(): void {
    this.#held?.release();
    this.#held = null;
  }

  #endInHeader(held: HeldBytes): void {
    const { offset, span } = held;
    const head = held.bytes.subarray(held.start, held.end);
    const at = held.arrivalOf(offset);
    if (head[0] === VERSION) {
      const message = `the stream ended ${bytesInWords(span)} into a record header`;
      this.#sink({ kind: 'problem', code: 'truncated-record', at, offset, length: span, message });
    } else {
      const foreign = offset === 0 ? foreignProtocol(head) : null;
      const code = foreign === null ? 'lost-framing' : 'foreign-protocol';
      const message = `${notARecord(head, foreign)}; the stream ended there`;
      this.#sink({ kind: 'problem', code, at, offset, length: span, message });
    }
    this.#drop();
  }

  #endInRecord(held: HeldBytes, at: Timestamp): void {
    const seen = held.span;
    const wanted = this.#wanted(held);
    this.#remarkCut(held.bytes[held.start + 1]!, held.arrivalOf(held.offset), held.offset, seen, wanted);
    held.addHole(wanted);
    this.#advanceHeld(held, at, MORE_TO_COME);
  }

  #remarkCut(type: number, at: Timestamp, offset: number, seen: number, missing: number): void {
    const message = `the stream ended ${bytesInWords(seen)} into a ${recordTypeName(type)} record of ${seen + missing}`;
    this.#remark('truncated-record', at, offset, seen, message);
  }

  // ---- records that pass

  /** How much is wanted of the record that bytes[from, to) begin with; it is not whole. */
  #wantedOf(bytes: Uint8Array, from: number, to: number): number {
    if (this.#wants === null || to - from < HEADER_LENGTH || !this.#isInStep()) return Number.POSITIVE_INFINITY;
    const type = bytes[from + 1]!;
    if (type < RecordType.STDIN || type > RecordType.DATA) return Number.POSITIVE_INFINITY;
    const content = from + HEADER_LENGTH;
    // What has arrived behind the content is padding.
    const end = Math.min(to, content + u16(bytes, from + 4));
    const wanted = this.#wants(type, u16(bytes, from + 2), bytes, content, end, content + this.#searched);
    this.#searched = end - content;
    return Math.min(wanted, wanted === Number.POSITIVE_INFINITY ? wanted : u16(bytes, from + 4));
  }

  /** Of a record that is held, lets go of what nobody wants if the rest is there. */
  #letPass(held: HeldBytes): void {
    if (held.holeLength > 0) return;
    const wanted = this.#wantedOf(held.bytes, held.start, held.end);
    if (held.span < HEADER_LENGTH + wanted) return;
    const { bytes, start, end, offset } = held;
    this.#passing = new PassingRecord(bytes, start, end, wanted, offset, held.arrivalOf(offset));
    this.#drop();
  }

  /** Tells of a record that has passed, if it has. */
  #endPassing(record: PassingRecord): void {
    if (record.rest > 0) return;
    this.#passing = null;
    const { bytes, offset, at, missing, missingFrom } = record;
    readRecord(this.#sink, bytes, 0, offset, at, missing, missingFrom);
  }

  // ---- through the bytes at hand

  /**
   * Works through bytes[from, to), of which held (if it is the held ones) knows the hole. `next`: what is known of the bytes behind them
   * (record-hunt.ts). Returns where what cannot be decided yet begins.
   */
  #advance(bytes: Uint8Array, from: number, to: number, held: HeldBytes | null, at: Timestamp, next: number): number {
    let done = from;
    for (;;) {
      if (this.#isInStep()) {
        done = this.#follow(bytes, done, to, held, at);
        if (this.#isInStep()) return done;
      } else {
        done = this.#hunt(bytes, done, to, held, at, next);
        if (!this.#isInStep()) return done;
      }
    }
  }

  /** Record after record, until one is not whole or a header is not to be believed. */
  #follow(bytes: Uint8Array, start: number, to: number, held: HeldBytes | null, at: Timestamp): number {
    let from = start;
    for (;;) {
      if (held !== null && held.holeLength > 0) {
        const next = this.#followIntoHole(bytes, from, to, held);
        if (next === from) return from;
        from = next;
        continue;
      }
      if (to - from < HEADER_LENGTH) return from;
      if (!this.#believes(bytes, from)) {
        this.#mistrust(bytes, from, this.#arrival(held, from, at));
        return from;
      }
      const next = from + recordLength(bytes, from);
      if (next > to) return from;
      this.#emit(bytes, from, this.#arrival(held, from, at), 0, u16(bytes, from + 4));
      from = next;
    }
  }

  /** One record at `from`, with a hole somewhere behind that. Returns `from` when it has to wait or got out of step. */
  #followIntoHole(bytes: Uint8Array, from: number, to: number, held: HeldBytes): number {
    const at = held.arrivalOf(this.#base + from);
    const { holeAt, holeLength } = held;
    if (holeAt - from < HEADER_LENGTH) {
      this.#lose(
        'lost-framing',
        this.#base + from,
        at,
        `a gap of ${bytesInWords(holeLength)} goes over a record header`,
      );
      return from;
    }
    if (!this.#believes(bytes, from)) {
      this.#mistrust(bytes, from, at);
      return from;
    }
    const contentLength = u16(bytes, from + 4);
    const end = from + recordLength(bytes, from);
    if (end <= holeAt) {
      this.#emit(bytes, from, at, 0, contentLength);
      return end;
    }
    const missed = Math.min(holeLength, end - holeAt);
    if (end - missed > to) return from;
    const contentSeen = Math.min(contentLength, holeAt - from - HEADER_LENGTH);
    this.#emit(bytes, from, at, Math.min(missed, contentLength - contentSeen), contentSeen);
    held.holeLength -= missed;
    this.#base += missed;
    return end - missed;
  }

  /** Looks for the first record that is confirmed by what follows it, and is in step there; else returns what must be looked at again. */
  #hunt(bytes: Uint8Array, start: number, to: number, held: HeldBytes | null, at: Timestamp, next: number): number {
    let from = start;
    for (;;) {
      const hole = held !== null && held.holeLength > 0;
      const limit = hole ? held.holeAt : to;
      const doubted = this.#step === 'doubt';
      if (!doubted) from = findPlausibleHeader(bytes, from, limit, this.#side, this.#version);
      if (from + HEADER_LENGTH > limit) {
        if (!hole) return from;
        from = limit;
        this.#base += held.holeLength;
        held.holeLength = 0;
        continue;
      }
      const expected = doubted || this.#isExpected(bytes, from);
      const verdict = expected ? this.#follows(bytes, from, to, held, next) : REJECTED;
      if (verdict > 0) return from;
      if (verdict === BELIEVED) {
        this.#version = bytes[from]!;
        this.#lost?.tellFound(this.#sink, this.#base + from);
        this.#step = 'in-step';
        this.#lost = null;
        return from;
      }
      if (doubted) {
        const head = bytes.subarray(from, from + HEADER_LENGTH);
        this.#lose('lost-framing', this.#base + from, this.#arrival(held, from, at), notARecord(head, null));
      }
      from++;
    }
  }

  #isExpected(bytes: Uint8Array, from: number): boolean {
    if (this.#expects === null || this.#lost === null) return true;
    return this.#expects(bytes[from + 1]!, u16(bytes, from + 2), this.#base + from - this.#lost.offset);
  }

  #follows(bytes: Uint8Array, from: number, to: number, held: HeldBytes | null, next: number): number {
    const resumed = this.#lost === null ? null : this.#lost.resumed;
    const alone = this.#step === 'doubt' || resumed === this.#base + from;
    return followChain(bytes, from, to, this.#side, held, next, alone);
  }

  // ---- step

  #isInStep(): boolean {
    return this.#step === 'in-step';
  }

  #believes(bytes: Uint8Array, from: number): boolean {
    const version = bytes[from]!;
    if (version === VERSION) return bytes[from + 7] === 0 || isKnownType(bytes[from + 1]!);
    return version === this.#version && bytes[from + 7] === 0 && isKnownType(bytes[from + 1]!);
  }

  #mistrust(bytes: Uint8Array, from: number, at: Timestamp): void {
    const offset = this.#base + from;
    const head = bytes.subarray(from, from + HEADER_LENGTH);
    const foreign = offset === 0 ? foreignProtocol(head) : null;
    if (foreign === null && isPlausibleApartFromVersion(bytes, from, this.#side)) this.#step = 'doubt';
    else this.#lose(foreign === null ? 'lost-framing' : 'foreign-protocol', offset, at, notARecord(head, foreign));
  }

  #lose(code: LostStep['code'], offset: number, at: Timestamp | null, cause: string): LostStep {
    this.#step = 'hunting';
    this.#lost = new LostStep(code, offset, at, cause);
    return this.#lost;
  }

  // ---- events

  #arrival(held: HeldBytes | null, from: number, at: Timestamp): Timestamp {
    return held === null ? at : held.arrivalOf(this.#base + from);
  }

  #emit(bytes: Uint8Array, from: number, at: Timestamp, missing: number, missingFrom: number): void {
    readRecord(this.#sink, bytes, from, this.#base + from, at, missing, missingFrom);
  }

  #remark(code: ProblemCode, at: Timestamp, offset: number, length: number, message: string): void {
    this.#sink({ kind: 'problem', code, at, offset, length, message, remark: true });
  }
}
