import { concatBytes, isLossyUtf8, u32 } from '../../model/bytes.js';
import type { Param } from '../../model/exchange.js';
import { FamiliarBytes } from './familiar-bytes.js';
import { decodeText, familiarText } from './wire-text.js';

/**
 * Name-value pairs (specification section 3.4), both ways: length of the name, length of the value, name, value. A length below 128
 * takes one byte, any other four with the top bit set. The stream of pairs may be cut into records anywhere, so a reader joins the
 * contents of a request's PARAMS records first.
 */
export interface DecodedPairs {
  /** In wire order, duplicates kept. */
  readonly params: Param[];
  /** True when the bytes are whole pairs to the end. */
  readonly complete: boolean;
  /** How many bytes the whole pairs take; the rest is given in `problem`. */
  readonly consumed: number;
  readonly problem: PairsProblem | null;
}

export interface PairsProblem {
  readonly code: 'params-cut' | 'params-length-absurd';
  /** Where the pair that could not be read begins in the bytes. */
  readonly offset: number;
  readonly message: string;
}

/** A name or value in text form or, where the exact bytes matter, as bytes. */
export type PairPart = string | Uint8Array;
export type Pair = readonly [name: PairPart, value: PairPart];

/**
 * A length above this is no cut but a misreading: no web server takes a header or sets a parameter that comes near it (nginx and
 * Apache stop at 8 KiB a header, HAProxy at 16 KiB a request), while lost bytes make lengths of any size.
 */
export const ABSURD_LENGTH = 1024 * 1024;

/**
 * Never throws: what cannot be read is described in `problem`. Nothing returned refers to `bytes`.
 * @param params to which they are added
 */
export function decodePairs(bytes: Uint8Array, params: Param[] = []): DecodedPairs {
  const end = bytes.length;
  let at = 0;
  while (at < end) {
    const start = at;
    let nameLength = bytes[at++]!;
    if (nameLength >= LONG) {
      if (at + 3 > end) return broken(params, bytes, start, -1, -1);
      nameLength = u32(bytes, at - 1) & MAX_LENGTH;
      at += 3;
    }
    if (at >= end) return broken(params, bytes, start, nameLength, -1);
    let valueLength = bytes[at++]!;
    if (valueLength >= LONG) {
      if (at + 3 > end) return broken(params, bytes, start, nameLength, -1);
      valueLength = u32(bytes, at - 1) & MAX_LENGTH;
      at += 3;
    }
    const valueAt = at + nameLength;
    const next = valueAt + valueLength;
    if (next > end) return broken(params, bytes, start, nameLength, valueLength);
    let param = familiar.find(bytes, start, next);
    if (param === null) {
      param = decodePair(bytes, at, valueAt, next);
      familiar.remember(bytes, start, next, param);
    }
    params.push(param);
    at = next;
  }
  return { params, complete: true, consumed: end, problem: null };
}

function decodePair(bytes: Uint8Array, at: number, valueAt: number, next: number): Param {
  let lossy = false;
  let name = familiarText(bytes, at, valueAt);
  if (name === null) {
    name = decodeText(bytes, at, valueAt);
    lossy = isLossyUtf8(name, bytes, at, valueAt);
  }
  let value = familiarText(bytes, valueAt, next);
  if (value === null) {
    value = decodeText(bytes, valueAt, next);
    lossy ||= isLossyUtf8(value, bytes, valueAt, next);
  }
  return lossy ? { name, value, bytes: bytes.slice(valueAt, next) } : { name, value };
}

/** The inverse of decodePairs; strings are written as UTF-8. Lengths are written in the short form where it suffices. */
export function encodePairs(pairs: readonly Pair[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const pair of pairs) {
    const name = partBytes(pair[0]);
    const value = partBytes(pair[1]);
    parts.push(encodeLength(name.length), encodeLength(value.length), name, value);
  }
  return concatBytes(parts);
}

/** The top bit of a length's first byte: the length takes four bytes, and 31 bits of them count. */
const LONG = 0x80;
const MAX_LENGTH = 0x7fffffff;

const encoder = new TextEncoder();

const familiar = new FamiliarBytes<Param>();

/** @param nameLength what was announced, -1 when not even that could be read; likewise valueLength */
function broken(
  params: Param[],
  bytes: Uint8Array,
  offset: number,
  nameLength: number,
  valueLength: number,
): DecodedPairs {
  const left = bytes.length - offset;
  const announced =
    valueLength >= 0
      ? `a name of ${nameLength} and a value of ${valueLength} bytes`
      : nameLength >= 0
        ? `a name of ${nameLength} bytes`
        : 'a name whose length is cut';
  const absurd = Math.max(nameLength, valueLength) > ABSURD_LENGTH;
  const message = `name-value pair ${params.length + 1} announces ${announced}, but ${left} ${
    left === 1 ? 'byte is' : 'bytes are'
  } left from its beginning`;
  const code = absurd ? 'params-length-absurd' : 'params-cut';
  return { params, complete: false, consumed: offset, problem: { code, offset, message } };
}

function partBytes(part: PairPart): Uint8Array {
  return typeof part === 'string' ? encoder.encode(part) : part;
}

function encodeLength(length: number): Uint8Array {
  if (length < LONG) return Uint8Array.of(length);
  return Uint8Array.of((length >>> 24) | LONG, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff);
}
