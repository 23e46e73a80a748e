import { u16 } from '../../model/bytes.js';
import type { Party, Recogniser, Recognition, StreamStart } from '../../model/recognition.js';
import { BODY_LENGTH, HEADER_LENGTH, KEEP_CONN, MAX_RECORD_LENGTH, RecordType, Role, VERSION } from './constants.js';
import { type ForeignProtocol, foreignMessage, foreignProtocol } from './foreign-protocol.js';
import { isPlausibleApartFromVersion, isPlausibleHeader, recordLength } from './framing.js';

/**
 * Whether two streams are FastCGI, and whose is the web server's: the types of the records tell, since each has its sender
 * (specification section 8). A connection seen from its start is decided on the sixteen bytes of its first BEGIN_REQUEST. From the
 * middle, what is looked for is a chain of records, each where the length of the one before says; FastCGI cannot be without one.
 *
 * A chain is worth as many bits as its bytes would be unlikely in random ones: 21 for the version, a type that the chain's direction
 * sends and the reserved byte of any header; more for what this record's id, length, padding and body could have been and are not. It is
 * worth nothing as soon as something else stands where a header must be. EARLY is asked for while more bytes may come, AT_END when none
 * will. So of random bytes, whose 2 · 2^16 places each may begin a chain, one connection in 2^79 is taken for FastCGI at once, and one
 * in 2^47 in the end. Real bytes are not random: zeros and ones are common, tables have a period. If every zero byte that a header needs
 * came with a chance of 1 in 4 and every one with 1 in 16, in place of 1 in 256, three headers of one id (which EARLY comes to) are still
 * met at one place in 2^50; and a header that repeats itself without content, as a table does, is worth nothing. What remains are bytes
 * made to deceive, and a connection that carries a recording of FastCGI of which the beginning was not seen: for that one the chain
 * has to go on to the end of what is there, or for long.
 *
 * It is no FastCGI when a stream seen from its start does not begin with a header, or when one joined in the middle has none of which
 * a chain goes on within the length of the largest record. One stream is enough to tell, unless the other one is FastCGI beyond doubt.
 */
export const recogniseFastcgi: Recogniser = (first, second) => {
  if (beginsWithRequest(first)) return RECOGNISED[0];
  if (beginsWithRequest(second)) return RECOGNISED[1];
  const one = evidence(first);
  const other = evidence(second);
  const needed = first.complete && second.complete ? AT_END : EARLY;
  const known = (one === NOT_FASTCGI ? 0 : one) - (other === NOT_FASTCGI ? 0 : other);
  // Types of opposite directions bear one another out; of the same, both parties pretend to be the web server (or the application).
  const sum = one * other < 0 ? known : Math.abs(one) > Math.abs(other) || one === other ? one : -other;
  if (one !== NOT_FASTCGI && other !== NOT_FASTCGI) {
    if (Math.abs(sum) >= needed) return RECOGNISED[sum > 0 ? 0 : 1];
    return needed === EARLY ? UNDECIDED : UNKNOWN;
  }
  if (Math.abs(known) >= needed) return RECOGNISED[known > 0 ? 0 : 1];
  const rest = one === NOT_FASTCGI ? second : first;
  // Something that a backend printed before its first record, while the web server's first record is still on its way.
  if (known !== 0 && !rest.complete) return UNDECIDED;
  return foreignOf(one === NOT_FASTCGI ? first : second) ?? UNKNOWN;
};

const UNDECIDED: Recognition = { kind: 'undecided' };
const UNKNOWN: Recognition = { kind: 'foreign', protocol: null };
const RECOGNISED: Readonly<Record<Party, Recognition>> = [
  { kind: 'recognised', client: 0 },
  { kind: 'recognised', client: 1 },
];

/** Bits of evidence that decide; see above. */
const EARLY = 96;
const AT_END = 64;

/** In place of bits: a chain that breaks, a stream that is not FastCGI. No chain is worth so little. */
const BROKEN = Number.NEGATIVE_INFINITY;
const NOT_FASTCGI = Number.NEGATIVE_INFINITY;

/** The usual case: nothing is made, nothing else is looked at. */
function beginsWithRequest({ bytes, fromStart }: StreamStart): boolean {
  return (
    fromStart &&
    bytes.length >= HEADER_LENGTH + BODY_LENGTH &&
    bytes[0] === VERSION &&
    bytes[1] === RecordType.BEGIN_REQUEST &&
    isPlausibleApartFromVersion(bytes, 0, 'client') &&
    isUsualBegin(bytes, HEADER_LENGTH)
  );
}

