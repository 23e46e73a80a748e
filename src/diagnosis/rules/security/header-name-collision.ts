import { paramValue } from '../../../model/param-value.js';
import { visibleText } from '../../../model/visible-text.js';
import { MARK, paramMarks, TRUSTED_HEADERS } from '../../param-marks.js';
import { defineRule } from '../../rule.js';

export const headerNameCollision = defineRule({
  id: 'header-name-collision',
  severity: 'warning',
  title: 'Two client headers became the same param',
  meaning:
    'FastCGI has no header names, only HTTP_X_REAL_IP and the like: X-Real-IP and X_Real_IP become one and the same. A client that sends the second can thereby put its own value beside, or in place of, the one that a proxy set. Applications take one of the two: PHP the last.',
  layer: 'remark',
  certainty: 'allowed',
  remedies: {
    any: ['The first proxy must remove what clients send under the names that it sets itself.'],
    nginx: [
      'underscores_in_headers off; (the default), and fastcgi_param HTTP_X_REAL_IP $remote_addr; for what must be right.',
    ],
    lighttpd: [
      '$REQUEST_HEADER["X_Real_IP"] =~ "." { url.access-deny = ( "" ) }, and mod_extforward with the proxies that are trusted.',
    ],
    apache: [
      'Drops names with underscores since 2.4; RequestHeader set X-Real-IP "%{REMOTE_ADDR}s" for what must be right.',
    ],
    caddy: ['request_header -X_* beside php_fastcgi, and trusted_proxies for the proxy before it.'],
    haproxy: ['http-request del-header x_real_ip and option http-restrict-req-hdr-names delete'],
  },
  alternatives: [
    {
      cause: 'Two proxies each added a line of their own.',
      tell: 'One of the two values is the address of a proxy of yours; HAProxy’s option forwardfor adds a line.',
    },
  ],
  needs: ['marks'],
  seen: ['nginx → PHP-FPM', 'lighttpd → PHP-FPM'],
  check(exchange) {
    if ((paramMarks(exchange) & MARK.TWIN) === 0) return null;
    const { params } = exchange;
    for (const header of TRUSTED_HEADERS) {
      const values = params.filter(({ name, value }) => name === header && value !== '').map(({ value }) => value);
      if (new Set(values).size < 2) continue;
      return {
        detail: `${header} comes ${values.length} times, with different values${quoted(header, values)}.`,
        // Each proxy on the way may add a line of this one.
        severity: header === 'HTTP_X_FORWARDED_FOR' ? 'note' : 'warning',
        evidence: [{ kind: 'param', name: header }],
      };
    }
    const [body, header] = [
      paramValue(params, 'CONTENT_LENGTH') ?? '',
      paramValue(params, 'HTTP_CONTENT_LENGTH') ?? '',
    ];
    if (body === '' || header === '' || body === header) return null;
    return {
      detail: `CONTENT_LENGTH is ${visibleText(body, 20)}, HTTP_CONTENT_LENGTH is ${visibleText(header, 20)}: the client sent two lengths.`,
      evidence: [
        { kind: 'param', name: 'CONTENT_LENGTH' },
        { kind: 'param', name: 'HTTP_CONTENT_LENGTH' },
      ],
    };
  },
});

function quoted(header: string, values: readonly string[]): string {
  if (header === 'HTTP_AUTHORIZATION') return '';
  return `: ${values
    .slice(0, 3)
    .map((value) => visibleText(value, 60))
    .join(' and ')}`;
}
