import type { Exchange } from '../../../model/exchange.js';
import { paramValue } from '../../../model/param-value.js';
import { visibleText } from '../../../model/visible-text.js';
import { MARK, paramMarks } from '../../param-marks.js';
import { defineRule } from '../../rule.js';

export const scriptFilenameTraversal = defineRule({
  id: 'script-filename-traversal',
  severity: 'warning',
  title: 'The script’s path leads out of its folder, or is put together from what a client sent',
  meaning:
    'Web servers resolve `..` and encoded characters before they pass a path on. Here some are left in it: a rewrite that puts client text into a path lets it through, or it was not a web server that sent this. The backend opens whatever the path says.',
  layer: 'remark',
  certainty: 'allowed',
  remedies: {
    any: ['Build SCRIPT_FILENAME from the resolved URL only, never from a query field or a header.'],
    nginx: [
      '$fastcgi_script_name (resolved), not $request_uri, $arg_… or $http_…, in SCRIPT_FILENAME; try_files $fastcgi_script_name =404;',
    ],
    lighttpd: ['server.http-parseopts = ( "url-normalize" => "enable", "url-path-dotseg-remove" => "enable" ).'],
    apache: [
      'No %{REQUEST_URI} or %{THE_REQUEST} in a RewriteRule that ends in a path; newer versions refuse control characters (AH10414).',
    ],
    caddy: ['Do not set env SCRIPT_FILENAME by hand.'],
    haproxy: ['http-request normalize-uri path-strip-dotdot before the fcgi-app.'],
    libfcgi: ['The program itself must refuse paths with `..` in them.'],
  },
  alternatives: [
    {
      cause: 'The configured root itself has such characters in it.',
      tell: 'They stand in the same place in every request.',
    },
  ],
  needs: ['marks'],
  absence: 'client',
  seen: ['Apache mod_proxy_fcgi → PHP-FPM', 'Caddy → PHP-FPM'],
  check(exchange) {
    if ((paramMarks(exchange) & MARK.ODD_PATH) === 0) return null;
    for (const name of ['SCRIPT_FILENAME', 'PATH_TRANSLATED']) {
      const path = fromClient(exchange, name);
      const fault = path === null ? null : faultOf(path);
      if (path === null || fault === null) continue;
      if (fault === LINE_BREAK && paramValue(exchange.params, 'PATH_INFO') === '' && isEncoded(exchange)) return null;
      const refused = (exchange.response?.status ?? 0) >= 400;
      return {
        detail: `${name} has ${fault}: ${visibleText(path, 200)}.`,
        severity: refused ? 'note' : 'warning',
        evidence: [{ kind: 'param', name }],
      };
    }
    return null;
  },
});

const LINE_BREAK = 'a line break';

/** Then it is the pattern of CVE-2019-11043, which has a rule of its own. */
function isEncoded(exchange: Exchange): boolean {
  return (paramMarks(exchange) & MARK.ENCODED_CONTROL) !== 0;
}

/** What follows the document root: that itself is configured, `..` and all. */
function fromClient({ params }: Exchange, name: string): string | null {
  const path = paramValue(params, name);
  if (!path) return null;
  const root = paramValue(params, 'DOCUMENT_ROOT');
  return root && path.startsWith(root) ? path.slice(root.length) : path;
}

function faultOf(path: string): string | null {
  if (/[\r\n]/.test(path)) return LINE_BREAK;
  if (/[\0-\x1f]/.test(path)) return 'a control character';
  if (/(?:^|[/\\])\.\.(?:[/\\]|$)/.test(path)) return 'a `..` in it';
  if (/%(?:2e|2f|5c|00)/i.test(path)) return 'an encoded dot, slash or NUL in it';
  // A Windows path is full of them.
  return path.startsWith('/') && path.includes('\\') ? 'a backslash in it' : null;
}
