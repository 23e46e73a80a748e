import type { Exchange } from '../../../model/exchange.js';
import { visibleText } from '../../../model/visible-text.js';
import { bodyBegins, bodyHeadText } from '../../body-head.js';
import { defineRule } from '../../rule.js';

export const status200Error = defineRule({
  id: 'charset-or-status-200-error',
  severity: 'error',
  title: 'An error message stands at the head of a page with status 200',
  meaning:
    'Visitors see the error message of a program, with the paths of its files, where the page should begin; monitors and search engines see a good page, because the status says so.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: ['Mend what the message names; it goes on in the body.'],
    php: [
      'display_errors = Off and log_errors = On in php.ini, then reload PHP-FPM: errors go to the log, and fatal ones give status 500.',
    ],
  },
  alternatives: [{ cause: 'The page speaks about errors, and this is its text.', tell: 'Read the body.' }],
  needs: ['body'],
  seen: [
    'nginx → PHP-FPM',
    'lighttpd → PHP-FPM',
    'Apache mod_proxy_fcgi → PHP-FPM',
    'Caddy → PHP-FPM',
    'HAProxy → PHP-FPM',
  ],
  check(exchange) {
    const shown = shownError(exchange);
    if (shown === null) return null;
    return {
      detail: `The body begins with ${visibleText(bodyHeadText(exchange).trim(), 80)}`,
      severity: GRAVE.test(shown) ? 'error' : 'warning',
      evidence: [
        { kind: 'bytes', stream: 'stdout', offset: exchange.response?.length ?? 0, length: exchange.bodyHead.length },
      ],
    };
  },
});

/** The kind of error that the page begins with; null where it does not. */
export function shownError(exchange: Exchange): string | null {
  const { response, bodyHead, role } = exchange;
  if (response === null || response.status !== 200 || !mayBeError(bodyHead) || role !== 'responder') return null;
  if (bodyBegins(exchange, '<h1>Software error:')) return 'Software error';
  return MESSAGE.exec(bodyHeadText(exchange))?.[1] ?? null;
}

/** PHP with html_errors on and off, Xdebug, Python. */
const MESSAGE =
  /^\s*(?:<br \/>\s*)?(?:<b>|<font size='1'><table class='(?=xdebug-error))?(?:PHP )?(Fatal error|Parse error|Warning|Notice|Deprecated|xdebug-error|Traceback \(most recent call last\))(?:<\/b>)?(?::|\s|$)/;
const GRAVE = /^(?:Fatal|Parse|Traceback|Software)/;

/** The first letter after white space: pages begin with `<!` and `<h`, messages with neither. */
function mayBeError(bytes: Uint8Array): boolean {
  let at = 0;
  while (at < bytes.length && bytes[at]! <= 0x20) at++;
  switch (bytes[at]) {
    case 0x3c: // <br />, <b>, and <h1>Software error
      return bytes[at + 1] === 0x62 || (bytes[at + 1] === 0x68 && bytes[at + 2] === 0x31);
    case 0x44: // Deprecated
    case 0x46: // Fatal error
    case 0x4e: // Notice
    case 0x50: // Parse error, PHP …
    case 0x54: // Traceback
    case 0x57: // Warning
      return true;
    default:
      return false;
  }
}
