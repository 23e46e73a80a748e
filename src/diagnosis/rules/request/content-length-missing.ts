import { paramValue } from '../../../model/param-value.js';
import { formatBytes } from '../../../model/quantity.js';
import { visibleText } from '../../../model/visible-text.js';
import { declaredLength } from '../../declared-length.js';
import { answeredInTime } from '../../giving-up.js';
import { defineRule } from '../../rule.js';

export const contentLengthMissing = defineRule({
  id: 'content-length-missing',
  severity: 'warning',
  title: 'The request has a body, and CONTENT_LENGTH does not tell how long it is',
  meaning:
    'PHP reads just as many bytes of the body as CONTENT_LENGTH says: none when it is missing. The application then sees an empty form or upload. That happens when the client sends its body in pieces (Transfer-Encoding: chunked) and the web server passes them on without counting.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: ['Let the client send a Content-Length, or let the web server collect the body first.'],
    nginx: ['fastcgi_request_buffering on; (the default): then the length is known and sent.'],
    apache: [
      'SetEnv proxy-sendcl 1 for the location: mod_proxy_fcgi then collects bodies of more than 16 kB and counts them.',
    ],
    caddy: [
      'php_fastcgi … { request_buffers 10MB }, or upgrade: 2.6 sends -1 for chunked bodies, newer ones count or answer 411.',
    ],
    haproxy: ['option http-buffer-request helps for bodies up to tune.bufsize only; 2.6 answers 400 to chunked ones.'],
    lighttpd: ['server.stream-request-body = 0 (the default).'],
    libfcgi: ['a program of one’s own may read STDIN to its end in place of CONTENT_LENGTH bytes.'],
  },
  look: ['HTTP_TRANSFER_ENCODING: chunked among the params; the client’s code: streams and pipes have no length.'],
  whileOpen: true,
  absence: 'both',
  needs: ['failure', 'request'],
  seen: ['nginx → PHP-FPM', 'Apache → PHP-FPM', 'Caddy → PHP-FPM'],
  check(exchange) {
    const { streams, role, outcome, paramsComplete } = exchange;
    const { stdin } = streams;
    const length = stdin.bytes + stdin.missing;
    if (length === 0 && outcome === 'completed') return null;
    if (role !== 'responder' && role !== 'filter') return null;
    const announced = declaredLength(exchange);
    const answered = answeredInTime(exchange);
    const beside = answered ? { beside: true } : {};
    const evidence = [{ kind: 'param', name: 'CONTENT_LENGTH' }] as const;
    if (announced === 'unusable') {
      const value = visibleText(paramValue(exchange.params, 'CONTENT_LENGTH') ?? '', 40);
      return {
        detail: `CONTENT_LENGTH is "${value}", which is no length; ${formatBytes(length)} of STDIN came. ${answered ? 'The application answered all the same.' : 'PHP-FPM never answers such a request.'}`,
        ...beside,
        severity: answered ? 'warning' : 'error',
        evidence,
      };
    }
    if (length === 0 || !paramsComplete || stdin.missing > 0 || outcome === null) return null;
    // What follows an upgrade is no body.
    if (length <= (announced === 'none' ? 0 : announced) || paramValue(exchange.params, 'HTTP_UPGRADE') !== null)
      return null;
    if (announced === 'none') {
      const chunked =
        paramValue(exchange.params, 'HTTP_TRANSFER_ENCODING') === null ? '' : ' The client sent it chunked.';
      return {
        detail: `${formatBytes(length)} of STDIN came and no CONTENT_LENGTH.${chunked} PHP reads nothing of it; programs that read STDIN to its end get it all.`,
        beside: true,
        evidence,
      };
    }
    return {
      detail: `CONTENT_LENGTH is ${announced}, and ${length} bytes of STDIN came: what is above is not read.`,
      beside: true,
      evidence,
    };
  },
});
