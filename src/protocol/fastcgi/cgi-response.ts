import { isLossyUtf8, NO_BYTES } from '../../model/bytes.js';
import type { Header, ResponseHead } from '../../model/exchange.js';
import { visibleBytes } from '../../model/visible-text.js';
import { FamiliarBytes } from './familiar-bytes.js';
import { wireText } from './wire-text.js';

/**
 * The CGI header block at the head of STDOUT (RFC 3875 section 6): lines ended by LF or CRLF up to an empty one. It may be spread
 * over any number of records; usually it lies whole in the first, and is then read in place without a copy.
 *
 * It reads what applications send, not only what they should: a line that is no `Name: value` is kept apart, a line that begins with
 * white space continues the one before it (obs-fold), bytes that are not UTF-8 are read as Latin-1.
 */
export class ResponseHeadReader {
  /*
   * Invariants: while #head is null, #held[0, #length) is everything pushed so far, #length < MAX_HEAD_LENGTH, and there is no empty
   * line in it. #lineEmpty says that nothing but perhaps a CR has followed the last LF. Once #head is set nothing is held.
   */
  #held: Uint8Array = NO_BYTES;
  #length = 0;
  #lineEmpty = true;
  #head: ResponseHead | null = null;

  /** Null until the block is complete or given up. */
  get head(): ResponseHead | null {
    return this.#head;
  }

  get done(): boolean {
    return this.#head !== null;
  }

