/**
 * Which other protocol a stream begins with, told from its first bytes: what people connect to a FastCGI port by mistake, what a
 * backend prints before it speaks FastCGI, and what else is in a capture that is searched for FastCGI.
 */
export interface ForeignProtocol {
  /** Its name ("HTTP", "TLS"). */
  readonly protocol: string;
  /** What of it was seen, in words that fit "the stream begins with …". */
  readonly words: string;
}

/**
 * At the beginning of a stream. Eight bytes have to do, since the decoder judges a header as soon as it is there.
 *
 * @param head the first eight bytes of the stream, fewer only if there are no more
 * @returns null when nothing is recognised
 */
export function foreignProtocol(head: Uint8Array): ForeignProtocol | null {
  if (isTls(head, TLS_FIRST)) return TLS;
  if (isUwsgi(head)) return UWSGI;
  if (isAjp(head)) return AJP;
  if (isHttp2Settings(head)) return HTTP2_ANSWER;
  return named(latin1(head, HEAD), STARTS) ?? binary(head);
}

/**
 * Where a capture joins a connection, which is mostly at the beginning of a message. Only what cannot be the middle of a FastCGI body
 * by any likely chance is named: a log, an HTML page or the text of a CGI response may well be one.
 *
 * @param head the first bytes seen, FOREIGN_HEAD of them or fewer
 */
export function foreignMessage(head: Uint8Array): ForeignProtocol | null {
  if (isTls(head, TLS_ANY)) return TLS;
  // Not uwsgi's: from the length on, a record of PARAMS or GET_VALUES looks the same.
  if (isAjp(head)) return AJP;
  const first = head[0] ?? 0;
  // A digit (SCGI) or a capital letter (HTTP): nothing else can match below.
  return (first >= 0x30 && first <= 0x39) || isCapital(first) ? named(latin1(head, FOREIGN_HEAD), MESSAGES) : null;
}

/** How much of a stream foreignMessage looks at: a request line that is longer goes unnamed. */
export const FOREIGN_HEAD = 512;
/** How much of it foreignProtocol looks at. */
const HEAD = 8;

const TLS = foreign('TLS', 'a TLS record');
const UWSGI = foreign('uwsgi', 'a uwsgi request');
const AJP = foreign('AJP', 'an AJP packet');
const HTTP_REQUEST = foreign('HTTP', 'an HTTP request');
const HTTP_ANSWER = foreign('HTTP', 'an HTTP response');
const HTTP2_REQUEST = foreign('HTTP/2', 'an HTTP/2 request');
const HTTP2_ANSWER = foreign('HTTP/2', 'an HTTP/2 response');
const SCGI = foreign('SCGI', 'an SCGI request');
const CGI = foreign('CGI', 'a CGI response without FastCGI records');
const MAIL = foreign('SMTP or FTP', 'an SMTP or FTP greeting');

type Pattern = readonly [RegExp, ForeignProtocol];

