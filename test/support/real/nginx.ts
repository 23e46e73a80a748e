import { mkdirSync } from 'node:fs';
import { type Endpoint, formatEndpoint } from '../../../src/model/connection.js';
import { listening } from './listening.js';
import { DOCUMENT_ROOT } from './php.js';
import { commandOf } from './requirements.js';
import type { Site, WebServer } from './web-server.js';
import type { Workspace } from './workspace.js';

export interface NginxOptions {
  /** `fastcgi_keep_conn on` and a pool of idle connections to each backend. */
  readonly keepConnections?: boolean;
  /** `fastcgi_read_timeout`, in seconds. */
  readonly readTimeout?: number;
}

/**
 * nginx with one HTTP port per backend, so that the same request can be made with and without the proxy in the path, each with its own
 * error log. `/live/X.php` runs X.php with fastcgi_buffering and fastcgi_request_buffering off.
 */
export async function startNginx<Name extends string>(
  workspace: Workspace,
  backends: Readonly<Record<Name, Endpoint>>,
  options: NginxOptions = {},
): Promise<WebServer<Name>> {
  const prefix = workspace.path('nginx');
  mkdirSync(prefix);
  const sites = {} as Record<Name, Site>;
  let upstreams = '';
  let servers = '';
  for (const [name, backend] of Object.entries(backends) as [Name, Endpoint][]) {
    const http = await workspace.address('tcp', `nginx-${name}`);
    if (http.kind !== 'tcp') throw new Error('nginx listens on TCP here');
    sites[name] = { port: http.port, errorLog: () => workspace.read(`nginx/${name}.log`) };
    upstreams += upstream(name, backend, options);
    servers += server(name, http.port, prefix, options);
  }
  const configuration = workspace.write(
    'nginx.conf',
    `user root;
daemon off;
worker_processes 1;
pid ${prefix}/pid;
error_log ${prefix}/error.log info;
events { worker_connections 512; }
http {
  access_log off;
  client_max_body_size 64m;
  client_body_temp_path ${prefix}/body;
  fastcgi_temp_path ${prefix}/fastcgi;
  proxy_temp_path ${prefix}/proxy;
  uwsgi_temp_path ${prefix}/uwsgi;
  scgi_temp_path ${prefix}/scgi;
${upstreams}${servers}}
`,
  );
  const ports = (Object.values(sites) as Site[]).map((site) => site.port);
  const daemon = await workspace.start({
    name: 'nginx',
    command: commandOf('nginx'),
    args: ['-e', `${prefix}/error.log`, '-p', prefix, '-c', configuration],
    ready: () => ports.every((port) => listening({ kind: 'tcp', host: '127.0.0.1', port })),
    stopSignal: 'SIGTERM',
    log: () => workspace.read('nginx/error.log'),
  });
  return { sites, stop: () => daemon.stop() };
}

function upstream(name: string, backend: Endpoint, options: NginxOptions): string {
  const pool = options.keepConnections ? ' keepalive 4;' : '';
  // max_fails=0: a failed request must not keep nginx from trying the backend again.
  return `  upstream ${name} { server ${formatEndpoint(backend)} max_fails=0;${pool} }\n`;
}

function server(name: string, port: number, prefix: string, options: NginxOptions): string {
  const pass = `fastcgi_pass ${name}; fastcgi_keep_conn ${options.keepConnections ? 'on' : 'off'};`;
  return `  server {
    listen 127.0.0.1:${port};
    server_name localhost;
    root ${DOCUMENT_ROOT};
    error_log ${prefix}/${name}.log info;
    fastcgi_read_timeout ${options.readTimeout ?? 60}s;
    location ~ ^/live(?<script>/.+\\.php)$ {
      ${pass}
      fastcgi_buffering off;
      fastcgi_request_buffering off;
      fastcgi_param SCRIPT_NAME $script;
      fastcgi_param SCRIPT_FILENAME $document_root$script;
${PARAMS.map(([param, value]) => `      fastcgi_param ${param} ${value};`).join('\n')}
    }
    location ~ \\.php$ {
      ${pass}
      fastcgi_param SCRIPT_NAME $fastcgi_script_name;
      fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
${PARAMS.map(([param, value]) => `      fastcgi_param ${param} ${value};`).join('\n')}
    }
  }
`;
}

/** What Debian's fastcgi.conf passes, the script apart. A location with a fastcgi_param of its own inherits none. */
const PARAMS: readonly (readonly [string, string])[] = [
  ['QUERY_STRING', '$query_string'],
  ['REQUEST_METHOD', '$request_method'],
  ['CONTENT_TYPE', '$content_type'],
  ['CONTENT_LENGTH', '$content_length'],
  ['REQUEST_URI', '$request_uri'],
  ['DOCUMENT_URI', '$document_uri'],
  ['DOCUMENT_ROOT', '$document_root'],
  ['SERVER_PROTOCOL', '$server_protocol'],
  ['REQUEST_SCHEME', '$scheme'],
  ['HTTPS', '$https if_not_empty'],
  ['GATEWAY_INTERFACE', 'CGI/1.1'],
  ['SERVER_SOFTWARE', 'nginx/$nginx_version'],
  ['REMOTE_ADDR', '$remote_addr'],
  ['REMOTE_PORT', '$remote_port'],
  ['SERVER_ADDR', '$server_addr'],
  ['SERVER_PORT', '$server_port'],
  ['SERVER_NAME', '$server_name'],
  ['REDIRECT_STATUS', '200'],
];