  /**
   * @param bytes the next content of STDOUT, borrowed
   * @returns true when the head is there: complete, or given up at MAX_HEAD_LENGTH
   */
  push(bytes: Uint8Array): boolean {
    if (this.#head !== null) return true;
    const room = Math.min(bytes.length, MAX_HEAD_LENGTH - this.#length);
    const end = this.#length === 0 ? this.#findFirst(bytes, room) : this.#findEnd(bytes, room);
    if (end < 0 && this.#length + room < MAX_HEAD_LENGTH) {
      this.#hold(bytes, room);
      return false;
    }
    const complete = end >= 0;
    const taken = complete ? end : room;
    if (this.#length === 0) {
      this.#head = parseHead(bytes, taken, complete);
    } else {
      this.#hold(bytes, taken);
      this.#head = parseHead(this.#held, this.#length, complete);
    }
    this.#held = NO_BYTES;
    return true;
  }

  /** STDOUT is over: what came of the block becomes the head. Without a single byte there is none. */
  finish(): void {
    if (this.#head !== null || this.#length === 0) return;
    this.#head = parseHead(this.#held, this.#length, false);
    this.#held = NO_BYTES;
  }

  /** As #findEnd, of what comes first; in nearly all responses the block lies whole in it. */
  #findFirst(bytes: Uint8Array, length: number): number {
    const end = headEnd(bytes, 0, length, 0);
    return end < 0 ? this.#findEnd(bytes, length) : end;
  }

  /** Where the body begins in `bytes`, -1 when the empty line is not in it. */
  #findEnd(bytes: Uint8Array, length: number): number {
    let lineEmpty = this.#lineEmpty;
    // A CR before the LF keeps a line empty, but only the first: `\r\r\n` is a line with a CR in it.
    let afterCr = lineEmpty && this.#length > 0 && this.#held[this.#length - 1] === CR;
    for (let i = 0; i < length; i++) {
      const byte = bytes[i]!;
      if (byte === LF) {
        if (lineEmpty) return i + 1;
        lineEmpty = true;
        afterCr = false;
      } else if (lineEmpty) {
        if (byte !== CR || afterCr) lineEmpty = false;
        else afterCr = true;
      }
    }
    this.#lineEmpty = lineEmpty;
    return -1;
  }

  #hold(bytes: Uint8Array, length: number): void {
    const needed = this.#length + length;
    if (needed > this.#held.length) {
      const grown = new Uint8Array(Math.min(MAX_HEAD_LENGTH, Math.max(needed, this.#held.length * 2)));
      grown.set(this.#held.subarray(0, this.#length));
      this.#held = grown;
    }
    this.#held.set(bytes.subarray(0, length), this.#length);
    this.#length = needed;
  }
}

/**
 * No web server takes a longer head: nginx stops at its fastcgi_buffer_size (4 or 8 KiB), Apache at 8 KiB a line, lighttpd at 64 KiB.
 * What has no empty line until here is a body without a head.
 */
export const MAX_HEAD_LENGTH = 256 * 1024;

/**
 * Where a block that begins at `from` ends, its empty line included; -1 when that is not in bytes[from, to). Up to `searched` it was looked
 * for already.
 */
export function headEnd(bytes: Uint8Array, from: number, to: number, searched: number): number {
  // An empty line may have begun before: it takes two bytes at most and the LF of the line above.
  for (let i = Math.max(from, searched - 2); i < to; i++) {
    if (bytes[i] !== LF) continue;
    if (i === from || bytes[i - 1] === LF) return i + 1;
    if (bytes[i - 1] === CR && (i - 1 === from || bytes[i - 2] === LF)) return i + 1;
  }
  return -1;
}

/** How many of the lines that are no headers are kept, and how much of each: enough to recognise what they are. */
export const INVALID_LINES_KEPT = 5;
export const INVALID_LINE_LENGTH = 200;

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;

/** A field name is a token (RFC 9110 section 5.6.2): its characters, by their codes. */
const TOKEN = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  TOKEN[character.charCodeAt(0)] = 1;
}
const STATUS = /^([0-9]{3})(?![0-9])[ \t]*(.*)$/s;

function parseHead(bytes: Uint8Array, length: number, complete: boolean): ResponseHead {
  const headers: Header[] = [];
  const invalidLines: string[] = [];
  let at = 0;
  while (at < length) {
    let lf = at;
    while (lf < length && bytes[lf] !== LF) lf++;
    const end = lf < length && lf > at && bytes[lf - 1] === CR ? lf - 1 : lf;
    if (end > at) readLine(bytes, at, end, headers, invalidLines);
    at = lf + 1;
  }
  const { status, reason } = complete ? readStatus(headers) : UNKNOWN_STATUS;
  return { status, reason, headers, complete, length, invalidLines };
}

function readLine(bytes: Uint8Array, from: number, to: number, headers: Header[], invalidLines: string[]): void {
  const last = headers[headers.length - 1];
  if (isBlank(bytes[from]) && last !== undefined) {
    const more = headerText(bytes, from, to);
    const value = last.value === '' || more === '' ? last.value + more : `${last.value} ${more}`;
    headers[headers.length - 1] = { name: last.name, value };
    return;
  }
  const known = familiar.find(bytes, from, to);
  if (known !== null) {
    headers.push(known);
    return;
  }
  let colon = from;
  while (colon < to && TOKEN[bytes[colon]!] === 1) colon++;
  if (colon > from && colon < to && bytes[colon] === COLON) {
    const header = { name: wireText(bytes, from, colon), value: headerText(bytes, colon + 1, to) };
    headers.push(header);
    familiar.remember(bytes, from, to, header);
  } else if (invalidLines.length < INVALID_LINES_KEPT) {
    invalidLines.push(visibleBytes(bytes.subarray(from, to), INVALID_LINE_LENGTH));
  }
}

const familiar = new FamiliarBytes<Header>();

const UNKNOWN_STATUS = { status: null, reason: '' };

/** Of several Status lines the first counts. */
function readStatus(headers: readonly Header[]): { readonly status: number | null; readonly reason: string } {
  let redirect = false;
  for (const { name, value } of headers) {
    if (name.length === 6 && name.toLowerCase() === 'status') {
      const match = STATUS.exec(value);
      return match ? { status: Number(match[1]), reason: match[2]! } : UNKNOWN_STATUS;
    }
    redirect ||= name.length === 8 && name.toLowerCase() === 'location';
  }
  return { status: redirect ? 302 : 200, reason: '' };
}

/** A field value without the white space around it: UTF-8, or Latin-1 when it is not. */
function headerText(bytes: Uint8Array, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(bytes[start])) start++;
  while (end > start && isBlank(bytes[end - 1])) end--;
  const text = wireText(bytes, start, end);
  if (!isLossyUtf8(text, bytes, start, end)) return text;
  let latin1 = '';
  for (let i = start; i < end; i++) latin1 += String.fromCharCode(bytes[i]!);
  return latin1;
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB;
}
