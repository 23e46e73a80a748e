import type { Exchange } from '../../../model/exchange.js';
import { paramValue } from '../../../model/param-value.js';
import { visibleText } from '../../../model/visible-text.js';
import { bodyBegins } from '../../body-head.js';
import { isPublicAddress } from '../../public-address.js';
import { defineRule } from '../../rule.js';

export const fpmStatusExposed = defineRule({
  id: 'fpm-status-exposed',
  severity: 'warning',
  title: 'PHP-FPM’s status page is shown to the Internet',
  meaning:
    'The status page tells how busy the workers are, and with ?full every URL, script and user that they work on. It is meant for the monitoring, and somebody with a public address has just read it.',
  layer: 'remark',
  certainty: 'proven',
  remedies: {
    nginx: ['location = /fpm-status { allow 127.0.0.1; deny all; … } with the path of pm.status_path.'],
    lighttpd: ['$HTTP["url"] == "/fpm-status" { $HTTP["remoteip"] != "127.0.0.1" { url.access-deny = ( "" ) } }'],
    apache: ['<Location "/fpm-status"> Require local </Location>'],
    caddy: ['@status { path /fpm-status; not remote_ip 127.0.0.1 } (one matcher a line) and respond @status 403.'],
    haproxy: ['http-request deny if { path /fpm-status } !{ src 127.0.0.0/8 }'],
    'php-fpm': ['pm.status_listen = 127.0.0.1:9001 (PHP 8) moves it to an address of its own.'],
  },
  needs: ['body'],
  seen: ['nginx → PHP-FPM'],
  check(exchange) {
    if (!isStatusPage(exchange)) return null;
    const visitor = visitorOf(exchange);
    if (visitor === null || !isPublicAddress(visitor)) return null;
    return {
      detail: `${visibleText(exchange.script ?? '', 80)} answered ${visibleText(visitor, 50)} with the state of the pool.`,
      evidence: [{ kind: 'param', name: 'REMOTE_ADDR' }],
    };
  },
});

/** Its forms: text, JSON, OpenMetrics, XML, and HTML, of whose beginning only the script's name tells more. */
function isStatusPage(exchange: Exchange): boolean {
  switch (exchange.bodyHead[0]) {
    case 0x70: // p
      return bodyBegins(exchange, 'pool:  ');
    case 0x7b: // {
      return bodyBegins(exchange, '{"pool":"');
    case 0x23: // #
      return bodyBegins(exchange, '# HELP phpfpm_');
    case 0x3c: // <
      return exchange.bodyHead[1] === 0x3f ? bodyBegins(exchange, XML) : isStatusInHtml(exchange);
    default:
      return false;
  }
}

const XML = '<?xml version="1.0" ?>\n<status>\n<pool>';
const HTML = '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict';
/** Where a page of today has `>`. */
const HTML_DIFFERS_AT = '<!DOCTYPE html'.length;

function isStatusInHtml(exchange: Exchange): boolean {
  if (exchange.bodyHead[HTML_DIFFERS_AT] !== HTML.charCodeAt(HTML_DIFFERS_AT)) return false;
  return bodyBegins(exchange, HTML) && exchange.script?.endsWith('status') === true;
}

/** Behind a proxy, whoever the proxy says it was. */
function visitorOf({ params }: Exchange): string | null {
  const address = paramValue(params, 'REMOTE_ADDR');
  if (address === null || isPublicAddress(address)) return address;
  return paramValue(params, 'HTTP_X_FORWARDED_FOR')?.split(',')[0]?.trim() ?? null;
}
