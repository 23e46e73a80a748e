import type { Exchange, Param } from '../model/exchange.js';

/**
 * What there is to suspect in the params of a request, found in one pass that all rules share. Nearly every request has nothing, and
 * every request is asked: so a name is told by its first letter and its length before it is compared, and values are looked at only
 * where an attack would stand in them. A mark says that a rule should look; the rule decides.
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

/** Endings of what people call their secrets; see also isSecretName, which judges what is shown. */
const SECRET_ENDINGS = ['PASSWORD', 'PASSWD', '_PASS', '_PWD', 'SECRET', '_KEY', '_TOKEN', 'DATABASE_URL', 'AUTH_PW'];

/** What visitors upload, and no folder is called. */
const UPLOADED = new Set(
  'jpg jpeg png gif bmp webp svg ico avif tif tiff pdf txt csv log zip gz tar rar 7z mp3 mp4 avi mov doc docx xls xlsx odt'.split(
    ' ',
  ),
);
const LONGEST_EXTENSION = 4;

/** Params are only ever added to a list, never changed in it, so that a list and its length tell whether they are the same. */
let lastParams: readonly Param[] | null = null;
let lastCount = 0;
let lastMarks = 0;

function look(params: readonly Param[]): number {
  let marks = 0;
  let seen = 0;
  let contentLength = '';
  let headerLength = '';
  for (let i = 0; i < params.length; i++) {
    const { name, value } = params[i]!;
    if (value === '') continue;
    const first = name.charCodeAt(0);
    if (first === H && name.charCodeAt(4) === UNDERSCORE) {
      switch (name.length) {
        case 9: // HTTP_HOST
        case 14: // HTTP_X_REAL_IP
        case 16: // HTTP_REMOTE_USER
        case 18: // HTTP_AUTHORIZATION
        case 20: // HTTP_X_FORWARDED_FOR
        case 21: // HTTP_X_FORWARDED_HOST
        case 22: {
          // HTTP_X_FORWARDED_PROTO
          const index = (TRUSTED_HEADERS as readonly string[]).indexOf(name);
          if (index < 0) break;
          if (seen & (1 << index)) marks |= MARK.TWIN;
          seen |= 1 << index;
          break;
        }
        case 10:
          if (name === 'HTTP_PROXY') marks |= MARK.PROXY;
          break;
        case 19:
          if (name === 'HTTP_CONTENT_LENGTH') headerLength = value;
          break;
      }
      continue;
    }
    switch (name.length) {
      case 9:
        if (name === 'PHP_VALUE') marks |= MARK.PHP_SETTING;
        break;
      case 11:
        if (name === 'REQUEST_URI') {
          if (value.includes('%0')) marks |= MARK.ENCODED_CONTROL;
        } else if (name === 'REMOTE_USER') marks |= MARK.REMOTE_USER;
        break;
      case 12:
        if (name === 'QUERY_STRING' && value.includes('passw')) marks |= MARK.QUERY_SECRET;
        break;
      case 14:
        if (name === 'CONTENT_LENGTH') contentLength = value;
        break;
      case 15:
        if (name === 'SCRIPT_FILENAME') marks |= pathMarks(value);
        else if (name === 'PHP_ADMIN_VALUE') marks |= MARK.PHP_SETTING;
        else if (name === 'PATH_TRANSLATED') marks |= pathMarks(value) & MARK.ODD_PATH;
        break;
    }
    if (mayBeSecret(name)) marks |= MARK.SECRET;
  }
  if (contentLength !== '' && headerLength !== '' && contentLength !== headerLength) marks |= MARK.TWIN;
  return marks;
}

const H = 0x48;
const UNDERSCORE = 0x5f;

/** Asked of the names of all params that are no client headers: the last two letters rule nearly all of them out. */
function mayBeSecret(name: string): boolean {
  const { length } = name;
  switch ((name.charCodeAt(length - 2) << 8) | name.charCodeAt(length - 1)) {
    case 0x5244: // RD
    case 0x5744: // WD
    case 0x5353: // SS
    case 0x4554: // ET
    case 0x4559: // EY
    case 0x454e: // EN
    case 0x524c: // RL
    case 0x5057: // PW
      return isSecretParam(name);
    default:
      return false;
  }
}

/** Whether a param, other than a client's header, is called like a secret. mod_ssl's SSL_SERVER_A_KEY and the like name algorithms. */
export function isSecretParam(name: string): boolean {
  if (name.startsWith('HTTP_') || name.startsWith('SSL_')) return false;
  return SECRET_ENDINGS.some((ending) => name.endsWith(ending));
}

/** One look at each character: most are letters. */
function pathMarks(path: string): number {
  let marks = 0;
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code > 0x2e) {
      if (code === 0x5c) marks |= MARK.ODD_PATH;
    } else if (code === 0x2e) {
      if (path.charCodeAt(i + 1) === 0x2e) marks |= MARK.ODD_PATH;
      else if (isFileAsFolder(path, i + 1)) marks |= MARK.FILE_AS_FOLDER;
    } else if (code < 0x20 || code === 0x25) marks |= MARK.ODD_PATH;
  }
  return marks;
}

/** @param at where an extension begins */
function isFileAsFolder(path: string, at: number): boolean {
  const slash = path.indexOf('/', at);
  return slash > 0 && slash - at <= LONGEST_EXTENSION && UPLOADED.has(path.slice(at, slash).toLowerCase());
}
