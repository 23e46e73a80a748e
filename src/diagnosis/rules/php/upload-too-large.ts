import { formatBytes } from '../../../model/quantity.js';
import { defineRule, type Sighting } from '../../rule.js';
import { stderrText } from '../../stderr-text.js';

export const uploadTooLarge = defineRule({
  id: 'upload-too-large',
  severity: 'error',
  title: 'PHP threw the upload, or a part of the form, away: it is larger than PHP’s limits',
  meaning:
    'The whole request body reached PHP, and PHP dropped it, or some of its fields or files, before the script began, because there is more than allowed (post_max_size, max_input_vars, max_file_uploads). The script then sees an empty form or a part of it, and mostly complains about something else: a missing field or CSRF token, a lost login.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: [
      'For a body that is too large, all limits on the way must fit: the web server’s, post_max_size, and upload_max_filesize, each at least as large as the next.',
    ],
    nginx: ['client_max_body_size 64m; refuses larger uploads with 413, before PHP sees them.'],
    lighttpd: ['server.max-request-size = 65536 (in KiB).'],
    apache: ['LimitRequestBody 67108864; mod_fcgid: FcgidMaxRequestLen 67108864 (its default is 131072).'],
    caddy: ['request_body { max_size 64MB }'],
    php: ['post_max_size = 64M and upload_max_filesize = 60M in php.ini, then reload PHP-FPM.'],
  },
  look: ['The application’s size limit can be told to the visitor: MAX_FILE_SIZE, or a check in the page’s script.'],
  needs: ['stderr'],
  seen: [
    'nginx → PHP-FPM',
    'lighttpd → PHP-FPM',
    'Apache mod_proxy_fcgi → PHP-FPM',
    'Caddy → PHP-FPM',
    'HAProxy → PHP-FPM',
  ],
  check(exchange) {
    if (exchange.streams.stderr.bytes === 0) return null;
    const text = stderrText(exchange);
    const found = EXCEEDED.exec(text);
    if (!found) return partLost(text);
    const [sent, limit] = [Number(found[1]), Number(found[2])];
    return {
      detail: `The body is ${formatBytes(sent)} (${sent} bytes), post_max_size is ${formatBytes(limit)}.`,
      evidence: [
        { kind: 'stderr', text: found[0] },
        { kind: 'param', name: 'CONTENT_LENGTH' },
      ],
      // What the script died of is told as well.
      beside: text.includes('PHP Fatal error'),
    };
  },
});

const EXCEEDED = /POST Content-Length of (\d{1,15}) bytes exceeds the limit of (\d{1,15}) bytes/;

/** The script runs, and does not know that it has only a part of the form. What comes of that may be another finding. */
function partLost(text: string): Sighting | null {
  const lost = PARTS.find(({ said }) => said.test(text));
  if (lost === undefined) return null;
  const [words = ''] = lost.said.exec(text)!;
  return {
    severity: 'warning',
    detail: `PHP says "${words}": ${lost.detail}`,
    advice: lost.advice,
    evidence: [{ kind: 'stderr', text: words }],
    beside: true,
  };
}

interface Part {
  readonly said: RegExp;
  readonly detail: string;
  readonly advice: readonly string[];
}

const PARTS: readonly Part[] = [
  {
    said: /Input variables exceeded \d{1,15}/,
    detail: 'the form has more fields, and the script did not get the rest of them.',
    advice: ['PHP: max_input_vars = 5000 in php.ini (default 1000), then reload PHP-FPM.'],
  },
  {
    said: /Maximum number of allowable file uploads has been exceeded/,
    detail: 'the form has more files, and the script did not get the rest of them.',
    advice: ['PHP: max_file_uploads = 100 in php.ini (default 20), then reload PHP-FPM.'],
  },
  {
    said: /Multipart body parts limit exceeded \d{1,15}/,
    detail: 'the form has more fields and files together, and the script did not get it.',
    advice: [
      'PHP: max_multipart_body_parts in php.ini (default: max_input_vars + max_file_uploads), then reload PHP-FPM.',
    ],
  },
];

/** What to do about a form of which PHP dropped a part; nothing where the text does not say so. */
export function partLostAdvice(text: string): readonly string[] {
  return PARTS.find(({ said }) => said.test(text))?.advice ?? [];
}
