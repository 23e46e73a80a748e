import { PRODUCT_NAMES, type Product, WEB_SERVERS } from '../products.js';
import { remediesFor } from '../remedies.js';
import type { Rule } from '../rule.js';
import { ruleOf } from '../rule-groups.js';
import type { LogProduct } from './log-message.js';
import { WIRE_MARKS } from './wire-marks.js';

/** A failing state, as somebody is told of it who has a log line and nothing else. */
export interface LogCause {
  readonly id: string;
  readonly title: string;
  readonly meaning: string;
  /** What to change: in general, then for the product whose log it is. */
  readonly advice: readonly string[];
  /** What to look for between web server and backend; with a full stop. */
  readonly wire: string;
  /** There is a rule that finds it. */
  readonly isFound: boolean;
}

/**
 * @param product whose message it is
 * @param passedOnBy the web server in whose log it stands, when that is another's; null when it is not known
 */
export function logCause(id: string, product: LogProduct, passedOnBy: LogProduct | null = null): LogCause {
  const wire = WIRE_MARKS[id] ?? '';
  const rule = ruleOf(id);
  if (rule !== null) {
    const { title, meaning } = rule;
    return { id, title, meaning, advice: adviceOf(rule, product, passedOnBy), wire, isFound: true };
  }
  const own = UNSEEN[id];
  return { id, title: id, meaning: '', advice: [], ...own, wire, isFound: false };
}

/**
 * A web server's log tells nothing of the backend, unless it passes its words on; who looks into PHP-FPM's own has that, and not the web
 * server, to change. What PHP says without a name of whose log it is in may stand in any.
 */
function adviceOf({ remedies }: Rule, product: LogProduct, passedOnBy: LogProduct | null): readonly string[] {
  const own = PRODUCTS[product];
  if (passedOnBy !== null) return remediesFor(remedies, [...PRODUCTS[passedOnBy], ...own]);
  if (product === 'php' || WEB_SERVERS.some((server) => own.includes(server))) return remediesFor(remedies, own);
  const texts = own.flatMap((one) => (remedies[one] ?? []).map((text) => `${PRODUCT_NAMES[one]}: ${text}`));
  return [...(remedies.any ?? []), ...texts];
}

/** Those that leave no mark on the wire, so that no rule can find them. */
export const UNSEEN: Readonly<Record<string, Pick<LogCause, 'title' | 'meaning' | 'advice'>>> = {
  'backend-marked-down': {
    title: 'The web server has put the backend aside',
    meaning:
      'The backend failed a moment ago, and the web server refuses requests for a while without asking it. What has to be mended is that first failure.',
    advice: [
      'Look in the same log for the first error before this one, and mend that.',
      'nginx: with a single server in the upstream block, max_fails=0 keeps it from being put aside.',
      'Apache: retry=0 in ProxyPass for a single backend.',
      'lighttpd: "disable-time" => 0 for a single backend.',
    ],
  },
  'upload-refused-by-web-server': {
    title: 'The web server refuses the upload: it is larger than its own limit',
    meaning:
      'The web server answered 413 by itself. The request never reached the backend, so nothing has to be changed there for this message; PHP’s own limits come after it.',
    advice: [
      'nginx: client_max_body_size 64m; in the http, server or location block that takes the upload, then nginx -t && nginx -s reload.',
      'lighttpd: server.max-request-size = 65536 (in KiB).',
      'Apache: LimitRequestBody 67108864; mod_fcgid: FcgidMaxRequestLen 67108864 (its default is 131072).',
      'Then PHP: post_max_size = 64M and upload_max_filesize = 60M in php.ini, or PHP throws away what the web server lets through.',
    ],
  },
  'spawn-failed': {
    title: 'The backend that the web server starts does not start',
    meaning:
      'The web server runs the FastCGI program itself, and the program ended at once, could not be run, or may not be started once more.',
    advice: [
      'Run the program by hand, as the web server’s user: what it says, and its exit code, tell most. For PHP it must be php-cgi, not php.',
      'Look at its first line, its line ends (no CR), its mode (chmod +x), and whether its libraries are there (ldd).',
      'mod_fcgid: Options +ExecCGI, FcgidWrapper, FcgidMaxProcesses and FcgidMaxProcessesPerClass.',
      'IIS: the Visual C++ runtime of that PHP version; the path of php-cgi.exe in the handler.',
    ],
  },
};

const PRODUCTS: Readonly<Record<LogProduct, readonly Product[]>> = {
  nginx: ['nginx'],
  lighttpd: ['lighttpd'],
  mod_proxy_fcgi: ['apache'],
  mod_fcgid: ['apache'],
  mod_fastcgi: ['apache'],
  mod_authnz_fcgi: ['apache'],
  apache: ['apache'],
  haproxy: ['haproxy'],
  caddy: ['caddy'],
  h2o: ['h2o'],
  openlitespeed: ['litespeed'],
  'php-fpm': ['php-fpm', 'php'],
  php: ['php-fpm', 'php'],
  fcgiwrap: ['libfcgi'],
  libfcgi: ['libfcgi'],
  iis: ['iis'],
};
