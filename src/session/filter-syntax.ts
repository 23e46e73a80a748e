import { FilterError, type Span } from './filter-error.js';

/**
 * The display filter's grammar: text to expression and back, by recursive descent over characters. What a word may look like depends on
 * where it stands (a value may hold `/` and `?`, a field name may not), so there is no token list: the parser asks for what it expects.
 *
 *   or       := and { ("or" | "||") and }
 *   and      := unary { ("and" | "&&") unary }
 *   unary    := ("not" | "!") unary | "(" or ")" | field [ operator value | "in" set ]
 *   operator := == | != | < | <= | > | >= | "contains" | "matches"
 *   set      := "{" value { [","] value } "}"       round brackets will do as well
 *   value    := "string" | 'string' | word
 *
 * Keywords are read in any case. Strings know \" \' \\ \n \r \t \0 \xHH (a byte) \uHHHH and \u{H…}; after `matches`, backslashes are the
 * regular expression's, save the one before the string's own quote. A string is bytes, as the wire's values are.
 */

export type CompareOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'contains' | 'matches';

export type Expression =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Expression[] }
  | { readonly kind: 'not'; readonly part: Expression }
  | { readonly kind: 'present'; readonly field: FieldReference }
  | {
      readonly kind: 'compare';
      readonly field: FieldReference;
      readonly operator: CompareOperator;
      /** Where the operator stands. */
      readonly span: Span;
      readonly value: Literal;
    }
  | { readonly kind: 'in'; readonly field: FieldReference; readonly span: Span; readonly values: readonly Literal[] };

/** `param.SCRIPT_NAME` is the field `param` with the name `SCRIPT_NAME`; every other field is all word and no name. */
export interface FieldReference {
  readonly word: string;
  readonly name: string | null;
  readonly span: Span;
}

export interface Literal {
  /** The bytes read as UTF-8, or as Latin-1 where they are not valid; after `matches`, the regular expression's source. */
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly quoted: boolean;
  readonly span: Span;
}

/** Far more than anybody types; keeps every later step (and a picture of the error) small. */
export const MAX_FILTER_LENGTH = 16_384;
/** Keeps the recursion of parser, compiler and printer shallow. */
export const MAX_FILTER_DEPTH = 100;

/** The fields that take a name after the dot; the names are the peer's, so they may be quoted. */
const NAMED = ['param', 'header'];
const KEYWORDS = ['and', 'or', 'not', 'in', 'contains', 'matches'];
/** The longer ones first. */
const OPERATORS = ['==', '!=', '<=', '>=', '<', '>'] as const;

/** Null for a blank text. Throws a FilterError, and nothing else. */
export function parseExpression(text: string): Expression | null {
  if (text.length > MAX_FILTER_LENGTH) {
    const span = { at: MAX_FILTER_LENGTH, length: 1 };
    throw new FilterError(text, span, `it is longer than ${MAX_FILTER_LENGTH} characters`);
  }
  return new Parser(text).parse();
}

class Parser {
  /** Invariant: 0 ≤ at ≤ text.length, and everything before `at` has been understood. */
  private at = 0;

  constructor(private readonly text: string) {}

  parse(): Expression | null {
    this.skipBlanks();
    if (this.at === this.text.length) return null;
    const expression = this.or(0);
    if (this.at < this.text.length) this.failAfterExpression();
    return expression;
  }

  private or(depth: number): Expression {
    const parts = [this.and(depth)];
    while (this.takeWord('or') || this.take('||')) parts.push(this.and(depth));
    return parts.length === 1 ? parts[0]! : { kind: 'or', parts };
  }

  private and(depth: number): Expression {
    const parts = [this.unary(depth)];
    while (this.takeWord('and') || this.take('&&')) parts.push(this.unary(depth));
    return parts.length === 1 ? parts[0]! : { kind: 'and', parts };
  }

