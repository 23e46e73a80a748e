import { isSecretName, REDACTED } from '../model/redaction.js';

/**
 * JSON text without the values of members whose names say that they are secret: strings, numbers, words, and whole arrays and objects.
 * One pass over strings and punctuation; nothing is parsed, so that every byte that is not replaced stays as it was, and what is cut
 * off is redacted to its end.
 */
export function redactJson(text: string): string {
  let shown = '';
  /** What stands before it has been dealt with. */
  let done = 0;
  let at = text.indexOf('"');
  while (at >= 0) {
    const end = stringEnd(text, at);
    const colon = blanksEnd(text, end);
    let next = end;
    if (text[colon] === ':' && isSecretName(stringValue(text.slice(at, end)))) {
      const from = blanksEnd(text, colon + 1);
      next = valueEnd(text, from);
      if (next > from) shown += `${text.slice(done, from)}"${REDACTED}"`;
      done = next > from ? next : done;
    }
    at = text.indexOf('"', next);
  }
  return shown + text.slice(done);
}

/** Behind the closing quote of the string that begins at `at`, or the end of the text. */
function stringEnd(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i + 1;
  }
  return text.length;
}

function blanksEnd(text: string, at: number): number {
  let i = at;
  while (i < text.length && BLANKS.includes(text[i]!)) i++;
  return i;
}

const BLANKS = ' \t\r\n';

function valueEnd(text: string, at: number): number {
  const first = text[at];
  if (first === '"') return stringEnd(text, at);
  if (first === '{' || first === '[') return bracketEnd(text, at);
  let i = at;
  while (i < text.length && !',}]\r\n'.includes(text[i]!)) i++;
  return i;
}

/** Behind the bracket that closes the one at `at`, or the end of the text. */
function bracketEnd(text: string, at: number): number {
  let open = 0;
  for (let i = at; i < text.length; i++) {
    const character = text[i];
    if (character === '"') i = stringEnd(text, i) - 1;
    else if (character === '{' || character === '[') open++;
    else if ((character === '}' || character === ']') && --open === 0) return i + 1;
  }
  return text.length;
}

/** A string without its quotes and escapes; as it stands when it is no valid one. */
function stringValue(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted;
  }
}