/** Bits for a web server's stream, as a negative number for an application's; 0 for no evidence yet, or NOT_FASTCGI. */
function evidence(stream: StreamStart): number {
  const { bytes, fromStart } = stream;
  if (!fromStart) return middleEvidence(stream);
  const start = proxyHeaderLength(bytes);
  if (bytes.length - start < HEADER_LENGTH) return 0;
  const bits = chainBits(stream, start, EARLY);
  return bits === BROKEN ? NOT_FASTCGI : bits + Math.sign(bits) * PLACE_BITS;
}

/** A chain at the one place where it must begin is worth more than at one of 2^16. */
const PLACE_BITS = 16;

function middleEvidence(stream: StreamStart): number {
  const { bytes } = stream;
  if (foreignMessage(bytes) !== null) return NOT_FASTCGI;
  const places = Math.min(bytes.length - HEADER_LENGTH + 1, MAX_RECORD_LENGTH);
  let best = 0;
  let alive = false;
  for (let at = 0; at < places; at++) {
    // All plausible headers have the version, a type below 12 and the reserved byte: most places are passed over here.
    if (bytes[at] !== VERSION || bytes[at + 7] !== 0 || bytes[at + 1]! > RecordType.UNKNOWN_TYPE) continue;
    const bits = chainBits(stream, at, FAR);
    if (bits === BROKEN) continue;
    alive = true;
    if (Math.abs(bits) > Math.abs(best)) best = bits;
    if (Math.abs(best) >= EARLY) return best;
  }
  return !alive && places === MAX_RECORD_LENGTH ? NOT_FASTCGI : best;
}

/** A chain of some thirty records need not be followed further: or else bytes made of headers would be followed from each of them. */
const FAR = 1024;

/**
 * What the chain that begins at `from` is worth, BROKEN if it does not go on to the end of the bytes; no further than to `enough`. The
 * sign says whose records they are.
 */
function chainBits({ bytes, fromStart, complete }: StreamStart, from: number, enough: number): number {
  // PHP-FPM never looks at the version: another one counts where the first header must be, and in those that follow it.
  const version = fromStart ? bytes[from]! : VERSION;
  let at = from;
  let bits = 0;
  let sign = 0;
  let id = -1;
  let repeated = 0;
  let headers = 0;
  while (bytes.length - at >= HEADER_LENGTH) {
    if (sign === 0) {
      sign = isPlausibleHeader(bytes, at, 'client', version)
        ? 1
        : isPlausibleHeader(bytes, at, 'server', version)
          ? -1
          : 0;
      if (sign === 0) return BROKEN;
      if (version !== VERSION && bytes[at + 1] !== RecordType.BEGIN_REQUEST) return BROKEN;
    } else if (!isPlausibleHeader(bytes, at, sign > 0 ? 'client' : 'server', version)) return BROKEN;
    const length = recordLength(bytes, at);
    if (length === HEADER_LENGTH && at > from && sameHeader(bytes, at)) {
      if (++repeated === REPEATED) return BROKEN;
    } else {
      repeated = 0;
      bits += headerBits(bytes, at, id) - (version === VERSION ? 0 : ODD_VERSION_BITS);
    }
    id = u16(bytes, at + 2);
    at += length;
    headers += 1;
    if (bits >= enough) return sign * bits;
  }
  if (at < bytes.length && bytes[at] !== version) return BROKEN;
  if (at === bytes.length && complete) bits += EXACT_END_BITS;
  if (headers === 1 && (at > bytes.length || at === from + HEADER_LENGTH)) bits = Math.min(bits, LONE_BITS);
  return sign * bits;
}

/** Nobody ends a stream more often than this in a row. */
const REPEATED = 3;

/** The header at `at` and the eight bytes before it, which are a header without content. */
function sameHeader(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < HEADER_LENGTH; i++) if (bytes[at + i] !== bytes[at + i - HEADER_LENGTH]) return false;
  return true;
}

/** Another version is no evidence (8), and speaks against the rest. */
const ODD_VERSION_BITS = 16;
/** Version, reserved byte, and one of some five types of 256. */
const HEADER_BITS = 21;
/** An id below 256, or the id of the record before, each; 0 in a management record is both. */
const ID_BITS = 8;
/** Padding below 8: those who pad at all pad to 8. */
const PADDING_BITS = 5;
const LENGTH_BITS = 16;
/** The most that a header alone is worth while nothing shows that its length is one: with PLACE_BITS, too little at any time. */
const LONE_BITS = 40;
/** The record ends where the stream does. */
const EXACT_END_BITS = 16;

