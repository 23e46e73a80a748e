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
/** How deep URLs inside the query of URLs are followed. */
const NESTING = 3;

const PAIR = new RegExp(`(^|[?&#;])([^=&?#;]{1,${LONGEST_NAME}})=([^&]*)`, 'g');
const PATH_PARAMETER = new RegExp(`;([^=&?#;/]{1,${LONGEST_NAME}})=([^;/?&#]*)`, 'g');
/** As PAIR, in running text: the value ends where a word does. */
const PAIR_IN_TEXT = new RegExp(`([?&#;])([^=&?#;\\s]{1,${LONGEST_NAME}})=([^&#\\s"'<>)]*)`, 'g');
/** Text without one of these has neither fields nor a user part. */
const FIELD_OR_URL = /=|%3d|:\/\//i;
const USER_PART = /(:\/\/[^/?#@\s:]*):[^/?#@\s]*@/g;

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
  return isSecretName(name) ? REDACTED : redactUrl(value);
}

/** A URL, query string or urlencoded form, or any text in which one may stand, without the values of its secret fields. */
export function redactUrl(text: string): string {
  if (!FIELD_OR_URL.test(text)) return text;
  return redactPairs(text, NESTING).replace(USER_PART, `$1:${REDACTED}@`);
}

/** The request with everything secret replaced. What holds no secret is shared with the original. */
export function redactExchange(exchange: Exchange): Exchange {
  const { response } = exchange;
  const params = exchange.params.map(redactParam);
  const headers = response?.headers.map(redactHeader) ?? [];
  const secrets = secretValues(exchange);
  const scrub = (text: string) => redactText(text, secrets);
  return {
    ...exchange,
    params,
    url: exchange.url === null ? null : redactUrl(exchange.url),
    script: exchange.script === null ? null : redactUrl(exchange.script),
    response: response === null ? null : { ...response, headers, invalidLines: response.invalidLines.map(scrub) },
    problems: exchange.problems.map((problem) => ({ ...problem, message: scrub(problem.message) })),
    findings: exchange.findings.map((finding) => redactFinding(finding, scrub)),
  };
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
    evidence: finding.evidence.map((one) => (one.kind === 'stderr' ? { ...one, text: scrub(one.text) } : one)),
  };
}

function redactPairs(text: string, depth: number): string {
  if (depth === 0 || !text.includes('=')) return depth > 0 ? redactNested(text, depth) : text;
  const at = pathLength(text);
  const path = text.slice(0, at).replace(PATH_PARAMETER, (whole, name: string) => {
    return isSecretName(decoded(name)) ? `;${name}=${REDACTED}` : whole;
  });
  const query = text.slice(at).replace(PAIR, (_whole, separator: string, name: string, value: string) => {
    const shown = isSecretName(decoded(name)) && value !== '' ? REDACTED : redactNested(value, depth);
    return `${separator}${name}=${shown}`;
  });
  return path + query;
}

/** Where the query or fragment of a URL or path begins; 0 when the text does not begin as one. */
function pathLength(text: string): number {
  if (!/^(?:\/|[a-z][a-z0-9+.-]{0,31}:\/\/)/i.test(text)) return 0;
  const at = text.search(/[?#]/);
  return at < 0 ? text.length : at;
}

/** A value that is itself a URL with a query, in the open or percent-encoded. */
function redactNested(value: string, depth: number): string {
  if (value.includes('=')) return redactPairs(value, depth - 1);
  if (!/%3d/i.test(value)) return value;
  const inner = decoded(value);
  const redacted = redactPairs(inner, depth - 1);
  return redacted === inner ? value : encodeURIComponent(redacted);
}

function redactText(text: string, secrets: readonly string[]): string {
  let scrubbed = text.replace(PAIR_IN_TEXT, (whole, separator: string, name: string) =>
    isSecretName(decoded(name)) ? `${separator}${name}=${REDACTED}` : whole,
  );
  for (const secret of secrets) scrubbed = scrubbed.replaceAll(secret, REDACTED);
  return scrubbed.replace(USER_PART, `$1:${REDACTED}@`);
}

function secretValues(exchange: Exchange): string[] {
  if (exchange.findings.length === 0 && exchange.problems.length === 0 && !exchange.response?.invalidLines.length) {
    return [];
  }
  return [...exchange.params, ...(exchange.response?.headers ?? [])]
    .filter(({ name, value }) => value.length >= SHORTEST_SOUGHT && isSecretName(name))
    .map(({ value }) => value)
    .sort((a, b) => b.length - a.length);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
