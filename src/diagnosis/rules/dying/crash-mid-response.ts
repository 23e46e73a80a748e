import type { Exchange } from '../../../model/exchange.js';
import type { Alternative } from '../../../model/finding.js';
import { formatBytes } from '../../../model/quantity.js';
import { defineRule } from '../../rule.js';
import { ageAtDeath, causesOfClose, causesOfReset } from './death-words.js';

const NEVER_SAID: Alternative = {
  cause: 'A library that never sends END_REQUEST.',
  tell: 'Every response of this backend ends so, and the pages are whole.',
};

export const crashMidResponse = defineRule({
  id: 'crash-mid-response',
  severity: 'error',
  title: 'The backend died in the middle of its response',
  meaning:
    'A part of the response had come when the connection ended, and the record that says that the request is over (END_REQUEST) had not. Some web servers pass such a page on as if it were whole, with status 200.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'Killed (signal 9): give the machine or the container more memory, or let there be fewer workers.',
      'Crashed (signal 11): get a core dump (ulimit -c unlimited, coredumpctl gdb), switch extensions off one after the other.',
      'Send a Content-Length: then the visitor’s browser knows that the page was cut.',
    ],
    nginx: [
      'A reset it notices, and logs as "recv() failed (104: Connection reset by peer) while reading upstream". A close (FIN) only with fastcgi_keep_conn on: without it a page that ends so counts as whole, and nothing is logged.',
    ],
    lighttpd: [
      'It logs "response already sent out, but backend returned error": the status that visitors saw was 200.',
    ],
    apache: ['It logs AH01067 and AH01075 and cuts the page: the access log’s size tells how much was sent.'],
    caddy: ['It passes a page on that ends with a close (FIN), and logs nothing: watch here, not there.'],
    haproxy: ['Its log has the flags SD--: the page was cut.'],
    'php-fpm': [
      'request_terminate_timeout must be longer than the longest download or stream takes; process_control_timeout = 10s lets it end at a reload.',
    ],
    libfcgi: ['Do not call exit() after a flush: finish the request with FCGX_Finish_r or FCGI_Finish first.'],
  },
  alternatives: [NEVER_SAID],
  look: [
    'PHP-FPM’s log names the worker and the signal: "child … exited on signal 9 (SIGKILL)", 11 (SIGSEGV), 15 (SIGTERM).',
    'journalctl -k: "segfault at", "Killed process".',
  ],
  needs: ['failure'],
  seen: [
    'nginx → PHP-FPM',
    'lighttpd → PHP-FPM',
    'Apache → PHP-FPM',
    'Caddy → PHP-FPM',
    'HAProxy → PHP-FPM',
    'nginx → libfcgi',
  ],
  check(exchange) {
    const { outcome, streams, connectionEnd, problems } = exchange;
    if (outcome !== 'backend-reset' && outcome !== 'backend-closed') return null;
    // A record header that announced content is a beginning too, though none of the content was seen.
    if (streams.stdout.bytes + streams.stdout.missing === 0) return null;
    const reset = outcome === 'backend-reset';
    const cut = problems.some(({ code }) => code === 'truncated-record') ? ', inside a record' : '';
    const age = ageAtDeath(exchange);
    const whole = isWhole(exchange);
    return {
      ...(whole ? { severity: 'warning' } : {}),
      detail: `It ${reset ? 'reset' : 'closed'} the connection after ${connectionEnd?.afterRecord ?? 'its last record'}${cut}: ${formatBytes(streams.stdout.bytes)} of STDOUT had come, END_REQUEST had not.${whole ? ' The page was whole.' : ''}`,
      alternatives: whole
        ? [NEVER_SAID, ...causesOfClose(age)]
        : [...(reset ? causesOfReset(age) : causesOfClose(age)), ...(reset ? [] : [NEVER_SAID])],
      evidence: [{ kind: 'bytes', stream: 'stdout', offset: streams.stdout.bytes + streams.stdout.missing, length: 0 }],
    };
  },
});

/** STDOUT came to its end, or to the length that it declared. */
function isWhole({ response, streams: { stdout } }: Exchange): boolean {
  if (stdout.missing > 0) return false;
  if (stdout.ended) return true;
  if (response === null || !response.complete || response.length === 0) return false;
  const declared = response.headers.find(({ name }) => name.toLowerCase() === 'content-length')?.value;
  return declared !== undefined && stdout.bytes - response.length === Number(declared);
}
