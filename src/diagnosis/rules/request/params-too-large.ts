import { formatBytes } from '../../../model/quantity.js';
import { NEARLY_TOO_LONG } from '../../request-facts.js';
import { defineRule } from '../../rule.js';

export const paramsTooLarge = defineRule({
  id: 'params-too-large',
  severity: 'error',
  title: 'The request’s headers are larger than the backend takes',
  meaning:
    'All that the web server tells of a request (headers, cookies, environment) goes to the backend as PARAMS. PHP-FPM closes the connection when one record of them is larger than 65535 bytes with its padding, and web servers have limits of their own. Mostly it is cookies that have grown.',
  layer: 'cause',
  certainty: 'allowed',
  remedies: {
    any: [
      'Find the largest params (sort them in the Params tab): delete or shorten the cookies; keep data in the session.',
    ],
    nginx: [
      'large_client_header_buffers 4 16k; makes nginx refuse such requests with 400 in good time; it puts all PARAMS into one record and cannot send more than 65535 bytes.',
    ],
    apache: ['LimitRequestFieldSize 8190 (the default) and LimitRequestFields 100 keep requests small.'],
    lighttpd: ['server.max-request-field-size = 8192 (the default).'],
    haproxy: ['tune.bufsize limits the whole of PARAMS (16384 by default).'],
    caddy: ['servers { max_header_size 16KB } in the global options.'],
  },
  alternatives: [
    {
      cause: 'The worker crashed for another reason.',
      tell: 'Small requests fail as well; PHP-FPM’s log names a signal.',
    },
  ],
  look: [
    'nginx: "fastcgi request record is too big: N" (alert, 500): then nothing reaches the backend. mod_fcgid: "mod_fcgid: header overflow". Apache: AH02536 "couldn’t encode envvar": that one is left out silently.',
  ],
  absence: 'both',
  needs: ['request'],
  seen: ['test client → PHP-FPM'],
  check({ outcome, streams }) {
    const { params, stdout, stderr } = streams;
    const bytes = params.bytes + params.missing;
    if (bytes <= NEARLY_TOO_LONG) return null;
    const size = `PARAMS ${params.records === 2 ? 'are one record of' : 'take'} ${formatBytes(bytes)} (${bytes} bytes)`;
    if (bytes > LARGEST && (outcome === 'backend-reset' || outcome === 'backend-closed')) {
      if (stdout.records + stderr.records > 0) return null;
      return { detail: `${size}, and the backend ${outcome === 'backend-reset' ? 'reset' : 'closed'} the connection.` };
    }
    if (outcome !== 'completed' || params.records > 2 || bytes > 65_535) return null;
    return {
      detail: `${size}; with a little more they fit into no record, and the request fails.`,
      severity: 'note',
      certainty: 'proven',
      beside: true,
    };
  },
});

/** A record’s content and padding to the next multiple of eight, as PHP-FPM adds them up, stay within 65535. */
const LARGEST = 65_528;
