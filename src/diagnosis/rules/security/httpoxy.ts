import { paramValue } from '../../../model/param-value.js';
import { visibleText } from '../../../model/visible-text.js';
import { MARK, paramMarks } from '../../param-marks.js';
import { defineRule } from '../../rule.js';

export const httpoxy = defineRule({
  id: 'httpoxy',
  severity: 'warning',
  title: 'The client sets HTTP_PROXY (httpoxy)',
  meaning:
    'The client sent a header "Proxy:", which browsers never do, and the web server passed it on as HTTP_PROXY. That is also the variable by which many programs learn which proxy to use: the client can thereby lead their own outgoing requests, with passwords in them, through its machine (CVE-2016-5385 and others).',
  layer: 'remark',
  certainty: 'proven',
  remedies: {
    any: ['Somebody tries this out: drop the header in the web server, then it is harmless whatever runs behind.'],
    nginx: [
      'fastcgi_param HTTP_PROXY ""; beside the other params (in every location that has fastcgi_param of its own).',
    ],
    lighttpd: ['It drops the header itself: upgrade one that does not.'],
    apache: ['RequestHeader unset Proxy early (newer versions drop the header themselves).'],
    caddy: ['request_header -Proxy in the site; newer versions drop it themselves.'],
    haproxy: ['http-request del-header Proxy'],
    h2o: ['setenv: HTTP_PROXY: "" in the path’s configuration.'],
  },
  look: ['The web server’s access log around this time: who else does this client ask, and for what?'],
  needs: ['marks'],
  seen: ['nginx → PHP-FPM', 'Caddy → PHP-FPM'],
  check(exchange) {
    if ((paramMarks(exchange) & MARK.PROXY) === 0) return null;
    return {
      detail: `HTTP_PROXY is ${visibleText(paramValue(exchange.params, 'HTTP_PROXY') ?? '', 200)}.`,
      evidence: [{ kind: 'param', name: 'HTTP_PROXY' }],
    };
  },
});
