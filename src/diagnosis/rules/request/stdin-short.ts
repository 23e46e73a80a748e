import { formatDuration } from '../../../model/quantity.js';
import { milliseconds } from '../../../model/time.js';
import { waitingAt } from '../../../model/waiting.js';
import { declaredLength } from '../../declared-length.js';
import { answeredInTime } from '../../giving-up.js';
import { defineRule } from '../../rule.js';

export const stdinShort = defineRule({
  id: 'stdin-short',
  severity: 'error',
  title: 'The request body is shorter than CONTENT_LENGTH says',
  meaning:
    'The web server announced a body of a certain length, said that the body is over, and had sent fewer bytes. PHP-FPM believes the number and waits for the missing bytes until somebody closes the connection: the page hangs.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: ['CONTENT_LENGTH has to be the length of what is passed on, after all decoding and rewriting.'],
    nginx: [
      'no fastcgi_param CONTENT_LENGTH of your own but $content_length; in a location for auth_request, where no body is sent: fastcgi_param CONTENT_LENGTH ""; and fastcgi_pass_request_body off;.',
    ],
    apache: [
      'mod_deflate’s input filter (SetInputFilter DEFLATE) and other input filters change the body and not the length: take them off this location.',
    ],
    caddy: ['upgrade to 2.7 or newer, which does not send a length that it does not know.'],
    'php-fpm': ['request_terminate_timeout = 60s frees workers that wait for such a body.'],
  },
  look: [
    'The params CONTENT_LENGTH and HTTP_CONTENT_LENGTH beside the size of STDIN. A client that announces too much: curl -v shows what it sends.',
  ],
  whileOpen: true,
  absence: 'both',
  needs: ['failure', 'request'],
  seen: ['nginx → PHP-FPM'],
  check(exchange) {
    const { outcome, streams, role, method, times } = exchange;
    const { stdin } = streams;
    if (!stdin.ended || stdin.missing > 0 || (role !== 'responder' && role !== 'filter')) return null;
    const answered = answeredInTime(exchange);
    // Only one without an answer is worth a look at its params when nothing can be short.
    if (answered && stdin.bytes === 0 && method !== 'POST' && method !== 'PUT') return null;
    const announced = declaredLength(exchange);
    if (typeof announced !== 'number' || stdin.bytes >= announced) return null;
    const open = outcome === null;
    if (open && waitingAt(exchange, times.end ?? times.lastRecord).milliseconds < CLEARLY) return null;
    const waited = milliseconds(times.stdinEnd, exchange.connectionEnd?.at ?? times.end);
    return {
      detail: `CONTENT_LENGTH is ${announced}, and STDIN ended after ${stdin.bytes} bytes. ${
        answered
          ? 'The application answered all the same: it got a body that is cut off.'
          : `No answer came${waited === null ? '' : `, for ${formatDuration(waited)}`}.`
      }`,
      ...(answered ? { severity: 'warning', beside: true } : {}),
      evidence: [
        { kind: 'param', name: 'CONTENT_LENGTH' },
        { kind: 'bytes', stream: 'stdin', offset: stdin.bytes, length: 0 },
      ],
    };
  },
});

/** Milliseconds after which an open request is told of: some applications answer without their body. */
const CLEARLY = 1_000;
