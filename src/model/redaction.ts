import type { Exchange, Header, Param } from './exchange.js';
import type { Finding } from './finding.js';

/**
 * What is secret in a request, and the request without it. Names decide: a param, header, query or form field is secret when its name
 * says so. Its value is replaced, never shortened or hashed, and the name stays, so that one still sees that it was sent.
 *
 * Secret values also occur inside others: in query strings (of the URL, REQUEST_URI, QUERY_STRING, Referer, Location and wherever else
 * one stands), percent-encoded in the query of a nested URL, in the user part of a URL, and quoted by a finding. Response bodies and
 * STDERR are left as they are: nothing in them says what is secret.
 */
export const REDACTED = '[redacted]';

/** Secret wherever they occur in a name, separators left out: `X-CSRF-Token`, `dbPassword`, `PHPSESSID`, `PHP_AUTH_PW`. */
const PARTS =
  /cookie|authorization|phpauth|passw|passphrase|secret|token|credential|apikey|accesskey|privatekey|authkey|appkey|signingkey|sessid|sessionid/;
/** Secret as a word of a name: `API_KEY`, `user[pwd]`, but not `keyword` or `monkey`. */
const WORDS: ReadonlySet<string> = new Set(['key', 'keys', 'pass', 'pwd', 'pw', 'jwt', 'signature', 'otp', 'bearer']);
/** Secret as the whole name only: `auth=` in a query, but not AUTH_TYPE. */
const NAMES: ReadonlySet<string> = new Set(['auth', 'sid', 'sig', 'pin', 'session']);

/** Longer names are not looked at: nobody calls a field that, and the search stays linear. */
const LONGEST_NAME = 256;
/** How often a value is decoded to look for fields in it. What is still encoded then is hidden, whatever it is. */
const NESTING = 3;

/**
 * How fields stand in a text. `name` finds the next `separator name =`; an equals sign separates too, so that the value of a field that
 * is not secret is looked through like everything else. A secret value goes on to `end`.
 */
interface Fields {
  readonly name: RegExp;
  readonly end: RegExp;
}

