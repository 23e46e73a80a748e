import type { Exchange } from '../../../model/exchange.js';
import { paramValue } from '../../../model/param-value.js';
import { visibleText } from '../../../model/visible-text.js';
import { headerFacts, isBodiless } from '../../header-facts.js';
import { defineRule, type Sighting } from '../../rule.js';

/** ID1 and ID2 of a gzip member (RFC 1952 section 2.3.1). */
const GZIP_1 = 0x1f;
const GZIP_2 = 0x8b;
/** A gzip header without optional fields. */
const GZIP_HEADER = 10;
/** FLG: no optional field is there. */
const GZIP_FLAGS_AT = 3;
/** The frame's magic number, little endian (RFC 8878 section 3.1.1). */
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd] as const;

export const encodingMismatch = defineRule({
  id: 'encoding-mismatch',
  severity: 'error',
  title: 'The body is not compressed in the way its headers say',
  meaning:
    'Content-Encoding tells the browser how to unpack the body. Here the two do not fit: the browser shows an error (ERR_CONTENT_DECODING_FAILED), or unreadable signs. No web server notices.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: [
      'Let one place compress: the application or the web server, not both. The web server leaves a response alone that has a Content-Encoding.',
      'A cache of compressed pages must keep their Content-Encoding with them.',
    ],
    php: [
      'zlib.output_compression = Off, or no ob_start("ob_gzhandler"): not both; and no gzencode() in the script beside one of them.',
      'An error message printed before a compressed body breaks it: display_errors = Off.',
    ],
    nginx: ['gzip on; in nginx, and compression off in the application, is the simplest.'],
  },
  look: ['curl -s --raw -H "Accept-Encoding: gzip" URL | head -c 4 | xxd: 1f8b is gzip.'],
  needs: ['headers'],
  absence: 'server',
  seen: [
    'nginx → libfcgi',
    'lighttpd → libfcgi',
    'Apache mod_proxy_fcgi → libfcgi',
    'Caddy → libfcgi',
    'HAProxy → libfcgi',
    'nginx → PHP-FPM',
    'lighttpd → PHP-FPM',
  ],
  check(exchange) {
    const { response, bodyHead } = exchange;
    if (response === null || bodyHead.length < 4 || isBodiless(response.status)) return null;
    const facts = headerFacts(response);
    const gzipped = bodyHead[0] === GZIP_1 && bodyHead[1] === GZIP_2;
    if (facts.contentEncoding === null) return gzipped ? undeclared(facts.contentType, response.length) : null;
    if (facts.transferEncoding !== null) return null;
    return declared(exchange, facts.contentEncoding.toLowerCase(), gzipped, response.length);
  },
});

/** Text is never gzip; an archive is. */
function undeclared(contentType: string | null, offset: number): Sighting | null {
  if (
    contentType === null ||
    !/^(?:text\/|application\/(?:json|javascript|xml)\b|[\w.-]+\/[\w.-]+\+(?:json|xml)\b)/i.test(contentType)
  ) {
    return null;
  }
  return {
    detail: `The body is gzip, its type ${visibleText(contentType, 60)}, and there is no Content-Encoding: the client gets compressed bytes as a page.`,
    evidence: [
      { kind: 'header', name: 'Content-Type' },
      { kind: 'bytes', stream: 'stdout', offset, length: 2 },
    ],
  };
}

function declared(exchange: Exchange, coding: string, gzipped: boolean, offset: number): Sighting | null {
  const evidence = [
    { kind: 'header', name: 'Content-Encoding' },
    { kind: 'bytes', stream: 'stdout', offset, length: 4 },
  ] as const;
  const { bodyHead, params } = exchange;
  if (coding === 'gzip' || coding === 'x-gzip') {
    if (!gzipped) {
      return { detail: 'Content-Encoding is gzip, and the body is not: it does not begin with 1f 8b.', evidence };
    }
    if (holdsGzip(bodyHead))
      return { detail: 'The body is gzip, and so is what is in it: it was compressed twice.', evidence };
  } else if (coding === 'zstd') {
    if (!ZSTD.every((byte, i) => bodyHead[i] === byte)) {
      return { detail: 'Content-Encoding is zstd, and the body is not: it does not begin with 28 b5 2f fd.', evidence };
    }
  } else if (coding === 'br' || coding === 'deflate') {
    if (gzipped) return { detail: `Content-Encoding is ${coding}, and the body is gzip.`, evidence };
  } else return null;
  const accepted = paramValue(params, 'HTTP_ACCEPT_ENCODING');
  if (accepted === null || accepted.includes('*') || accepted.toLowerCase().includes(coding.replace('x-', '')))
    return null;
  return {
    detail: `The body is ${coding}, and the client accepts "${visibleText(accepted, 60)}" only: it may not be able to unpack it.`,
    severity: 'warning',
    advice: [
      'Look at Accept-Encoding before compressing, and send Vary: Accept-Encoding, so that caches keep the forms apart.',
    ],
    evidence: [...evidence, { kind: 'param', name: 'HTTP_ACCEPT_ENCODING' }],
  };
}

/**
 * Whether a gzip member's content begins as another one does. Compressed bytes cannot be compressed, so they lie in a stored block, or if
 * they are few in one with fixed codes, in which each of these two bytes has eight bits (RFC 1951 sections 3.2.4 and 3.2.6).
 */
function holdsGzip(head: Uint8Array): boolean {
  if (head.length < GZIP_HEADER + 7 || head[GZIP_FLAGS_AT] !== 0) return false;
  const first = head[GZIP_HEADER]!;
  const type = (first >> 1) & 3;
  if (type === 0) return head[GZIP_HEADER + 5] === GZIP_1 && head[GZIP_HEADER + 6] === GZIP_2;
  return type === 1 && fixedLiteral(head, 3) === GZIP_1 && fixedLiteral(head, 11) === GZIP_2;
}

/** The literal of eight bits (0 to 143: codes from 0x30) at a bit position of the block; Huffman codes begin with their highest bit. */
function fixedLiteral(head: Uint8Array, at: number): number {
  let code = 0;
  for (let bit = at; bit < at + 8; bit++) {
    code = (code << 1) | ((head[GZIP_HEADER + (bit >> 3)]! >> (bit & 7)) & 1);
  }
  return code - FIRST_FIXED_CODE;
}

const FIRST_FIXED_CODE = 0x30;
