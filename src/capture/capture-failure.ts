import { getSystemErrorMap } from 'node:util';
import { FcgiInspectError } from '../model/errors.js';

/** How many first bytes of a file are looked at to say what it is. */
const HEAD_LENGTH = 512;

interface Foreign {
  readonly magic: readonly number[];
  readonly what: string;
  /** `NAME` stands for the file's name. */
  readonly advice: string;
}

const ADVICE = 'captures are what tcpdump -w, dumpcap, tshark -w and Wireshark write: pcap or pcapng, gzipped or not';
const CONVERT = 'convert it: editcap -F pcapng NAME out.pcapng';

/** Files that people take for captures, or that hold one. */
const FOREIGN: readonly Foreign[] = [
  packed([0x28, 0xb5, 0x2f, 0xfd], 'zstd', 'zstd -dc'),
  packed([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], 'xz', 'xz -dc'),
  packed([0x04, 0x22, 0x4d, 0x18], 'lz4', 'lz4 -dc'),
  packed(ascii('BZh'), 'bzip2', 'bzip2 -dc'),
  packed(ascii('PK\x03\x04'), 'zip', 'unzip -p'),
  packed([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], '7-Zip', '7z x -so'),
  other(ascii('snoop\0\0\0'), 'a snoop capture'),
  other(ascii('GMBU'), 'a Microsoft Network Monitor capture'),
  other(ascii('RTSS'), 'a Microsoft Network Monitor capture'),
  other(ascii('TRSNIFF data'), 'a Sniffer capture'),
  other(ascii('XCP\0'), 'a NetXRay capture'),
  other(ascii('\x7fELF'), 'a program'),
];

/** What to tell about an input that begins with `bytes` and is no capture. `place` follows its name: " after unpacking". */
export function foreignError(name: string, bytes: Uint8Array, place: string): FcgiInspectError {
  const head = bytes.subarray(0, HEAD_LENGTH);
  const found = FOREIGN.find(({ magic }) => magic.every((byte, i) => head[i] === byte));
  const what = found?.what ?? (isText(head) ? 'a text' : null);
  const looks = what === null ? '' : `: it looks like ${what}`;
  const advice = found?.advice ?? ADVICE;
  return new FcgiInspectError('unsupported', `${name} is not a capture${place}${looks}`, advice.replace('NAME', name));
}

/** What to tell when an input cannot be opened or begun: an FcgiInspectError stays what it is. */
export function openingError(name: string, error: unknown): FcgiInspectError {
  if (error instanceof FcgiInspectError) return error;
  const errno = errnoOf(error);
  if (errno === 'ENOENT' || errno === 'ENOTDIR') {
    return new FcgiInspectError(
      'not-found',
      `${name} does not exist`,
      'look at the spelling, and at the directory you are in',
    );
  }
  if (errno === 'EACCES' || errno === 'EPERM') {
    return new FcgiInspectError(
      'permission',
      `no permission to read ${name}`,
      'captures often belong to root: sudo chown $USER, or read it with sudo',
    );
  }
  if (errno === 'EMFILE' || errno === 'ENFILE') {
    return new FcgiInspectError(
      'io',
      `${name}: too many files are open`,
      'merge them before: mergecap -w all.pcapng …; or raise ulimit -n',
    );
  }
  if (errno === 'ENXIO') {
    return new FcgiInspectError('unsupported', `${name} is a socket or a device, not a capture`, ADVICE);
  }
  return new FcgiInspectError('io', `${name} cannot be read: ${wordsOf(error)}`);
}

/** The system's words for an error, without the call and the path that Node puts after them. */
export function wordsOf(error: unknown): string {
  const errno = errnoOf(error);
  const known = [...getSystemErrorMap().values()].find(([name]) => name === errno);
  if (known) return `${known[1]} (${known[0]})`;
  return error instanceof Error ? error.message : String(error);
}

function errnoOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

function packed(magic: readonly number[], name: string, command: string): Foreign {
  return { magic, what: `something that ${name} packed`, advice: `unpack it: ${command} NAME | fcgi-inspect -` };
}

function other(magic: readonly number[], what: string): Foreign {
  return { magic, what, advice: what.includes('capture') ? CONVERT : ADVICE };
}

function ascii(text: string): number[] {
  return [...text].map((letter) => letter.charCodeAt(0));
}

function isText(head: Uint8Array): boolean {
  return head.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d) && head.length > 0;
}
