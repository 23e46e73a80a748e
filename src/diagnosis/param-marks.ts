import type { Exchange, Param } from '../model/exchange.js';

/**
 * What there is to suspect in the params of a request, found in one pass that all rules share. Nearly every request has nothing, and
 * every request is asked. A web server sends the same names in the same order, so what a name means is remembered by its place: as long
 * as the names are those of the request before, they cost a comparison each, and only the few values are read in which an attack would
 * stand. A mark says that a rule should look; the rule decides.
 */
export const MARK = {
  /** HTTP_PROXY with a value. */
  PROXY: 1,
  /** PHP_VALUE or PHP_ADMIN_VALUE with a value. */
  PHP_SETTING: 2,
  /** The name of something secret that no client header is, with a value. */
  SECRET: 4,
  /** A header that security hangs on came twice, or Content-Length with two values. */
  TWIN: 8,
  /** `..`, a backslash, a control character or `%` in SCRIPT_FILENAME or PATH_TRANSLATED. */
  ODD_PATH: 16,
  /** A folder of SCRIPT_FILENAME has the name of an image, document or archive. */
  FILE_AS_FOLDER: 32,
  /** `%0…` in REQUEST_URI: a control character may be encoded there. */
  ENCODED_CONTROL: 64,
  /** `passw` in QUERY_STRING. */
  QUERY_SECRET: 128,
  /** REMOTE_USER with a value. */
  REMOTE_USER: 256,
  /** A name came twice, whatever its values. */
  SAME_NAME: 512,
} as const;

/** The marks of a request, as bits of MARK. */
export function paramMarks({ params }: Pick<Exchange, 'params'>): number {
  if (params !== lastParams || params.length !== lastCount) {
    lastMarks = look(params);
    lastParams = params;
    lastCount = params.length;
  }
  return lastMarks;
}

/** Client headers of which applications and proxies believe that only one came, and from whom. */
export const TRUSTED_HEADERS = [
  'HTTP_HOST',
  'HTTP_AUTHORIZATION',
  'HTTP_X_REAL_IP',
  'HTTP_X_FORWARDED_FOR',
  'HTTP_X_FORWARDED_HOST',
  'HTTP_X_FORWARDED_PROTO',
  'HTTP_REMOTE_USER',
] as const;

/** Whether a param, other than a client's header, is called like a secret. mod_ssl's SSL_SERVER_A_KEY and the like name algorithms. */
export function isSecretParam(name: string): boolean {
  return SECRET_ENDING.test(name) && !name.startsWith('HTTP_') && !name.startsWith('SSL_');
}

/** What people end the names of their secrets with; see also isSecretName, which judges what is shown. */
const SECRET_ENDING = /(?:PASSWORD|PASSWD|_PASS|_PWD|SECRET|_KEY|_TOKEN|DATABASE_URL|AUTH_PW)$/;

/** Params are only ever added to a list, never changed in it, so that a list and its length tell whether they are the same. */
let lastParams: readonly Param[] | null = null;
let lastCount = 0;
let lastMarks = 0;

/** What is to be done about a param: its marks when it has a value, or one of these. */
type Meaning = number;
const NOTHING: Meaning = 0;
const PATH: Meaning = -1;
const TRANSLATED: Meaning = -2;
const URI: Meaning = -3;
const QUERY: Meaning = -4;
const BODY_LENGTH: Meaning = -5;
const HEADER_LENGTH: Meaning = -6;
/** This, and less by the header's place among TRUSTED_HEADERS. */
const TRUSTED: Meaning = -100;

const MEANINGS: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['HTTP_PROXY', MARK.PROXY],
  ['PHP_VALUE', MARK.PHP_SETTING],
  ['PHP_ADMIN_VALUE', MARK.PHP_SETTING],
  ['REMOTE_USER', MARK.REMOTE_USER],
  ['SCRIPT_FILENAME', PATH],
  ['PATH_TRANSLATED', TRANSLATED],
  ['REQUEST_URI', URI],
  ['QUERY_STRING', QUERY],
  ['CONTENT_LENGTH', BODY_LENGTH],
  ['HTTP_CONTENT_LENGTH', HEADER_LENGTH],
  ...TRUSTED_HEADERS.map((name, index) => [name, TRUSTED - index] as const),
]);

/**
 * The name that was last met at each place, and what it means. Only of the first places, and of names short enough for the decoder to
 * give the same string again: so it stays small, and a comparison is one of two pointers.
 */
const PLACES = 128;
const LONGEST_REMEMBERED = 32;
const namesByPlace: string[] = new Array<string>(PLACES).fill('');
const meaningsByPlace: Meaning[] = new Array<Meaning>(PLACES).fill(NOTHING);

