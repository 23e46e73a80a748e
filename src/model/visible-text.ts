/**
 * Captured text made safe to show. Everything that came over the wire is hostile to a terminal: escape sequences set the clipboard and
 * the title, `\r` and `\b` overwrite what stands before them, bidirectional overrides and invisible characters make text read as
 * something else. Whatever could do that is replaced by a sign that says which character it was:
 *
 *     C0 controls and DEL    their control picture: ESC → ␛, LF → ␊, NUL → ␀, DEL → ␡ (one column, one unit: positions are kept)
 *     other code points      \u009b, \u202e, \u{e0041}: C1, bidi, zero-width, line separators, variation selectors, lone surrogates
 *     bytes that are no text \xff
 *
 * A backslash in the text itself is left alone: paths and JSON are full of them, and no harm comes from a `\u202e` that was meant.
 * Both functions take one pass, and with `max` look at no more of the input than they show.
 */

/** Put at the end of what was cut. */
export const ELLIPSIS = '…';

const UNSAFE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\ufff9-\ufffb]/gu;
/** The same question for text that is plain ASCII, as nearly all is: several times faster than the property classes. */
const PLAIN_ASCII = /^[\x20-\x7e]*$/;

/** Where the control pictures begin (Unicode block U+2400), in the order of the C0 controls; DEL's stands apart. */
const CONTROL_PICTURES = 0x2400;
const DEL = 0x7f;
const PICTURE_OF_DEL = '\u2421';

/**
 * @param text anything
 * @param max the length of the answer in UTF-16 units at most, ELLIPSIS included (nothing is cut without it)
 * @returns one line that a terminal shows as it is
 */
export function visibleText(text: string, max = Number.POSITIVE_INFINITY): string {
  // No character gets shorter, so what is beyond the limit cannot come into view. One more unit tells whether something was cut.
  const seen = text.length > max ? text.slice(0, max + 1) : text;
  const shown = PLAIN_ASCII.test(seen) ? seen : seen.replace(UNSAFE, visibleCharacter);
  return cut(shown, max);
}

/**
 * UTF-8 where it is, `\xNN` for every byte that is not part of a valid sequence, made visible like text.
 * @param max as for visibleText
 */
export function visibleBytes(bytes: Uint8Array, max = Number.POSITIVE_INFINITY): string {
  // A UTF-16 unit takes at most three bytes; the slack keeps a sequence that is cut here out of sight.
  const limit = max * 3 + 2 * LONGEST_SEQUENCE;
  const seen = bytes.length > limit ? bytes.subarray(0, limit) : bytes;
  const text = decodeStrictly(seen);
  return text === null ? cut(decodeMixed(seen), max) : visibleText(text, max);
}

const LONGEST_SEQUENCE = 4;
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeStrictly(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes);
  } catch {
    return null;
  }
}

function decodeMixed(bytes: Uint8Array): string {
  let out = '';
  let valid = '';
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      if (valid !== '') out += visibleText(valid);
      valid = '';
      out += `\\x${hex(bytes[at]!, 2)}`;
      at++;
    } else {
      valid += String.fromCodePoint(codePoint(bytes, at, length));
      at += length;
    }
  }
  return valid === '' ? out : out + visibleText(valid);
}

/** The length of the well-formed UTF-8 sequence at `at` (Unicode, table 3-7), 0 when there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const second = bytes[at + 1] ?? 0;
  if (first >= 0xc2 && first <= 0xdf) return continues(second) ? 2 : 0;
  const third = bytes[at + 2] ?? 0;
  if (first >= 0xe0 && first <= 0xef) {
    const low = first === 0xe0 ? 0xa0 : 0x80;
    const high = first === 0xed ? 0x9f : 0xbf;
    return second >= low && second <= high && continues(third) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const low = first === 0xf0 ? 0x90 : 0x80;
    const high = first === 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high && continues(third) && continues(bytes[at + 3] ?? 0) ? 4 : 0;
  }
  return 0;
}

function continues(byte: number): boolean {
  return byte >= 0x80 && byte <= 0xbf;
}

function codePoint(bytes: Uint8Array, at: number, length: number): number {
  if (length === 1) return bytes[at]!;
  let value = bytes[at]! & (0x7f >> length);
  for (let i = 1; i < length; i++) value = (value << 6) | (bytes[at + i]! & 0x3f);
  return value;
}

function visibleCharacter(character: string): string {
  const code = character.codePointAt(0)!;
  if (code < 0x20) return String.fromCharCode(CONTROL_PICTURES + code);
  if (code === DEL) return PICTURE_OF_DEL;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${hex(code, 4)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  if (max < 1) return '';
  const last = text.charCodeAt(max - 2);
  const end = last >= 0xd800 && last <= 0xdbff ? max - 2 : max - 1;
  return text.slice(0, end) + ELLIPSIS;
}
