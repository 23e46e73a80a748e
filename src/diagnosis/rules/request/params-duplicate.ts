import type { Exchange, Param } from '../../../model/exchange.js';
import { visibleText } from '../../../model/visible-text.js';
import { TRUSTED_HEADERS } from '../../param-marks.js';
import { defineRule } from '../../rule.js';

export const paramsDuplicate = defineRule({
  id: 'params-duplicate',
  severity: 'note',
  title: 'A param came twice, and only one of the two is seen',
  meaning:
    'The backend got the same name with two values. PHP takes the last one and forgets the first; other programs may do the opposite. Two Cookie headers become one so, and a value that a visitor sends may take the place of one that the web server sets.',
  layer: 'remark',
  certainty: 'proven',
  remedies: {
    nginx: [
      'upgrade to 1.23 or newer, which joins header lines of one name; before, each becomes a param of its own.',
      'look for a fastcgi_param that is set twice: nginx -T | grep fastcgi_param.',
    ],
    haproxy: ['http-request set-header joins or picks: http-request set-header X-Forwarded-For %[src].'],
    h2o: ['the same headers arrive one by one; let the application read the last.'],
    any: ['Names with "_" and "-" become one param (X_Y and X-Y): let the web server drop headers with an underscore.'],
  },
  look: ['The Params tab shows both values.'],
  seen: ['nginx → PHP-FPM'],
  check(exchange) {
    const twin = firstTwin(exchange);
    if (twin === null) return null;
    return {
      detail: `${visibleText(twin.name, SHOWN)} came twice, with different values: PHP has the last one.`,
      evidence: [{ kind: 'param', name: twin.name }],
    };
  },
});

/** Characters of a name in a message. */
const SHOWN = 60;

/** A place for each name, by a mixture of its length and three of its letters: twins have the same. Emptied after each look. */
const PLACES = 512;
const places = new Uint16Array(PLACES);

/** The names of the last request without twins: the next one mostly has the same, and then it has none either. */
let lastNames: readonly string[] = [];

/** A param that came twice with different values; null in nearly all requests, all of which are asked. */
function firstTwin({ params }: Exchange): Param | null {
  if (isLikeLast(params)) return null;
  let found: Param | null = null;
  let shared = false;
  const count = Math.min(params.length, LOOKED_AT);
  for (let i = 0; i < count && found === null; i++) {
    const place = placeOf(params[i]!.name);
    const before = places[place]!;
    if (before === 0) places[place] = i + 1;
    else {
      shared ||= params.some(({ name }, at) => at < i && name === params[i]!.name);
      found = twinOf(params, i, before - 1);
    }
  }
  places.fill(0);
  if (!shared && params.length <= LOOKED_AT) lastNames = params.map(({ name }) => name);
  return found;
}

function isLikeLast(params: readonly Param[]): boolean {
  const { length } = lastNames;
  if (params.length !== length) return false;
  for (let i = 0; i < length; i++) if (params[i]!.name !== lastNames[i]) return false;
  return true;
}

/** Params of one request that are compared: no web server sends more of its own accord, and names may be made to share one place. */
const LOOKED_AT = 400;

/** Looks for the one before it with its name, from where their place was first taken. */
function twinOf(params: readonly Param[], at: number, from: number): Param | null {
  const { name, value } = params[at]!;
  for (let i = from; i < at; i++) {
    const other = params[i]!;
    if (other.name === name && other.value !== value && !TOLD_ELSEWHERE.has(name)) return other;
  }
  return null;
}

/** header-name-collision tells of these, and what comes of it. */
const TOLD_ELSEWHERE: ReadonlySet<string> = new Set(TRUSTED_HEADERS);

function placeOf(name: string): number {
  const { length } = name;
  const mixture = length * 37 + name.charCodeAt(length - 1) * 11 + name.charCodeAt(length >> 1) * 5;
  return (mixture + name.charCodeAt(length - 3)) & (PLACES - 1);
}
