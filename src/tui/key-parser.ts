import { StringDecoder } from 'node:string_decoder';

/**
 * A push parser for what a terminal sends: chunks in, keys out. A chunk may hold many keys (`jjj`), half a key (an arrow split after
 * its Escape) or half a character. A lone Escape cannot be told from the beginning of a sequence but by waiting: the caller owns the
 * clock, and calls `flush` when nothing has followed for ESCAPE_TIMEOUT. A pasted text is one event, so that it can never act as keys.
 */

export type KeyEvent =
  /** Printable characters stand for themselves, others are named: `enter`, `escape`, `pageup`, `ctrl+f`, `alt+x`. */
  { readonly kind: 'key'; readonly key: string } | { readonly kind: 'paste'; readonly text: string };

/** Milliseconds. A sequence comes in one burst, over a slow line within a few tens; longer, and Escape would feel dead. */
export const ESCAPE_TIMEOUT = 50;

/** Longer than any real sequence: something that never ends is not one. */
const SEQUENCE_MAX = 64;
/** A paste beyond this is cut: the only place for it is one line of text. */
const PASTE_MAX = 64 * 1024;

const PASTE_BEGIN = '\x1b[200~';
const PASTE_END = '\x1b[201~';

const CONTROL: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x7f': 'backspace',
  '\b': 'backspace',
};

const SEQUENCES: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  Z: 'shift+tab',
  '1~': 'home',
  '7~': 'home',
  '4~': 'end',
  '8~': 'end',
  '3~': 'delete',
  '5~': 'pageup',
  '6~': 'pagedown',
};

export class KeyParser {
  // `held` is the beginning of a sequence that has not ended; it begins with Escape or is empty. `pasted` is null outside of a paste.
  private held = '';
  private pasted: string | null = null;
  private readonly decoder = new StringDecoder('utf8');

  push(chunk: Uint8Array | string): KeyEvent[] {
    const events: KeyEvent[] = [];
    let text = this.held + (typeof chunk === 'string' ? chunk : this.decoder.write(Buffer.from(chunk)));
    this.held = '';
    while (text !== '') {
      if (this.pasted !== null) {
        text = this.paste(text, events);
        continue;
      }
      if (text[0] !== '\x1b') {
        const point = String.fromCodePoint(text.codePointAt(0)!);
        text = text.slice(point.length);
        const key = named(point);
        if (key !== null) events.push({ kind: 'key', key });
        continue;
      }
      const length = sequenceLength(text);
      if (length === 0) {
        this.held = text;
        break;
      }
      const sequence = text.slice(0, length);
      text = text.slice(length);
      if (sequence === PASTE_BEGIN) {
        this.pasted = '';
        continue;
      }
      const key = sequenceKey(sequence);
      if (key !== null) events.push({ kind: 'key', key });
    }
    return events;
  }

  /** True when an Escape waits for what may follow. */
  get waiting(): boolean {
    return this.held !== '' && this.pasted === null;
  }

  /** Nothing has followed: the Escape was a key, and what came after it were keys too. */
  flush(): KeyEvent[] {
    if (!this.waiting) return [];
    const rest = this.held.slice(1);
    this.held = '';
    return [{ kind: 'key', key: 'escape' }, ...this.push(rest)];
  }

  private paste(text: string, events: KeyEvent[]): string {
    const end = text.indexOf(PASTE_END);
    if (end < 0) {
      // The end mark itself may be split: its beginning stays with the text and is found when the rest comes.
      const tail = partialEnd(text);
      this.pasted = (this.pasted + text.slice(0, text.length - tail)).slice(0, PASTE_MAX);
      this.held = text.slice(text.length - tail);
      return '';
    }
    events.push({ kind: 'paste', text: (this.pasted + text.slice(0, end)).slice(0, PASTE_MAX) });
    this.pasted = null;
    return text.slice(end + PASTE_END.length);
  }
}

function partialEnd(text: string): number {
  for (let length = Math.min(PASTE_END.length - 1, text.length); length > 0; length--)
    if (PASTE_END.startsWith(text.slice(text.length - length))) return length;
  return 0;
}

/** How long the sequence at the head of the text is; 0 when it has not ended. */
function sequenceLength(text: string): number {
  if (text.length === 1) return 0;
  if (text[1] === 'O') return text.length < 3 ? 0 : 3;
  // Escape before another Escape is a key of its own.
  if (text[1] === '\x1b') return 1;
  if (text[1] !== '[') return 1 + String.fromCodePoint(text.codePointAt(1)!).length;
  for (let at = 2; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0x40 && code <= 0x7e) return at + 1;
    if (code < 0x20 || code > 0x7e || at >= SEQUENCE_MAX) return at;
  }
  return 0;
}

function sequenceKey(sequence: string): string | null {
  if (sequence === '\x1b') return 'escape';
  if (sequence.length > 2 && (sequence[1] === '[' || sequence[1] === 'O')) {
    // Modifiers (`1;5C`) are dropped: Ctrl+Right is Right.
    const body = sequence.slice(2).replace(/^(\d+);\d+/, (_, first: string) => (/~$/.test(sequence) ? first : ''));
    return SEQUENCES[body] ?? null;
  }
  const key = named(sequence.slice(1));
  return key === null ? null : `alt+${key}`;
}

function named(point: string): string | null {
  const name = CONTROL[point];
  if (name !== undefined) return name;
  const code = point.codePointAt(0)!;
  if (code >= 1 && code <= 26) return `ctrl+${String.fromCharCode(code + 96)}`;
  if (code < 32 || (code >= 0x7f && code < 0xa0)) return null;
  return point;
}
