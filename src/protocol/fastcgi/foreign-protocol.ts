/**
 * Which other protocol a stream begins with, told from its first bytes: what people connect to a FastCGI port by mistake, and what a
 * backend prints before it speaks FastCGI. Eight bytes have to do, since the decoder judges a header as soon as it is there.
 *
 * @param head the first eight bytes of the stream, fewer only if there are no more
 * @returns the protocol in words that fit "the stream begins with …", null when nothing is recognised
 */
export function foreignProtocol(head: Uint8Array): string | null {
  if (isTls(head)) return 'a TLS record';
  if (isUwsgi(head)) return 'a uwsgi request';
  if (isAjp(head)) return 'an AJP packet';
  let text = '';
  for (const byte of head) text += String.fromCharCode(byte);
  return TEXTS.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}

const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/^\r\n\r\n\0\r\nQ/, 'a PROXY protocol v2 header'],
  [/^PROXY /, 'a PROXY protocol v1 header'],
  [/^HTTP\//, 'an HTTP response'],
  [/^PRI \* HT/, 'an HTTP/2 request'],
  [/^(?:GET|HEAD|POST|PUT|DELETE|PATCH|TRACE|OPTIONS|CONNECT) |^(?:PROPFIND|PROPPATC|REPORT )/, 'an HTTP request'],
  [/^SSH-/, 'an SSH banner'],
  [/^[0-9]{1,6}:C/, 'an SCGI request'],
  [/^(?:Status:|Content-|Location|Set-Cook|X-Powere)/i, 'a CGI response without FastCGI records'],
  [/^(?:PHP |Warning:|Fatal er|Parse er|Notice: |<br \/>)/, 'a PHP message'],
  [/^\s*<[!?a-z]/i, 'HTML or XML'],
  [/^\s*(?:\{\s*["}]|\[\s*["{[\]0-9-])/, 'JSON'],
  [/^[\t\n\r\x20-\x7e]+$/, 'plain text'],
];

/** A handshake or alert of SSL 3.0 to TLS 1.3 (RFC 8446 section 5.1). */
function isTls(head: Uint8Array): boolean {
  return (head[0] === 0x16 || head[0] === 0x15) && head[1] === 3 && head[2]! <= 4;
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
  return head[0] === 0x41 && head[1] === 0x42 && code >= 3 && code <= 9;
}

function isCapital(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || byte === 0x5f;
}
