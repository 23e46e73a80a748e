import { formatBytes, formatDuration } from '../../../model/quantity.js';
import { milliseconds } from '../../../model/time.js';
import { declaredLength } from '../../declared-length.js';
import { defineRule } from '../../rule.js';

export const earlyResponse = defineRule({
  id: 'early-response',
  severity: 'warning',
  title: 'The backend answered before it had read the whole request body',
  meaning:
    'The application did not wait for the upload: it answered, and perhaps closed the connection, while the web server was still sending. Several web servers then report an error to the visitor although there is an answer.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: ['Read the request body to its end, and throw it away if need be, before ending the request.'],
    libfcgi: ['before FCGX_Finish_r: while (FCGX_GetStr(buffer, sizeof buffer, request.in) > 0);'],
    nginx: ['client_max_body_size refuses large uploads before the backend is asked.'],
    apache: ['LimitRequestBody does the same.'],
  },
  alternatives: [
    {
      cause: 'The backend died while it was answering.',
      tell: 'The response is cut off, and its own log or the service manager’s tells of a crash.',
    },
  ],
  look: [
    'nginx (502): "writev() failed (104: Connection reset by peer) while sending request to upstream", or "(32: Broken pipe)". Apache (503): AH01075 with "(sending stdin)". Caddy (502): "write: broken pipe". lighttpd and h2o deliver the answer.',
  ],
  absence: 'both',
  needs: ['request'],
  seen: ['nginx → libfcgi'],
  check(exchange) {
    const { outcome, streams, role, records, response } = exchange;
    const { stdin, stdout } = streams;
    if (stdin.ended || stdin.missing > 0 || (role !== 'responder' && role !== 'filter')) return null;
    const ended = outcome === 'completed';
    const cut = outcome === 'backend-reset' || outcome === 'backend-closed';
    if ((!ended && !cut) || stdout.bytes === 0 || !streams.params.ended || records.gaps > 0) return null;
    const announced = declaredLength(exchange);
    if (typeof announced !== 'number' || stdin.bytes >= announced || !response?.complete) return null;
    const sent = `${formatBytes(stdin.bytes)} of ${formatBytes(announced)} of STDIN had been sent`;
    const evidence = [{ kind: 'bytes', stream: 'stdin', offset: stdin.bytes, length: 0 }] as const;
    if (ended) {
      const after = formatDuration(milliseconds(exchange.times.begin, exchange.times.end));
      return { detail: `END_REQUEST came after ${after}, when ${sent}.`, beside: true, evidence };
    }
    const how = outcome === 'backend-reset' ? 'reset' : 'closed';
    return {
      detail: `It answered when ${sent}, and ${how} the connection without END_REQUEST.`,
      severity: 'error',
      certainty: 'allowed',
      evidence,
    };
  },
});
