import { formatBytes } from '../../../model/quantity.js';
import { defineRule } from '../../rule.js';
import { stderrText } from '../../stderr-text.js';

export const uploadTooLarge = defineRule({
  id: 'upload-too-large',
  severity: 'error',
  title: 'PHP threw the upload away: it is larger than post_max_size',
  meaning:
    'The whole request body reached PHP, and PHP dropped it before the script began, because it is larger than allowed. The script then sees an empty form, and mostly complains about something else: a missing field or CSRF token, a lost login.',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    any: [
      'All limits on the way must fit: the web server’s, post_max_size, and upload_max_filesize, each at least as large as the next.',
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
    const found = EXCEEDED.exec(stderrText(exchange));
    if (!found) return null;
    const [sent, limit] = [Number(found[1]), Number(found[2])];
    return {
      detail: `The body is ${formatBytes(sent)} (${sent} bytes), post_max_size is ${formatBytes(limit)}.`,
      evidence: [
        { kind: 'stderr', text: found[0] },
        { kind: 'param', name: 'CONTENT_LENGTH' },
      ],
    };
  },
});

const EXCEEDED = /POST Content-Length of (\d{1,15}) bytes exceeds the limit of (\d{1,15}) bytes/;
