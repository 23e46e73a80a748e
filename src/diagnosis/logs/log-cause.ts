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

/** @param product whose log it is in */
export function logCause(id: string, product: LogProduct): LogCause {
  const wire = WIRE_MARKS[id] ?? '';
  const rule = ruleOf(id);
  if (rule !== null) {
    const { title, meaning } = rule;
    return { id, title, meaning, advice: adviceOf(rule, PRODUCTS[product]), wire, isFound: true };
  }
  const own = UNSEEN[id];
  return { id, title: id, meaning: '', advice: [], ...own, wire, isFound: false };
}

/** A web server's log tells nothing of the backend; who looks into the backend's has that, and not the web server, to change. */
function adviceOf({ remedies }: Rule, products: readonly Product[]): readonly string[] {
  const isWebServers = WEB_SERVERS.some((server) => products.includes(server));
  if (isWebServers) return remediesFor(remedies, products);
  const own = products.flatMap((product) =>
    (remedies[product] ?? []).map((text) => `${PRODUCT_NAMES[product]}: ${text}`),
  );
  return [...(remedies.any ?? []), ...own];
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
