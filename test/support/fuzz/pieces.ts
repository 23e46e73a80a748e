import { gzipSync } from 'node:zlib';
import type { Pair } from '../../../src/protocol/fastcgi/name-value.js';

/** What hostile requests and answers are put together from. */

/** Reproducible numbers from 0 to below `below`. */
export type Roll = (below: number) => number;

/** What the two sides of a connection say. */
export interface Material {
  /** What it is, for whoever has to look into a failure. */
  readonly name: string;
  readonly client: Buffer;
  readonly server: Buffer;
  /** The content of STDOUT of its one request, when nothing is wrong with it and it must be recorded as it is. */
  readonly stdout: Buffer | null;
}

export function params(roll: Roll): Pair[] {
  const pairs: Pair[] = [
    ['REQUEST_METHOD', roll(2) === 0 ? 'POST' : 'GET'],
    ['SCRIPT_NAME', '/fuzz.php'],
    ['REQUEST_URI', `/fuzz.php?${hostileText(roll).toString('latin1')}`],
    ['CONTENT_TYPE', TYPES[roll(TYPES.length)]!],
    ['HTTP_HOST', 'fuzz.example'],
    ['HTTP_COOKIE', hostileText(roll)],
  ];
  for (let i = roll(6); i > 0; i--) pairs.push([noise(roll, roll(40)), noise(roll, roll(300))]);
  return pairs.slice(roll(3));
}

const TYPES = [
  'text/html',
  'text/plain; charset=utf-16',
  'text/html; charset="\x1b"',
  'application/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'image/png',
  ';;;=',
] as const;
const CODINGS = ['gzip', 'deflate', 'br', 'gzip, gzip', 'identity', 'zstd', ''] as const;

export function head(roll: Roll): Buffer {
  const end = roll(2) === 0 ? '\r\n' : '\n';
  const lines = [`Content-Type: ${TYPES[roll(TYPES.length)]}`];
  if (roll(3) === 0) lines.push(`Status: ${roll(1_200)} ${hostileText(roll).toString('latin1')}`);
  if (roll(3) === 0) lines.push(`Content-Encoding: ${CODINGS[roll(CODINGS.length)]}`);
  if (roll(3) === 0) lines.push(`Set-Cookie: ${hostileText(roll).toString('latin1')}`);
  if (roll(6) === 0) lines.push('Location: //\u0000/..');
  if (roll(6) === 0) lines.push('no header at all');
  return Buffer.from(lines.join(end) + end + end, 'latin1');
}

export function body(roll: Roll): Buffer {
  if (roll(4) === 0) return gzipSync(hostileText(roll)).subarray(roll(4));
  if (roll(4) === 0) return Buffer.from(`{"a":[${'['.repeat(roll(5_000))}`);
  return roll(2) === 0 ? hostileText(roll) : noise(roll, roll(9_000));
}

/** Control sequences, half characters, line ends where none belong, words that other formats end with. */
export function hostileText(roll: Roll): Buffer {
  const pieces = Array.from({ length: 1 + roll(12) }, () => TEXTS[roll(TEXTS.length)]!);
  return Buffer.concat(pieces);
}

const TEXTS = [
  '\x1b[2J\x1b]0;title\x07',
  '\x1bP+q\x1b\\',
  '\r\n',
  '\n',
  '\0',
  '</script>',
  '","x":"',
  '\u2028',
  '\u202e',
  '\ufeff',
  'password=geheim&a=%zz%',
  'PHP Fatal error:  x',
  '\\ud800',
  'é',
  '😀',
  'plain words ',
]
  .map((text) => Buffer.from(text))
  .concat([Buffer.from([0xc3]), Buffer.from([0xff, 0xfe]), Buffer.from([0xed, 0xa0, 0x80])]);

/** Mostly small: what is large is seldom where faults are. */
export function size(roll: Roll): number {
  return roll(20) === 0 ? roll(1_500_000) : roll(roll(3) === 0 ? 60_000 : 2_000);
}

/** Reproducible bytes, quick to make: a piece of one long noise. */
export function noise(roll: Roll, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  const least = NOISE.length / 2;
  for (let at = 0; at < length; at += least) NOISE.copy(bytes, at, roll(least));
  return bytes;
}

const NOISE = ((): Buffer => {
  const bytes = Buffer.alloc(256 * 1024);
  let state = 1;
  for (let at = 0; at < bytes.length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = state >>> 16;
  }
  return bytes;
})();
