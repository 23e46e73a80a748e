import type { Exchange } from '../../../model/exchange.js';
import { paramValue } from '../../../model/param-value.js';
import { visibleText } from '../../../model/visible-text.js';
import { headerValue } from '../../header-value.js';
import { defineRule } from '../../rule.js';

export const httpsParamMissing = defineRule({
  id: 'https-param-missing',
  severity: 'error',
  title: 'The application does not know that the visitor uses HTTPS, and redirects without end',
  meaning:
    'The visitor came by HTTPS, but the param HTTPS, by which applications know it, is not set. So the application sends the visitor to the HTTPS address of the same page, which is where the visitor is already: "too many redirects".',
  layer: 'cause',
  certainty: 'proven',
  remedies: {
    nginx: [
      'fastcgi_param HTTPS $https if_not_empty; where nginx has the certificate. Behind a balancer: map $http_x_forwarded_proto $https_param { default ""; https on; } and fastcgi_param HTTPS $https_param if_not_empty;',
    ],
    lighttpd: [
      'Behind a balancer: $REQUEST_HEADER["X-Forwarded-Proto"] == "https" { setenv.add-environment = ( "HTTPS" => "on" ) }',
    ],
    apache: ['Behind a balancer: SetEnvIf X-Forwarded-Proto "^https$" HTTPS=on'],
    caddy: ['Behind a balancer: env HTTPS on in php_fastcgi.'],
    haproxy: ['Behind a balancer: set-param HTTPS on if { req.hdr(x-forwarded-proto) https } in the fcgi-app section.'],
    php: [
      'Or let the application trust the balancer’s header (WordPress: set $_SERVER["HTTPS"] in wp-config.php; Symfony: trusted_proxies; Laravel: TrustProxies).',
    ],
  },
  look: ['curl -sI https://SITE/ shows the same Location again and again.'],
  needs: ['status'],
  absence: 'client',
  seen: ['nginx → PHP-FPM', 'lighttpd → PHP-FPM', 'Apache mod_proxy_fcgi → PHP-FPM', 'HAProxy → PHP-FPM'],
  check(exchange) {
    const status = exchange.response?.status;
    if (status === undefined || status === null || status < 301 || status > 308 || exchange.url === null) return null;
    const location = headerValue(exchange, 'location');
    if (location === null || !location.startsWith('https://')) return null;
    const https = paramValue(exchange.params, 'HTTPS');
    if ((https !== null && https !== '' && https.toLowerCase() !== 'off') || !exchange.paramsComplete) return null;
    if (withoutScheme(location) !== withoutScheme(exchange.url)) return null;
    const sign = signOfHttps(exchange);
    if (sign === null) return null;
    return {
      detail: `${sign} says HTTPS, the param HTTPS ${https === null ? 'is missing' : `is "${https}"`}, and the answer is ${status} to the page’s own address, ${visibleText(location, 200)}.`,
      evidence: [
        { kind: 'param', name: sign.split(' ')[0]! },
        { kind: 'header', name: 'Location' },
      ],
    };
  },
});

const SIGNS: readonly (readonly [name: string, value: RegExp])[] = [
  ['HTTP_X_FORWARDED_PROTO', /^https\b/i],
  ['HTTP_X_FORWARDED_SSL', /^on$/i],
  ['HTTP_FRONT_END_HTTPS', /^on$/i],
  ['HTTP_FORWARDED', /proto="?https\b/i],
  ['HTTP_CF_VISITOR', /"https"/],
  ['REQUEST_SCHEME', /^https$/i],
  ['SERVER_PORT', /^443$/],
];

/** The param that tells that the visitor came by HTTPS, with its value. */
function signOfHttps({ params }: Exchange): string | null {
  for (const [name, pattern] of SIGNS) {
    const value = paramValue(params, name);
    if (value !== null && pattern.test(value)) return `${name} (${visibleText(value, 60)})`;
  }
  return null;
}

/** Scheme and the usual ports left out: they are what differs. */
function withoutScheme(url: string): string {
  return url
    .replace(/^https?:\/\//i, '')
    .replace(/^([^/]*?):(?:443|80)(?=\/|$)/, '$1')
    .replace(/^[^/?#]*$/, '$&/');
}
