/**
 * The literal text of a log message with places for what changes: `<name>` is any text, `<n>` (or `<n:name>`) is digits. Log lines come
 * from whoever sent a request, so matching must not depend on their goodwill: each literal is searched for once, from where the one before
 * it ended, and a line takes time in proportion to its length, whatever is in it.
 */

export interface MessagePattern {
  /** What stands in the places, by their names, or null. */
  match(text: string): Values | null;
}

export type Values = Readonly<Record<string, string>>;

interface Piece {
  /** Null before the first literal. */
  readonly name: string | null;
  readonly isNumber: boolean;
  readonly literal: string;
}

/** Where the first literal may stand: a message is not searched for behind more than so many places that look like its beginning. */
const STARTS = 4;

/**
 * @param template begins with a literal; a place ends where the next literal begins, the last one with the text
 * @param whole the text must be this message and nothing else
 */
export function messagePattern(template: string, whole = false): MessagePattern {
  const pieces = piecesOf(template);
  // What is rare is looked for first: nearly all lines are of other messages.
  const rarest = pieces.reduce((longest, { literal }) => (literal.length > longest.length ? literal : longest), '');
  return {
    match(text) {
      if (!text.includes(rarest)) return null;
      if (whole) return text.startsWith(pieces[0]!.literal) ? matchAt(pieces, text, 0, true) : null;
      let at = text.indexOf(pieces[0]!.literal);
      for (let start = 0; at >= 0 && start < STARTS; start++) {
        const values = matchAt(pieces, text, at, false);
        if (values !== null) return values;
        at = text.indexOf(pieces[0]!.literal, at + 1);
      }
      return null;
    },
  };
}

function piecesOf(template: string): Piece[] {
  const parts = template.split(/<([a-z][a-z:]*)>/);
  const pieces: Piece[] = [{ name: null, isNumber: false, literal: parts[0]! }];
  if (parts[0] === '') throw new Error(`a message begins with a literal: ${template}`);
  for (let i = 1; i < parts.length; i += 2) {
    const [kind = '', name = kind] = parts[i]!.split(':');
    pieces.push({ name, isNumber: kind === 'n', literal: parts[i + 1]! });
  }
  return pieces;
}

function matchAt(pieces: readonly Piece[], text: string, start: number, whole: boolean): Values | null {
  const values: Record<string, string> = {};
  let at = start + pieces[0]!.literal.length;
  for (const { name, isNumber, literal } of pieces.slice(1)) {
    let end: number;
    if (isNumber) {
      end = at;
      while (isDigit(text.charCodeAt(end))) end++;
      if (end === at || !text.startsWith(literal, end)) return null;
    } else {
      end = literal === '' ? text.length : text.indexOf(literal, at);
      if (end < 0) return null;
    }
    values[name!] ??= text.slice(at, end);
    at = end + literal.length;
  }
  return whole && at !== text.length ? null : values;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
