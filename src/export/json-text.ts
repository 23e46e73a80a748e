import { MICROSECONDS_PER_MILLISECOND, MICROSECONDS_PER_SECOND, type Timestamp } from '../model/time.js';
import { base64, type TextWriter } from './text-writer.js';

/**
 * JSON put together from pieces. Requests repeat most of what they say, and the protocol gives what was sent before as the same object: so
 * the text of a name-value pair is looked up, and only what is new is made. That takes a fifth of the time of JSON.stringify over an object
 * of the same content, which has to be made first and then looked at character by character.
 */

/** What needs no escape in JSON; a lone surrogate does. */
const PLAIN = /^[ !#-[\]-~]*$/;

export function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

export function quotedOrNull(text: string | null): string {
  return text === null ? 'null' : quoted(text);
}

/** Seconds with microseconds: whole ones, as a nanosecond capture's fractions would only be rounding noise here. */
export function secondsText(at: Timestamp): string {
  const whole = Math.round(at);
  return decimalText(whole, MICROSECONDS_PER_SECOND) ?? String(whole / MICROSECONDS_PER_SECOND);
}

/** `later - earlier` as milliseconds() gives it. */
export function millisecondsText(earlier: Timestamp, later: Timestamp | null): string {
  if (later === null) return 'null';
  const whole = Math.round(later - earlier);
  return decimalText(whole, MICROSECONDS_PER_MILLISECOND) ?? String(whole / MICROSECONDS_PER_MILLISECOND);
}

/** A whole number divided by a power of ten, as String would write it: that needs no search for the shortest form. */
function decimalText(whole: number, divisor: number): string | null {
  if (!(whole >= 0 && whole < EXACT)) return null;
  const fraction = whole % divisor;
  const integer = (whole - fraction) / divisor;
  if (fraction === 0) return String(integer);
  let digits = String(divisor + fraction);
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === ZERO) end -= 1;
  digits = digits.slice(1, end);
  return `${integer}.${digits}`;
}

/** Above it a quotient has too few bits for all its digits (in seconds, in the year 2112). */
const EXACT = 2 ** 52;
const ZERO = 0x30;

export interface Pair {
  readonly name: string;
  readonly value: string;
  readonly bytes?: Uint8Array;
}

/** Pairs and names remembered; when there are more, the memory starts anew. */
const PAIRS = 4_000;
const NAMES = 1_000;
/** Pairs that are remembered as one text: an environment's. */
const LONGEST_RUN = 32;

/** What is remembered of a name. */
interface Known {
  readonly opening: string;
  /** Its pair that was met last without being known. */
  latest: Pair | null;
}

/** A pair that is known, and those that followed it each time so far. */
interface Run {
  /** The text of the first alone. */
  readonly own: string;
  pairs: readonly Pair[];
  text: string;
  /** It was longer. It does not grow again. */
  cut: boolean;
}

/**
 * Pairs as `["name","value"]`, their values as `shown` makes them. What follows one another in each request (what the server sets is sent
 * between what the client says, always in the same order) is one text: a run ends where requests were seen to differ.
 */
export class PairTexts {
  /** By their first pairs. Only of objects that were met twice: most of what is sent only once is never met again. */
  readonly #runs = new Map<Pair, Run>();
  readonly #known = new Map<string, Known>();

  /** @param shown the value that is to be shown; must depend on nothing else */
  constructor(private readonly shown: (name: string, value: string) => string) {}

  /** Puts the text of an array of pairs. */
  put(pairs: readonly Pair[], writer: TextWriter): void {
    if (pairs.length === 0) {
      writer.put('[]');
      return;
    }
    let opened = false;
    for (let i = 0; i < pairs.length; ) {
      const run = this.#runs.get(pairs[i]!);
      const text = run === undefined ? this.#make(pairs[i]!) : this.#textOf(run, pairs, i);
      i += run === undefined ? 1 : run.pairs.length;
      // Each text begins with the comma that stands before it.
      writer.put(opened ? text : `[${text.slice(1)}`);
      opened = true;
    }
    writer.put(']');
  }

  /** The text of the run that begins at pairs[at], cut to what is common to it and these pairs. */
  #textOf(run: Run, pairs: readonly Pair[], at: number): string {
    const { length } = run.pairs;
    let common = 1;
    while (common < length && run.pairs[common] === pairs[at + common]) common += 1;
    if (common < length) {
      run.pairs = run.pairs.slice(0, common);
      run.text = this.#joined(run);
      run.cut = true;
    } else if (length === 1 && !run.cut) {
      let next = at + 1;
      while (next < pairs.length && next - at < LONGEST_RUN && this.#runs.has(pairs[next]!)) next += 1;
      run.pairs = pairs.slice(at, next);
      run.text = this.#joined(run);
    }
    return run.text;
  }

  #joined(run: Run): string {
    return run.pairs.map((pair) => this.#runs.get(pair)?.own ?? this.#make(pair)).join('');
  }

  #make(pair: Pair): string {
    const { name, value, bytes } = pair;
    const known = this.#known.get(name) ?? this.#meet(name);
    const shown = this.shown(name, value);
    // The exact bytes hold the same secret.
    const exact = bytes !== undefined && shown === value;
    const own = `${known.opening}${exact ? `{"base64":"${base64(bytes)}"}` : quoted(shown)}]`;
    if (known.latest === pair) {
      if (this.#runs.size >= PAIRS) this.#runs.clear();
      this.#runs.set(pair, { own, pairs: [pair], text: own, cut: false });
    }
    known.latest = pair;
    return own;
  }

  #meet(name: string): Known {
    if (this.#known.size >= NAMES) this.#known.clear();
    const known = { opening: `,[${quoted(name)},`, latest: null };
    this.#known.set(name, known);
    return known;
  }
}