  private unary(depth: number): Expression {
    if (depth > MAX_FILTER_DEPTH) this.fail(`it is nested more than ${MAX_FILTER_DEPTH} deep`);
    if (this.takeWord('not') || this.take('!')) return { kind: 'not', part: this.unary(depth + 1) };
    const open = this.at;
    if (!this.take('(')) return this.comparison();
    const inner = this.or(depth + 1);
    if (!this.take(')')) {
      if (this.at < this.text.length) this.failAfterExpression();
      this.fail('this parenthesis is never closed', { at: open, length: 1 });
    }
    return inner;
  }

  private comparison(): Expression {
    const field = this.field();
    const from = this.at;
    for (const operator of OPERATORS) {
      if (operator.length === 2 && this.text.startsWith(`${operator}=`, from))
        this.fail(`"${operator}=" is not an operator`, { at: from, length: 3 });
      if (!this.take(operator)) continue;
      const span = { at: from, length: operator.length };
      return { kind: 'compare', field, operator, span, value: this.value(operator, false) };
    }
    for (const operator of ['contains', 'matches'] as const) {
      if (!this.takeWord(operator)) continue;
      const span = { at: from, length: operator.length };
      return { kind: 'compare', field, operator, span, value: this.value(operator, operator === 'matches') };
    }
    if (this.takeWord('in')) return { kind: 'in', field, span: { at: from, length: 2 }, values: this.set() };
    if (this.text[from] === '=') this.fail('"=" is not an operator: == compares');
    if (this.text[from] === '~') this.fail('"~" is not an operator: "matches" takes a regular expression');
    return { kind: 'present', field };
  }

