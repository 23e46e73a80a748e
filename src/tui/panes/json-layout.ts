/**
 * JSON laid out in lines. It only puts white space between the tokens and never reads them, so that what is shown is what was sent:
 * numbers beyond a double, duplicate keys and the order of keys survive, and half a document can be laid out as well.
 */

const INDENT = '  ';
/** Deeper levels are not indented further: hostile nesting must not make lines of spaces. */
const INDENT_MAX = 40;

export function layOutJson(text: string): string {
  const pieces: string[] = [];
  let depth = 0;
  let at = 0;
  const newline = (): void => {
    pieces.push('\n', INDENT.repeat(Math.min(depth, INDENT_MAX)));
  };
  while (at < text.length) {
    const character = text[at]!;
    // One document after another (NDJSON): each begins a line.
    if (depth === 0 && pieces.length > 0 && !/[ \t\r\n]/.test(character) && /[}\]]$/.test(pieces.at(-1)!)) newline();
    if (character === '"') {
      const end = stringEnd(text, at);
      pieces.push(text.slice(at, end));
      at = end;
      continue;
    }
    at++;
    if (character === '{' || character === '[') {
      const close = /[ \t\r\n]*([}\]])/y;
      close.lastIndex = at;
      const empty = close.exec(text);
      pieces.push(character);
      if (empty !== null) {
        pieces.push(empty[1]!);
        at = close.lastIndex;
      } else {
        depth++;
        newline();
      }
    } else if (character === '}' || character === ']') {
      depth = Math.max(0, depth - 1);
      newline();
      pieces.push(character);
    } else if (character === ',') {
      pieces.push(character);
      newline();
    } else if (character === ':') pieces.push(': ');
    else if (!/[ \t\r\n]/.test(character)) {
      const token = /[^\s"{}[\],:]+/y;
      token.lastIndex = at - 1;
      const match = token.exec(text)?.[0] ?? character;
      pieces.push(match);
      at += match.length - 1;
    }
  }
  return pieces.join('');
}

function stringEnd(text: string, begin: number): number {
  for (let at = begin + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}
