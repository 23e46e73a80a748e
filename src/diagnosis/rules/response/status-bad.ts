import type { ResponseHead } from '../../../model/exchange.js';
import { visibleText } from '../../../model/visible-text.js';
import { headerFacts } from '../../header-facts.js';
import { webServerOf } from '../../products.js';
import { reactionWords } from '../../reactions.js';
import { defineRule } from '../../rule.js';

/** Below it there are no statuses (RFC 9110 section 15). */
const LOWEST_STATUS = 100;

export const statusBad = defineRule({
  id: 'status-bad',
  severity: 'error',
  title: 'The response’s Status is none that can be passed on',
  meaning:
    'The application says the status of its response in a header, "Status: 404 Not Found": three digits and words. Here it is empty, no number, out of range, or said twice; web servers answer with an error of their own, or choose one.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: [
      'Print one Status header with three digits between 100 and 599 first, such as "Status: 404 Not Found"; none at all means 200.',
    ],
    php: ['http_response_code(404); in place of header("Status: …"), which PHP passes on as it stands.'],
  },
  look: [
    'nginx’s error log: "upstream sent invalid status"; Apache’s: "Invalid status line from script"; Caddy’s: "strconv.Atoi: parsing".',
  ],
  needs: ['headers'],
  seen: [
    'nginx → libfcgi',
    'lighttpd → libfcgi',
    'Apache mod_proxy_fcgi → libfcgi',
    'Caddy → libfcgi',
    'HAProxy → libfcgi',
    'nginx → PHP-FPM',
    'lighttpd → PHP-FPM',
  ],
  check(exchange) {
    const { response } = exchange;
    // A block whose bytes are not kept any more has its status only.
    if (response === null || !response.complete || response.length === 0) return null;
    const { status } = response;
    const evidence = [{ kind: 'header', name: 'Status' }] as const;
    if (status === null || status < LOWEST_STATUS) {
      const value = statusText(response);
      const words = value === '' ? 'Status is empty.' : `Status is "${visibleText(value, 60)}".`;
      const reactions = value === '' ? EMPTY : /^[0-9]+$/.test(value) ? OUT_OF_RANGE : NO_NUMBER;
      const server = webServerOf(exchange);
      const taken = value === '' && (server === 'caddy' || server === 'haproxy');
      return {
        detail: `${words} ${reactionWords(exchange, reactions)}`,
        severity: taken ? 'warning' : 'error',
        evidence,
      };
    }
    const { secondStatus } = headerFacts(response);
    if (secondStatus === null) return null;
    const first = statusText(response);
    const same = secondStatus === first;
    return {
      detail:
        `Status was sent twice: "${visibleText(first, 60)}", then "${visibleText(secondStatus, 60)}". ${same ? '' : reactionWords(exchange, TWICE)}`.trimEnd(),
      severity: same ? 'note' : 'warning',
      beside: true,
      evidence,
    };
  },
});

function statusText({ headers }: ResponseHead): string {
  return headers.find(({ name }) => name.toLowerCase() === 'status')?.value ?? '';
}

const EMPTY = {
  nginx: 'answers 502',
  lighttpd: 'answers 502',
  apache: 'answers 500',
  caddy: 'takes it for 200',
  haproxy: 'takes it for 200',
  h2o: 'answers 503',
};
const NO_NUMBER = {
  nginx: 'answers 502',
  lighttpd: 'answers 502',
  apache: 'answers 500',
  caddy: 'answers 502',
  haproxy: 'passes the word on in place of a number',
  h2o: 'answers 503',
};
const OUT_OF_RANGE = {
  nginx: 'answers 502, or passes four digits on',
  lighttpd: 'answers 502',
  apache: 'answers 500',
  caddy: 'drops the connection',
  haproxy: 'passes it on',
  h2o: 'answers 503',
};
const TWICE = {
  nginx: 'takes the first',
  lighttpd: 'takes the last',
  apache: 'takes the last',
  caddy: 'takes the first',
  haproxy: 'takes the last',
  h2o: 'takes the last',
};
