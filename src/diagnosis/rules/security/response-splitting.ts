import type { Exchange, Header, ResponseHead } from '../../../model/exchange.js';
import { paramValue } from '../../../model/param-value.js';
import { visibleText } from '../../../model/visible-text.js';
import { MARK, paramMarks } from '../../param-marks.js';
import { defineRule, type Sighting } from '../../rule.js';

export const responseSplitting = defineRule({
  id: 'response-splitting',
  severity: 'error',
  title: 'The application puts text into its response headers that ends a header',
  meaning:
    'The application copies something into a header (an address to redirect to, a cookie, a file name) without removing line breaks or NUL characters. By that, a client can add headers of its own to the answer, and with a cache between, plant them for other visitors.',
  layer: 'remark',
  certainty: 'proven',
  remedies: {
    any: [
      'In the application: refuse or encode control characters in everything that goes into a header (rawurlencode, encodeURIComponent).',
    ],
  },
  look: [
    'nginx refuses NUL and CR inside a header with 502, "upstream sent invalid header"; lighttpd, HAProxy and Caddy pass NUL on.',
  ],
  seen: ['nginx → fcgiwrap'],
  check(exchange) {
    if (exchange.response === null) return null;
    return insideValue(exchange.response) ?? fromUrl(exchange);
  },
});

function insideValue({ headers, complete }: ResponseHead): Sighting | null {
  for (let i = 0; i < headers.length; i++) {
    const header = headers[i]!;
    if (i < PLACES && cleanByPlace[i] === header) continue;
    const { name, value } = header;
    // A block that was cut off may end between the two characters of a line's end.
    const ending = !complete && i === headers.length - 1 ? 1 : 0;
    const cr = value.indexOf('\r');
    if (value.includes('\0') || (cr >= 0 && cr < value.length - ending)) {
      return {
        detail: `The value of ${visibleText(name, 60)} has a ${value.includes('\0') ? 'NUL' : 'carriage return'} in it: ${visibleText(value, 150)}`,
        severity: 'warning',
        evidence: [{ kind: 'header', name }],
      };
    }
    if (i < PLACES && cr < 0 && value.length <= LONGEST_REMEMBERED) cleanByPlace[i] = header;
  }
  return null;
}

/** A site's headers are mostly the same, in the same order, and then the same objects: what was clean is not looked through again. */
const PLACES = 32;
const LONGEST_REMEMBERED = 256;
const cleanByPlace: (Header | null)[] = new Array<Header | null>(PLACES).fill(null);

/** A header of the response stands, encoded, behind a line break in the URL. */
const ENCODED_HEADER = /%0[ad](?:%0[ad])*([\w!#$&'*+.^`|~-]{1,60})(?::|%3a)([^&?#]{0,200})/gi;

function fromUrl(exchange: Exchange): Sighting | null {
  if ((paramMarks(exchange) & MARK.ENCODED_CONTROL) === 0) return null;
  const uri = paramValue(exchange.params, 'REQUEST_URI') ?? '';
  for (const [, name, rest] of uri.slice(0, URI_READ).matchAll(ENCODED_HEADER)) {
    const value = decoded(rest!)
      .split(/[\r\n]/)[0]!
      .trim();
    const header = exchange.response?.headers.find(
      (one) => one.name.toLowerCase() === name!.toLowerCase() && one.value === value,
    );
    if (header === undefined) continue;
    return {
      detail: `The URL has a line break and ${visibleText(`${name}: ${value}`, 100)} in it, and that is now a header of the answer.`,
      evidence: [
        { kind: 'param', name: 'REQUEST_URI' },
        { kind: 'header', name: header.name },
      ],
    };
  }
  return null;
}

const URI_READ = 8 * 1024;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