const STARTS: readonly Pattern[] = [
  [/^\r\n\r\n\0\r\nQ/, foreign('PROXY protocol', 'a PROXY protocol v2 header')],
  [/^PROXY /, foreign('PROXY protocol', 'a PROXY protocol v1 header')],
  [/^HTTP\//, HTTP_ANSWER],
  [/^PRI \* HT/, HTTP2_REQUEST],
  [/^(?:GET|HEAD|POST|PUT|DELETE|PATCH|TRACE|OPTIONS|CONNECT) |^(?:PROPFIND|PROPPATC|REPORT )/, HTTP_REQUEST],
  [/^SSH-/, foreign('SSH', 'an SSH banner')],
  [/^[0-9]{1,6}:C/, SCGI],
  [/^[\s\S]{2}\0\0\n[3-9][.0-9]/, foreign('MySQL', 'a MySQL greeting')],
  [
    /^\0\0[\s\S]{2}\0\x03\0\0|^\0\0\0\x08\x04\xd2\x16[\x2e-\x30]/,
    foreign('PostgreSQL', 'a PostgreSQL start-up message'),
  ],
  [/^\*[0-9]{1,4}\r\n\$|^PING\r\n|^[+]PONG\r/, foreign('Redis', 'a Redis command')],
  [/^\+OK[ \r]/, foreign('POP3', 'a POP3 greeting')],
  [/^\* OK /, foreign('IMAP', 'an IMAP greeting')],
  [/^220[ -]/, MAIL],
  [/^(?:EHLO|HELO) /, foreign('SMTP', 'an SMTP command')],
  [/^\x10[\s\S]\0\x04MQTT/, foreign('MQTT', 'an MQTT packet')],
  [/^AMQP/, foreign('AMQP', 'an AMQP header')],
  [/^RFB 00/, foreign('VNC', 'a VNC greeting')],
  [/^\x13BitTorr/, foreign('BitTorrent', 'a BitTorrent handshake')],
  [/^(?:Status:|Content-|Location|Set-Cook|X-Powere)/i, CGI],
  [/^(?:PHP |Warning:|Fatal er|Parse er|Notice: |<br \/>)/, foreign('PHP', 'a PHP message')],
  [/^\s*<[!?a-z]/i, foreign('HTML or XML', 'HTML or XML')],
  [/^\s*(?:\{\s*["}]|\[\s*["{[\]0-9-])/, foreign('JSON', 'JSON')],
  [/^[\t\n\r\x20-\x7e]+$/, foreign('plain text', 'plain text')],
];

/** With so much of each that no prose has it by chance. */
const MESSAGES: readonly Pattern[] = [
  [/^[A-Z]{3,10} \S+ HTTP\/1\.[01]\r\n/, HTTP_REQUEST],
  [/^HTTP\/1\.[01] [1-5][0-9]{2} [^\r\n]*\r\n/, HTTP_ANSWER],
  [/^PRI \* HTTP\/2\.0\r\n\r\nSM/, HTTP2_REQUEST],
  [/^[0-9]{1,6}:CONTENT_LENGTH\0/, SCGI],
];

function named(text: string, patterns: readonly Pattern[]): ForeignProtocol | null {
  return patterns.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}

/** What has no text in its first bytes, and less to go by than the others: asked last. */
function binary(head: Uint8Array): ForeignProtocol | null {
  return isDns(head) ? foreign('DNS', 'a DNS message') : null;
}

function foreign(protocol: string, words: string): ForeignProtocol {
  return { protocol, words };
}

function latin1(bytes: Uint8Array, most: number): string {
  let text = '';
  const length = Math.min(bytes.length, most);
  for (let i = 0; i < length; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/** Alert and handshake begin a connection; all four content types are met in its middle (RFC 8446 section 5.1). */
const TLS_FIRST = 0x15;
const TLS_ANY = 0x14;

/** A record of SSL 3.0 to TLS 1.3; the length is that of a record that is protected (2^14 + 2048, RFC 5246 section 6.2.3) or less. */
function isTls(head: Uint8Array, least: number): boolean {
  const last = least === TLS_FIRST ? 0x16 : 0x17;
  return head[0]! >= least && head[0]! <= last && head[1] === 3 && head[2]! <= 4 && head[3]! <= 0x48;
}

/** modifier1 0, size (little endian), modifier2 0, then the first key's length and its upper-case name. */
function isUwsgi(head: Uint8Array): boolean {
  if (head.length < 8 || head[0] !== 0 || head[3] !== 0) return false;
  const size = head[1]! | (head[2]! << 8);
  const keyLength = head[4]! | (head[5]! << 8);
  return keyLength > 0 && keyLength + 2 <= size && isCapital(head[6]!) && isCapital(head[7]!);
}

/** AJP 1.3: 0x1234, length, FORWARD_REQUEST (2) or CPING (10) from a web server; "AB", length, a code of 3 to 9 from a container. */
function isAjp(head: Uint8Array): boolean {
  const code = head[4]!;
  if (head[0] === 0x12 && head[1] === 0x34) return code === 2 || code === 10;
  return head[0] === 0x41 && head[1] === 0x42 && head[2]! < 0x20 && code >= 3 && code <= 9;
}

/** What an HTTP/2 server says first: a SETTINGS frame on stream 0 of some entries of six bytes (RFC 9113 section 6.5). */
function isHttp2Settings(head: Uint8Array): boolean {
  if (head.length < 8 || head[0] !== 0 || head[1] !== 0 || head[2]! % 6 !== 0 || head[3] !== 4) return false;
  return head[4]! <= 1 && head[5] === 0 && head[6] === 0 && head[7] === 0;
}

/** Over TCP (RFC 1035 section 4.2.2): length, id, flags of a standard query or its answer, one question. */
function isDns(head: Uint8Array): boolean {
  if (head.length < 8 || head[0]! > 0x0f || head[6] !== 0 || head[7] !== 1) return false;
  return ((head[0]! << 8) | head[1]!) >= DNS_LEAST && (head[4]! & 0x78) === 0 && (head[5]! & 0x40) === 0;
}

/** A header of twelve bytes and a question for the root. */
const DNS_LEAST = 17;

function isCapital(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || byte === 0x5f;
}