function headerBits(bytes: Uint8Array, at: number, lastId: number): number {
  const type = bytes[at + 1]!;
  const id = u16(bytes, at + 2);
  const bits =
    HEADER_BITS + (id < 256 ? ID_BITS : 0) + (id === lastId ? ID_BITS : 0) + (bytes[at + 6]! < 8 ? PADDING_BITS : 0);
  const body = at + HEADER_LENGTH;
  const whole = body + BODY_LENGTH <= bytes.length;
  switch (type) {
    case RecordType.BEGIN_REQUEST:
      return bits + LENGTH_BITS + (whole && isUsualBegin(bytes, body) ? BEGIN_BITS : 0);
    case RecordType.END_REQUEST:
      return bits + LENGTH_BITS + (whole && isUsualEnd(bytes, body) ? END_BITS : 0);
    case RecordType.UNKNOWN_TYPE:
      return bits + LENGTH_BITS + (whole && areZero(bytes, body + 1, body + BODY_LENGTH) ? UNKNOWN_TYPE_BITS : 0);
    case RecordType.ABORT_REQUEST:
      return bits + LENGTH_BITS;
    case RecordType.GET_VALUES:
    case RecordType.GET_VALUES_RESULT:
      return bits + ID_BITS + (namesFcgi(bytes, body) ? NAME_BITS : 0);
    default:
      return bits + (u16(bytes, at + 4) === 0 ? LENGTH_BITS : 0);
  }
}

/** Less than what the bytes are worth, so that in the middle one record alone, whatever it is, decides nothing early. */
const BEGIN_BITS = 40;
const END_BITS = 30;
const UNKNOWN_TYPE_BITS = 40;
const NAME_BITS = 40;

/** A role of the specification and the one flag that there is (section 5.1). */
function isUsualBegin(bytes: Uint8Array, body: number): boolean {
  const role = u16(bytes, body);
  return (
    role >= Role.RESPONDER && role <= Role.FILTER && bytes[body + 2]! <= KEEP_CONN && areZero(bytes, body + 3, body + 8)
  );
}

/** One of the four protocol statuses (section 5.5). */
function isUsualEnd(bytes: Uint8Array, body: number): boolean {
  return bytes[body + 4]! <= 3 && areZero(bytes, body + 5, body + 8);
}

/** The first pair's name begins with FCGI_, as all that can be asked for do (section 4.1). */
function namesFcgi(bytes: Uint8Array, body: number): boolean {
  const name = body + 2;
  return (
    bytes[name] === 0x46 &&
    bytes[name + 1] === 0x43 &&
    bytes[name + 2] === 0x47 &&
    bytes[name + 3] === 0x49 &&
    bytes[name + 4] === 0x5f
  );
}

function areZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) return false;
  return true;
}

/**
 * How much a PROXY protocol header takes of the stream that it begins (its specification, sections 2.1 and 2.2): the records come after
 * it. 0 without one, more than there is while it is not whole.
 */
function proxyHeaderLength(bytes: Uint8Array): number {
  if (bytes[0] !== 0x50 && bytes[0] !== 0x0d) return 0;
  if (bytes.length < HEADER_LENGTH) return MORE;
  const found = foreignProtocol(bytes.subarray(0, HEADER_LENGTH));
  if (found?.protocol !== 'PROXY protocol') return 0;
  if (bytes[0] === 0x0d) return bytes.length < PROXY_V2 ? MORE : PROXY_V2 + u16(bytes, PROXY_V2 - 2);
  const end = bytes.indexOf(0x0a) + 1;
  if (end > PROXY_V1_LONGEST || (end === 0 && bytes.length >= PROXY_V1_LONGEST)) return 0;
  return end === 0 ? MORE : end;
}

const MORE = Number.POSITIVE_INFINITY;
const PROXY_V2 = 16;
const PROXY_V1_LONGEST = 107;

function foreignOf({ bytes, fromStart }: StreamStart): Recognition | null {
  const found: ForeignProtocol | null = fromStart
    ? foreignProtocol(bytes.subarray(0, HEADER_LENGTH))
    : foreignMessage(bytes);
  return found === null ? null : { kind: 'foreign', protocol: found.protocol };
}
