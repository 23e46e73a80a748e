import { mkdirSync } from 'node:fs';
import { listening } from './listening.js';
import { commandOf } from './requirements.js';
import type { Site } from './web-server.js';
import type { Workspace } from './workspace.js';

/** nginx with one site whose locations the test writes: for configurations that are wrong on purpose. Debian's params are at hand. */
export async function startNginxSite(workspace: Workspace, root: string, locations: string): Promise<Site> {
  const prefix = workspace.path('nginx-site');
  mkdirSync(prefix);
  const http = await workspace.address('tcp', 'nginx-site');
  if (http.kind !== 'tcp') throw new Error('nginx listens on TCP here');
  const errorLog = () => workspace.read('nginx-site/error.log');
  const configuration = workspace.write(
    'nginx-site.conf',
    `user root;
daemon off;
worker_processes 1;
pid ${prefix}/pid;
error_log ${prefix}/error.log info;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path ${prefix}/body;
  fastcgi_temp_path ${prefix}/fastcgi;
  proxy_temp_path ${prefix}/proxy;
  uwsgi_temp_path ${prefix}/uwsgi;
  scgi_temp_path ${prefix}/scgi;
  underscores_in_headers on;
  server {
    listen 127.0.0.1:${http.port};
    root ${root};
${PARAMS}
${locations}
  }
}
`,
  );
  await workspace.start({
    name: 'nginx',
    command: commandOf('nginx'),
    args: ['-e', `${prefix}/error.log`, '-p', prefix, '-c', configuration],
    ready: () => listening(http),
    stopSignal: 'SIGTERM',
    log: errorLog,
  });
  return { port: http.port, errorLog };
}

/** As in Debian's fastcgi.conf. A location with a fastcgi_param of its own inherits none of them, which is a trap that tests need. */
export const PARAMS = [
  ['SCRIPT_FILENAME', '$document_root$fastcgi_script_name'],
  ['QUERY_STRING', '$query_string'],
  ['REQUEST_METHOD', '$request_method'],
  ['CONTENT_TYPE', '$content_type'],
  ['CONTENT_LENGTH', '$content_length'],
  ['SCRIPT_NAME', '$fastcgi_script_name'],
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
  ['REMOTE_USER', '$remote_user'],
  ['SERVER_ADDR', '$server_addr'],
  ['SERVER_PORT', '$server_port'],
  ['SERVER_NAME', '$server_name'],
  ['REDIRECT_STATUS', '200'],
]
  .map(([name, value]) => `    fastcgi_param ${name} ${value};`)
  .join('\n');
