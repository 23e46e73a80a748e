import type { Overview } from '../model/inspection.js';
import { progressText } from '../model/source-progress.js';
import type { Line } from './paint.js';
import type { ViewState } from './view-store.js';

/** What stands in a list without requests: what to do, so that there will be some. */
export function emptyLines({ overview, filter, page }: ViewState): Line[] {
  if (overview === null || page?.searching === true) return [];
  if (filter !== '' && overview.exchanges.total > 0)
    return [
      [],
      [
        ['   No request matches the filter. ', 'plain'],
        ['f', 'key'],
        [' edits it.', 'plain'],
      ],
    ];
  if (!overview.live) return [[], [['   There was no FastCGI request.', 'plain']], ...remarks(overview)];
  if (overview.progress !== null)
    return [[], [[`   No FastCGI request yet: ${progressText(overview.progress)}…`, 'plain']]];
  const [source] = overview.sources;
  const listen = source?.includes('→') === true ? source.split('→')[0]!.trim() : null;
  if (listen === null) return [[], [['   Waiting for the first request…', 'plain']]];
  return [
    [],
    [['   Nothing has come yet. Point the web server here:', 'bold']],
    [],
    ...configurations(listen).map(
      ([server, text]): Line => [
        [`   ${server.padEnd(10)}`, 'name'],
        [text, 'plain'],
      ],
    ),
    [],
    [['   then reload it and send a request.', 'dim']],
  ];
}

/** Why there is nothing: what the source had to say. */
function remarks({ warnings }: Overview): Line[] {
  return warnings.slice(-5).map((text): Line => [[`   ${text}`, 'dim']]);
}

function configurations(listen: string): (readonly [string, string])[] {
  const path = /^unix:(\/.*)/.exec(listen)?.[1];
  if (path !== undefined)
    return [
      ['nginx', `fastcgi_pass unix:${path};`],
      ['Apache', `SetHandler "proxy:unix:${path}|fcgi://localhost"`],
      ['lighttpd', `fastcgi.server = ( ".php" => (( "socket" => "${path}" )) )`],
      ['Caddy', `php_fastcgi unix/${path}`],
    ];
  if (listen.startsWith('unix:')) return [['listening', listen]];
  const at = /^(.*):(\d+)$/.exec(listen);
  return [
    ['nginx', `fastcgi_pass ${listen};`],
    ['Apache', `SetHandler "proxy:fcgi://${listen}"`],
    ...(at === null
      ? []
      : [['lighttpd', `fastcgi.server = ( ".php" => (( "host" => "${at[1]}", "port" => ${at[2]} )) )`] as const]),
    ['Caddy', `php_fastcgi ${listen}`],
  ];
}