  private field(): FieldReference {
    const at = this.at;
    const found = /^[\w.-]+/.exec(this.text.slice(at))?.[0];
    if (found === undefined) this.fail(`a field is expected here${this.here()}`);
    if (KEYWORDS.includes(found.toLowerCase())) {
      this.fail(`a field is expected here, not the word "${found}"`, { at, length: found.length });
    }
    this.at += found.length;
    const dot = found.indexOf('.');
    const prefix = (dot < 0 ? found : found.slice(0, dot)).toLowerCase();
    if (!NAMED.includes(prefix)) {
      this.skipBlanks();
      return { word: found.toLowerCase(), name: null, span: { at, length: found.length } };
    }
    let name = dot < 0 ? '' : found.slice(dot + 1);
    if (dot >= 0 && name === '' && /["']/.test(this.text[this.at] ?? '')) name = this.string(false).text;
    const span = { at, length: this.at - at };
    if (name === '') this.fail(`a name is missing: ${prefix}.${prefix === 'param' ? 'SCRIPT_NAME' : 'Location'}`, span);
    this.skipBlanks();
    return { word: prefix, name, span };
  }

  private set(): readonly Literal[] {
    const open = this.at;
    const close = this.take('{') ? '}' : this.take('(') ? ')' : null;
    if (close === null) this.fail(`a set is expected after "in": {200 404}`);
    const values: Literal[] = [];
    while (!this.take(close)) {
      if (this.at === this.text.length) this.fail('this set is never closed', { at: open, length: 1 });
      values.push(this.value('in', false));
      this.take(',');
    }
    if (values.length === 0) this.fail('the set is empty', { at: open, length: this.at - open });
    return values;
  }

  private value(operator: string, pattern: boolean): Literal {
    const at = this.at;
    if (/["']/.test(this.text[at] ?? '')) {
      const literal = this.string(pattern);
      this.skipBlanks();
      return literal;
    }
    const word = /^(?:(?!&&|\|\|)[^\s"'(){},])+/.exec(this.text.slice(at))?.[0];
    if (word === undefined) this.fail(`a value is expected after "${operator}"${this.here()}`);
    const span = { at, length: word.length };
    if (KEYWORDS.includes(word.toLowerCase())) {
      this.fail(`a value is expected after "${operator}", not the word "${word}"; as a value it needs quotes`, span);
    }
    this.at += word.length;
    this.skipBlanks();
    const bytes = new TextEncoder().encode(word);
    return { text: pattern ? word : decode(bytes), bytes, quoted: false, span };
  }

  /** The text stands at the opening quote; it is left just after the closing one. */
  private string(pattern: boolean): Literal {
    const open = this.at;
    const quoteMark = this.text[open]!;
    const bytes: number[] = [];
    let source = '';
    const add = (text: string) => {
      source += text;
      bytes.push(...new TextEncoder().encode(text));
    };
    this.at++;
    for (;;) {
      const run = runUntil(this.text, this.at, quoteMark);
      add(this.text.slice(this.at, run));
      this.at = run;
      const character = this.text[this.at];
      if (character === undefined) this.fail('this string is never closed', { at: open, length: 1 });
      if (character === quoteMark) break;
      const next = this.text[this.at + 1];
      if (next === undefined) this.fail('this string is never closed', { at: open, length: 1 });
      if (pattern) {
        add(next === quoteMark ? next : `\\${next}`);
        this.at += 2;
      } else this.escapeSequence(add, bytes);
    }
    this.at++;
    const all = Uint8Array.from(bytes);
    return {
      text: pattern ? source : decode(all),
      bytes: all,
      quoted: true,
      span: { at: open, length: this.at - open },
    };
  }

  private escapeSequence(add: (text: string) => void, bytes: number[]): void {
    const rest = this.text.slice(this.at, this.at + 12);
    const numeric = /^\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]{1,6})\})/i.exec(rest);
    if (numeric !== null) {
      if (numeric[1] !== undefined) bytes.push(Number.parseInt(numeric[1], 16));
      else {
        const code = Number.parseInt(numeric[2] ?? numeric[3]!, 16);
        if (code > 0x10ffff) this.fail('there is no such character', { at: this.at, length: numeric[0].length });
        add(String.fromCodePoint(code));
      }
      this.at += numeric[0].length;
      return;
    }
    const plain = { '"': '"', "'": "'", '\\': '\\', n: '\n', r: '\r', t: '\t', '0': '\0' }[rest[1]!];
    if (plain === undefined) {
      this.fail('this escape is not known; a backslash itself is written \\\\', { at: this.at, length: 2 });
    }
    add(plain);
    this.at += 2;
  }

  /** Takes `symbol` and the blanks after it. */
  private take(symbol: string): boolean {
    if (!this.text.startsWith(symbol, this.at)) return false;
    this.at += symbol.length;
    this.skipBlanks();
    return true;
  }

  /** Takes a keyword in any case, when it is a whole word. */
  private takeWord(word: string): boolean {
    const end = this.at + word.length;
    if (this.text.slice(this.at, end).toLowerCase() !== word || /[\w.-]/.test(this.text[end] ?? '')) return false;
    this.at = end;
    this.skipBlanks();
    return true;
  }

  private skipBlanks(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
  }

  private here(): string {
    return this.at < this.text.length ? '' : ', but the filter ends';
  }

  private failAfterExpression(): never {
    const symbol = this.text[this.at]!;
    if (symbol === ')') this.fail('this parenthesis was never opened');
    const word = /^[\w.-]+/.exec(this.text.slice(this.at))?.[0] ?? symbol;
    const span = { at: this.at, length: word.length };
    this.fail('"and", "or" or the end is expected here; a value with blanks or brackets needs double quotes', span);
  }

  private fail(complaint: string, span: Span = { at: this.at, length: this.at < this.text.length ? 1 : 0 }): never {
    throw new FilterError(this.text, span, complaint);
  }
}

function runUntil(text: string, from: number, quoteMark: string): number {
  let at = from;
  while (at < text.length && text[at] !== quoteMark && text[at] !== '\\') at++;
  return at;
}

function decode(bytes: Uint8Array): string {
  return decodeUtf8(bytes) ?? String.fromCharCode(...bytes);
}

/** Null when the bytes are not valid UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
