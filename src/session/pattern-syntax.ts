/**
 * The source of a regular expression to a tree: JavaScript's syntax without the `u` flag, less what cannot be answered in linear time
 * (backreferences, lookaround) and what only matters to captures. A leading `(?i)`, `(?m)`, `(?s)` or several of them set the flags,
 * as there are no slashes to put them after. Characters are UTF-16 units; one outside the basic plane is a sequence of two.
 */

export type PatternNode =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly PatternNode[] }
  /** `max` may be Infinity. */
  | { readonly kind: 'repeat'; readonly part: PatternNode; readonly min: number; readonly max: number };

export type Assertion = 'start' | 'end' | 'boundary' | 'no-boundary';

export interface CharacterSet {
  /** Pairs [from, to], both included. */
  readonly ranges: readonly (readonly [number, number])[];
  readonly negated: boolean;
}

export interface PatternFlags {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
}

/** Deeper nesting is nobody's search, and would cost the stack. */
const MAX_DEPTH = 50;

const NEWLINES: CharacterSet['ranges'] = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];
const DIGITS: CharacterSet['ranges'] = [[0x30, 0x39]];
const WORDS: CharacterSet['ranges'] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const BLANKS: CharacterSet['ranges'] = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
const SHORTHANDS: Readonly<Record<string, CharacterSet['ranges']>> = { d: DIGITS, w: WORDS, s: BLANKS };
const CONTROLS: Readonly<Record<string, number>> = { n: 0x0a, r: 0x0d, t: 0x09, f: 0x0c, v: 0x0b, '0': 0 };

const LAST_UNIT = 0xffff;

/** Throws a SyntaxError. */
export function parsePattern(source: string): { readonly root: PatternNode; readonly flags: PatternFlags } {
  const found = /^\(\?([ims]+)\)/.exec(source);
  const letters = found?.[1] ?? '';
  const flags = {
    ignoreCase: letters.includes('i'),
    multiline: letters.includes('m'),
    dotAll: letters.includes('s'),
  };
  return { root: new PatternParser(source, found?.[0].length ?? 0, flags).parse(), flags };
}

export function isNewline(unit: number): boolean {
  return inRanges(NEWLINES, unit);
}

export function isWord(unit: number): boolean {
  return inRanges(WORDS, unit);
}

export function inRanges(ranges: CharacterSet['ranges'], unit: number): boolean {
  return ranges.some(([from, to]) => unit >= from && unit <= to);
}

class PatternParser {
  constructor(
    private readonly source: string,
    private at: number,
    private readonly flags: PatternFlags,
  ) {}

  parse(): PatternNode {
    const root = this.choice(0);
    if (this.at < this.source.length) throw new SyntaxError('a ) without its (');
    return root;
  }