const QUERY: Fields = { name: new RegExp(`(?:^|[?&#;=])([^=&?#;]{1,${LONGEST_NAME}})=`, 'g'), end: /&/g };
/** The segments of a path and their parameters. */
const PATH: Fields = { name: new RegExp(`[/;=]([^=;/]{1,${LONGEST_NAME}})=`, 'g'), end: /[/;]/g };
/** A URL somewhere in running text: it ends where a word does. */
const TEXT: Fields = {
  name: new RegExp(`(?:^|[?&#;=\\s"'<(])([^=&?#;\\s"'<(]{1,${LONGEST_NAME}})=`, 'g'),
  end: /[&\s"'<>)]/g,
};

/** An equals sign, or the beginning of a URL's authority, percent-encoded once or several times. */
const ENCODED = /%(?:25)*3d|%(?:25)*3a(?:\/|%(?:25)*2f){2}/i;
/** The password may hold `@`: the last one before the path ends it. */
const USER_PART = /(:\/\/[^/?#@\s:]*):[^/?#\s]*@/g;

/** A value this short stands in too many places to be searched for in a finding's text. */
const SHORTEST_SOUGHT = 6;

/** Whether what is called this is to be hidden. @param name of a param (`HTTP_COOKIE`), header, query or form field, decoded */
export function isSecretName(name: string): boolean {
  if (name.length > LONGEST_NAME) return false;
  const known = judged.get(name);
  if (known !== undefined) return known;
  const secret = judge(name);
  if (judged.size >= NAMES_REMEMBERED) judged.clear();
  judged.set(name, secret);
  return secret;
}

/** Requests bring the same few dozen names over and over: asking once takes most of the cost away. */
const judged = new Map<string, boolean>();
const NAMES_REMEMBERED = 1_000;

function judge(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
  const joined = words.join('');
  return PARTS.test(joined) || NAMES.has(joined) || words.some((word) => WORDS.has(word));
}

/** @param value of a param, header or field with that name */
export function redactValue(name: string, value: string): string {
  if (value === '') return value;
  if (isSecretName(name)) return REDACTED;
  return name.endsWith('QUERY_STRING') ? redactQuery(value) : redactUrl(value);
}

/** A URL, query string or urlencoded form, or any text in which one may stand, without the values of its secret fields. */
export function redactUrl(text: string): string {
  return mayHoldFields(text) ? redactParts(text, NESTING) : text;
}

/** A query string or urlencoded form: what looks like a path in it is none. */
export function redactQuery(text: string): string {
  return mayHoldFields(text) && !holdsNothing(text, 0) ? withoutUserPart(redactFields(text, QUERY, NESTING)) : text;
}

/** Text without one of these has neither fields nor a user part. Most values have none: what is asked of each must cost little. */
function mayHoldFields(text: string): boolean {
  return text.includes('=') || text.includes('://') || (text.includes('%') && ENCODED.test(text));
}

/** A line of a header block, folded lines among it, whether it is valid or not; without a colon it is looked through as text. */
export function redactHeaderLine(line: string): string {
  const colon = line.indexOf(':');
  if (colon < 0) return redactText(line, []);
  const name = line.slice(0, colon);
  const value = line.slice(colon + 1);
  const begin = value.length - value.trimStart().length;
  const end = value.trimEnd().length;
  if (end <= begin) return line;
  return `${name}:${value.slice(0, begin)}${redactValue(name, value.slice(begin, end))}${value.slice(end)}`;
}

/** The request with everything secret replaced. What holds no secret is shared with the original. */
export function redactExchange(exchange: Exchange): Exchange {
  const { response } = exchange;
  const params = exchange.params.map(redactParam);
  const headers = response?.headers.map(redactHeader) ?? [];
  const scrub = scrubber(exchange);
  return {
    ...exchange,
    params,
    url: exchange.url === null ? null : redactUrl(exchange.url),
    script: exchange.script === null ? null : redactUrl(exchange.script),
    response:
      response === null
        ? null
        : { ...response, headers, invalidLines: response.invalidLines.map((line) => scrub(redactHeaderLine(line))) },
    problems: exchange.problems.map((problem) => ({ ...problem, message: scrub(problem.message) })),
    findings: exchange.findings.map((finding) => redactFinding(finding, scrub)),
  };
}

/** The findings of `redactExchange(exchange)`, for whoever needs no more of it. */
export function redactFindings(exchange: Exchange): readonly Finding[] {
  const scrub = scrubber(exchange);
  return exchange.findings.map((finding) => redactFinding(finding, scrub));
}

/** Takes what is secret in a request out of a text about it, such as a log line. */
export function scrubber(exchange: Exchange): (text: string) => string {
  // Most requests have no text that is to be looked through.
  let secrets: readonly string[] | null = null;
  return (text) => {
    secrets ??= secretValues(exchange);
    return redactText(text, secrets);
  };
}

/** A line of a log, of which the request is not at hand: without the values of secret fields in the URLs that stand in it. */
export function redactLine(line: string): string {
  return redactText(line, []);
}

function redactParam(param: Param): Param {
  const value = redactValue(param.name, param.value);
  // The exact bytes hold the same secret.
  return value === param.value ? param : { name: param.name, value };
}

function redactHeader(header: Header): Header {
  const value = redactValue(header.name, header.value);
  return value === header.value ? header : { name: header.name, value };
}

function redactFinding(finding: Finding, scrub: (text: string) => string): Finding {
  return {
    ...finding,
    title: scrub(finding.title),
    detail: scrub(finding.detail),
    advice: finding.advice.map(scrub),
    alternatives: finding.alternatives.map(({ cause, tell }) => ({ cause: scrub(cause), tell: scrub(tell) })),
    look: finding.look.map(scrub),
    evidence: finding.evidence.map((one) =>
      one.kind === 'stderr' || one.kind === 'log' ? { ...one, text: scrub(one.text) } : one,
    ),
  };
}

function redactParts(text: string, depth: number): string {
  const at = pathLength(text);
  if (holdsNothing(text, at)) return text;
  const parts = redactFields(text.slice(0, at), PATH, depth) + redactFields(text.slice(at), QUERY, depth);
  return withoutUserPart(parts);
}

/**
 * Whether the fields of a path, which ends at `at`, and of the query behind it are all in the open, and none of them is secret: so it is
 * with most texts, and finding it out by the names alone takes a fifth of the time of putting the text together anew.
 */
function holdsNothing(text: string, at: number): boolean {
  if (text.includes('%') || text.includes('@')) return false;
  for (let sign = text.indexOf('='); sign >= 0; sign = text.indexOf('=', sign + 1)) {
    const inPath = sign < at;
    let begin = sign;
    const least = Math.max(inPath ? 0 : at, sign - LONGEST_NAME);
    while (begin > least && !isSeparator(text.charCodeAt(begin - 1), inPath)) begin--;
    if (begin < sign && isSecretName(text.slice(begin, sign))) return false;
  }
  return true;
}

/** Those of PATH and of QUERY. */
function isSeparator(code: number, inPath: boolean): boolean {
  switch (code) {
    case EQUALS:
    case SEMICOLON:
      return true;
    case SLASH:
      return inPath;
    case QUESTION_MARK:
    case AMPERSAND:
    case HASH:
      return !inPath;
    default:
      return false;
  }
}

const HASH = 0x23;
const AMPERSAND = 0x26;
const SLASH = 0x2f;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUESTION_MARK = 0x3f;

function withoutUserPart(text: string): string {
  return text.includes('@') ? text.replace(USER_PART, `$1:${REDACTED}@`) : text;
}

/** Where the query or fragment of a URL or path begins; 0 when the text does not begin as one. */
function pathLength(text: string): number {
  if (text.charCodeAt(0) !== SLASH && !/^[a-z][a-z0-9+.-]{0,31}:\/\//i.test(text)) return 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUESTION_MARK || code === HASH || code === AMPERSAND) return at;
  }
  return text.length;
}

function redactFields(text: string, fields: Fields, depth: number): string {
  let shown = '';
  /** What stands before it has been dealt with. */
  let done = 0;
  let at = 0;
  for (let match = next(fields.name, text, at); match !== null; match = next(fields.name, text, at)) {
    const value = match.index + match[0].length;
    // The equals sign may separate the next name.
    at = value - 1;
    if (!isSecretName(decoded(match[1]!))) continue;
    const end = next(fields.end, text, value)?.index ?? text.length;
    if (end === value) continue;
    shown += redactEncoded(text.slice(done, value), fields, depth) + REDACTED;
    done = end;
    at = end;
  }
  return shown + redactEncoded(text.slice(done), fields, depth);
}

/** Text without secret fields in the open: those that are percent-encoded in it. */
function redactEncoded(text: string, fields: Fields, depth: number): string {
  if (!ENCODED.test(text)) return text;
  let shown = '';
  for (let from = 0; from < text.length; ) {
    const end = next(fields.end, text, from + 1)?.index ?? text.length;
    const piece = text.slice(from, end);
    const sign = piece.search(ENCODED);
    const begin = sign < 0 ? piece.length : afterSeparator(piece, sign);
    shown += piece.slice(0, begin) + redactNested(piece.slice(begin), depth);
    from = end;
  }
  return shown;
}

/** Where the part of `text` begins in which `at` stands. */
function afterSeparator(text: string, at: number): number {
  let begin = at;
  while (begin > 0 && !SEPARATORS.includes(text[begin - 1]!)) begin--;
  return begin;
}

const SEPARATORS = '=?#;&/';

/** A value that is, percent-encoded, a URL or query. */
function redactNested(value: string, depth: number): string {
  if (value === '') return value;
  if (depth === 0) return REDACTED;
  const inner = decoded(value);
  const redacted = redactParts(inner, depth - 1);
  if (redacted === inner) return value;
  // What cannot be decoded whole cannot be encoded again either.
  return isDecodable(value) ? encodeURIComponent(redacted) : REDACTED;
}

function next(pattern: RegExp, text: string, from: number): RegExpExecArray | null {
  pattern.lastIndex = from;
  return pattern.exec(text);
}

function redactText(text: string, secrets: readonly string[]): string {
  let scrubbed = text;
  for (const secret of secrets) scrubbed = scrubbed.replaceAll(secret, REDACTED);
  return withoutUserPart(redactFields(scrubbed, TEXT, NESTING));
}

function secretValues(exchange: Exchange): string[] {
  return [...exchange.params, ...(exchange.response?.headers ?? [])]
    .filter(({ name, value }) => value.length >= SHORTEST_SOUGHT && isSecretName(name))
    .map(({ value }) => value)
    .sort((a, b) => b.length - a.length);
}

/** Percent-decoded; where that gives no UTF-8, the ASCII characters only, of which names that say something are made. */
function decoded(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced.replace(/%([0-7][0-9a-f])/gi, (_whole, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    );
  }
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