/** Of the request that was looked at last: how many params it had, and SAME_NAME if a name came twice. */
let countByPlace = 0;
let sameName = 0;

function look(params: readonly Param[]): number {
  let marks = 0;
  let isAsBefore = params.length === countByPlace;
  let seen = 0;
  let bodyLength = '';
  let headerLength = '';
  for (let i = 0; i < params.length; i++) {
    const { name, value } = params[i]!;
    let meaning: Meaning;
    if (i < PLACES && namesByPlace[i] === name) meaning = meaningsByPlace[i]!;
    else {
      isAsBefore = false;
      meaning = meaningOf(name);
      if (i < PLACES && name.length <= LONGEST_REMEMBERED) {
        namesByPlace[i] = name;
        meaningsByPlace[i] = meaning;
      }
    }
    if (meaning === NOTHING || value === '') continue;
    if (meaning > 0) marks |= meaning;
    else if (meaning === PATH) marks |= pathMarks(value);
    else if (meaning === URI) marks |= value.includes('%0') ? MARK.ENCODED_CONTROL : 0;
    else if (meaning === QUERY) marks |= value.includes('passw') ? MARK.QUERY_SECRET : 0;
    else if (meaning === TRANSLATED) marks |= pathMarks(value) & MARK.ODD_PATH;
    else if (meaning === BODY_LENGTH) bodyLength = value;
    else if (meaning === HEADER_LENGTH) headerLength = value;
    else {
      const bit = 1 << (TRUSTED - meaning);
      if (seen & bit) marks |= MARK.TWIN;
      seen |= bit;
    }
  }
  if (bodyLength !== '' && headerLength !== '' && bodyLength !== headerLength) marks |= MARK.TWIN;
  if (!isAsBefore) {
    sameName = hasSameName(params) ? MARK.SAME_NAME : 0;
    countByPlace = params.length;
  }
  return marks | sameName;
}

/** A place for each name, by a mixture of its length and three of its letters: equal names have the same. Emptied after each look. */
const SLOTS = 512;
const slots = new Uint16Array(SLOTS);
/** Params of one request that are compared: no web server sends more of its own accord, and names may be made to share one place. */
const COMPARED = 400;

function hasSameName(params: readonly Param[]): boolean {
  const count = Math.min(params.length, COMPARED);
  let found = false;
  for (let i = 0; i < count && !found; i++) {
    const { name } = params[i]!;
    const slot = slotOf(name);
    const first = slots[slot]!;
    if (first === 0) slots[slot] = i + 1;
    else for (let other = first - 1; other < i && !found; other++) found = params[other]!.name === name;
  }
  slots.fill(0);
  return found;
}

function slotOf(name: string): number {
  const { length } = name;
  const mixture = length * 37 + name.charCodeAt(length - 1) * 11 + name.charCodeAt(length >> 1) * 5;
  return (mixture + name.charCodeAt(length - 3)) & (SLOTS - 1);
}

function meaningOf(name: string): Meaning {
  return MEANINGS.get(name) ?? (isSecretParam(name) ? MARK.SECRET : NOTHING);
}

/** One script answers most of the requests of a site: its path is not looked at twice in a row. */
let lastPath = '';
let lastPathMarks = 0;

function pathMarks(path: string): number {
  if (path !== lastPath) {
    lastPathMarks = lookAtPath(path);
    lastPath = path;
  }
  return lastPathMarks;
}

/** One look at each character: most are letters. */
function lookAtPath(path: string): number {
  let marks = 0;
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code > DOT) {
      if (code === BACKSLASH) marks |= MARK.ODD_PATH;
    } else if (code === DOT) {
      if (path.charCodeAt(i + 1) === DOT) marks |= MARK.ODD_PATH;
      else if (isFileAsFolder(path, i + 1)) marks |= MARK.FILE_AS_FOLDER;
    } else if (code < SPACE || code === PERCENT) marks |= MARK.ODD_PATH;
  }
  return marks;
}

const SPACE = 0x20;
const PERCENT = 0x25;
const DOT = 0x2e;
const BACKSLASH = 0x5c;

/** What visitors upload, and no folder is called. */
const UPLOADED = new Set(
  'jpg jpeg png gif bmp webp svg ico avif tif tiff pdf txt csv log zip gz tar rar 7z mp3 mp4 avi mov doc docx xls xlsx odt'.split(
    ' ',
  ),
);
const LONGEST_EXTENSION = 4;

/** @param at where an extension begins */
function isFileAsFolder(path: string, at: number): boolean {
  const slash = path.indexOf('/', at);
  return slash > 0 && slash - at <= LONGEST_EXTENSION && UPLOADED.has(path.slice(at, slash).toLowerCase());
}