  private choice(depth: number): PatternNode {
    if (depth > MAX_DEPTH) throw new SyntaxError(`groups are nested more than ${MAX_DEPTH} deep`);
    const parts = [this.sequence(depth)];
    while (this.take('|')) parts.push(this.sequence(depth));
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts };
  }

  private sequence(depth: number): PatternNode {
    const parts: PatternNode[] = [];
    while (this.at < this.source.length && this.source[this.at] !== '|' && this.source[this.at] !== ')') {
      parts.push(this.repeated(this.atom(depth)));
    }
    return { kind: 'sequence', parts };
  }

  private repeated(part: PatternNode): PatternNode {
    const [min, max] = this.quantifier() ?? [1, 1];
    if (min === 1 && max === 1) return part;
    if (part.kind === 'assertion') throw new SyntaxError('nothing to repeat');
    if (min > max) throw new SyntaxError('the numbers of {} are out of order');
    this.take('?'); // Lazy or greedy: the same strings match.
    if (this.quantifier() !== null) throw new SyntaxError('nothing to repeat');
    return { kind: 'repeat', part, min, max };
  }

  private quantifier(): readonly [number, number] | null {
    if (this.take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.take('?')) return [0, 1];
    const found = /^\{(\d+)(,(\d*))?\}/.exec(this.source.slice(this.at, this.at + 32));
    if (found === null) return null;
    this.at += found[0].length;
    const min = Number(found[1]);
    return [min, found[2] === undefined ? min : found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3])];
  }

  private atom(depth: number): PatternNode {
    const character = this.source[this.at]!;
    this.at++;
    switch (character) {
      case '^':
        return { kind: 'assertion', assertion: 'start' };
      case '$':
        return { kind: 'assertion', assertion: 'end' };
      case '.':
        return set(this.flags.dotAll ? [] : NEWLINES, true);
      case '(':
        return this.group(depth);
      case '[':
        return this.characterClass();
      case '\\':
        return this.escape();
      case '*':
      case '+':
      case '?':
        throw new SyntaxError('nothing to repeat');
      default:
        return one(character.charCodeAt(0));
    }
  }

  private group(depth: number): PatternNode {
    if (/^\?(=|!|<=|<!)/.test(this.source.slice(this.at, this.at + 3))) {
      throw new SyntaxError('lookahead and lookbehind are not supported');
    }
    const opening = /^\?(:|<[A-Za-z_$][\w$]*>)/.exec(this.source.slice(this.at));
    if (opening !== null) this.at += opening[0].length;
    else if (this.source[this.at] === '?')
      throw new SyntaxError('an unknown group; flags like (?i) go to the beginning');
    const inner = this.choice(depth + 1);
    if (!this.take(')')) throw new SyntaxError('a ( without its )');
    return inner;
  }

  /** The text stands after the backslash. */
  private escape(): PatternNode {
    const character = this.source[this.at];
    if (character === 'b' || character === 'B') {
      this.at++;
      return { kind: 'assertion', assertion: character === 'b' ? 'boundary' : 'no-boundary' };
    }
    if (/[1-9k]/.test(character ?? '')) throw new SyntaxError('backreferences are not supported');
    const shorthand = this.shorthand();
    if (shorthand !== null) return { kind: 'set', set: shorthand };
    const code = this.escapedCharacter();
    if (code <= LAST_UNIT) return one(code);
    const pair = String.fromCodePoint(code);
    return { kind: 'sequence', parts: [one(pair.charCodeAt(0)), one(pair.charCodeAt(1))] };
  }

  private shorthand(): CharacterSet | null {
    const character = this.source[this.at] ?? '';
    const ranges = SHORTHANDS[character.toLowerCase()];
    if (ranges === undefined) return null;
    this.at++;
    return { ranges, negated: character < 'a' };
  }

  private escapedCharacter(): number {
    const rest = this.source.slice(this.at, this.at + 12);
    const numeric = /^(?:x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]{1,6})\})/i.exec(rest);
    if (numeric !== null) {
      this.at += numeric[0].length;
      const code = Number.parseInt(numeric[1] ?? numeric[2] ?? numeric[3]!, 16);
      if (code > 0x10ffff) throw new SyntaxError('there is no such character');
      return code;
    }
    const character = rest[0];
    if (character === undefined) throw new SyntaxError('a backslash at the end');
    this.at++;
    const control = CONTROLS[character];
    if (control !== undefined) return control;
    if (/[A-Za-z0-9]/.test(character)) throw new SyntaxError(`the escape \\${character} is not known`);
    return character.charCodeAt(0);
  }

  /** The text stands after the opening bracket. */
  private characterClass(): PatternNode {
    const negated = this.take('^');
    const ranges: (readonly [number, number])[] = [];
    while (!this.take(']')) {
      const from = this.member(ranges);
      if (this.source[this.at] !== '-' || this.source[this.at + 1] === ']') {
        if (from !== null) ranges.push([from, from]);
        continue;
      }
      this.at++;
      const to = this.member(ranges);
      if (from === null || to === null) {
        // As in JavaScript, `[\d-x]` is the digits, a hyphen and an x.
        for (const unit of [from, 0x2d, to]) if (unit !== null) ranges.push([unit, unit]);
      } else if (from > to) throw new SyntaxError('a range of [] is out of order');
      else ranges.push([from, to]);
    }
    return set(ranges, negated);
  }

  /** One character of a class; null when it was a shorthand, whose ranges are added. */
  private member(ranges: (readonly [number, number])[]): number | null {
    const character = this.source[this.at];
    if (character === undefined) throw new SyntaxError('a [ without its ]');
    this.at++;
    if (character !== '\\') return character.charCodeAt(0);
    if (this.take('b')) return 0x08;
    const shorthand = this.shorthand();
    if (shorthand === null) {
      const code = this.escapedCharacter();
      if (code > LAST_UNIT) throw new SyntaxError('a class cannot hold characters above \\uFFFF');
      return code;
    }
    ranges.push(...(shorthand.negated ? complement(shorthand.ranges) : shorthand.ranges));
    return null;
  }

  private take(symbol: string): boolean {
    if (this.source[this.at] !== symbol) return false;
    this.at++;
    return true;
  }
}

function one(unit: number): PatternNode {
  return set([[unit, unit]], false);
}

function set(ranges: CharacterSet['ranges'], negated: boolean): PatternNode {
  return { kind: 'set', set: { ranges, negated } };
}

/** @param ranges in ascending order, without overlap */
function complement(ranges: CharacterSet['ranges']): CharacterSet['ranges'] {
  const gaps: (readonly [number, number])[] = [];
  let next = 0;
  for (const [from, to] of ranges) {
    if (from > next) gaps.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= LAST_UNIT) gaps.push([next, LAST_UNIT]);
  return gaps;
}
