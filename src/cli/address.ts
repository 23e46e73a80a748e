import type { Endpoint } from '../model/connection.js';
import { FcgiInspectError } from '../model/errors.js';

const FORMS = '9000, 127.0.0.1:9000, [::1]:9000, unix:/run/php.sock, /run/php.sock or unix:@name';

/**
 * Reads `9000` (loopback), `host:9000`, `[::1]:9000`, `unix:/path`, `/path` or `unix:@name` (abstract).
 *
 * @param option the option it was given to, for the error's words
 * @throws FcgiInspectError 'bad-address'
 */
export function parseAddress(text: string, option: string): Endpoint {
  const bad = (why: string): FcgiInspectError =>
    new FcgiInspectError('bad-address', `${option} ${JSON.stringify(text)}: ${why}`, `write it as ${FORMS}`);
  if (text === '') throw bad('the address is empty');
  if (text.startsWith('unix:') || text.startsWith('/')) return parseUnix(text.replace(/^unix:/, ''), bad);

  const match = /^(?:\[([^\]]*)\]:|([^:]*):)?(\d+)$/.exec(text);
  if (!match) {
    throw bad(whatIsWrong(text));
  }
  const [, bracketed, host, digits] = match;
  const port = Number(digits);
  if (port > 65_535) throw bad(`there is no port ${digits}`);
  if (bracketed === '' || host === '') throw bad('the host is empty');
  return { kind: 'tcp', host: bracketed ?? host ?? '127.0.0.1', port };
}

/** Of what is no `host:port`. */
function whatIsWrong(text: string): string {
  if (/^[a-z]+:\/\//i.test(text)) return 'an address has no scheme: leave out what stands before the host';
  if (text.startsWith('[')) return 'this is no address';
  if (!text.includes(':')) return text.includes('/') ? 'a path begins with / or unix:' : 'a host needs a port';
  const [, port] = /^[^:]*:([^:]*)$/.exec(text) ?? [];
  return port === undefined ? 'an IPv6 address needs brackets, and a port' : `${JSON.stringify(port)} is no port`;
}

/** Whether whoever reaches the address must already be on this machine. */
export function isLocal(endpoint: Endpoint): boolean {
  return (
    endpoint.kind === 'unix' || endpoint.host === 'localhost' || endpoint.host === '::1' || /^127\./.test(endpoint.host)
  );
}

/** What sun_path holds, its closing NUL not counted (unix(7)). */
const UNIX_PATH_LIMIT = 107;

function parseUnix(path: string, bad: (why: string) => FcgiInspectError): Endpoint {
  if (path === '' || path === '@') throw bad('the path is empty');
  if (path.includes('\0')) throw bad('a path has no NUL byte');
  const bytes = Buffer.byteLength(path);
  if (bytes > UNIX_PATH_LIMIT) throw bad(`the path has ${bytes} bytes, a Unix socket's may have ${UNIX_PATH_LIMIT}`);
  return { kind: 'unix', path };
}
