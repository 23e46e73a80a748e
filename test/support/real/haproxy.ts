import { type Endpoint, formatEndpoint } from '../../../src/model/connection.js';
import { listening } from './listening.js';
import { DOCUMENT_ROOT } from './php.js';
import { commandOf } from './requirements.js';
import type { Site } from './web-server.js';
import type { Workspace } from './workspace.js';

/**
 * HAProxy with an fcgi-app. It has no error log of its own.
 * @param keepConnections whether BEGIN_REQUEST asks to keep the connection; HAProxy's own default is that it does
 */
export async function startHaproxy(
  workspace: Workspace,
  backend: Endpoint,
  { keepConnections = false } = {},
): Promise<Site> {
  const http = await workspace.address('tcp', 'haproxy');
  if (http.kind !== 'tcp') throw new Error('HAProxy listens on TCP here');
  const daemon = await workspace.start({
    name: 'HAProxy',
    command: commandOf('haproxy'),
    args: [
      '-db',
      '-f',
      workspace.write(
        'haproxy.cfg',
        `global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend web
  bind 127.0.0.1:${http.port}
  default_backend php
backend php
  use-fcgi-app php
  server php ${backend.kind === 'unix' ? `unix@${backend.path}` : formatEndpoint(backend)} proto fcgi
fcgi-app php
  docroot ${DOCUMENT_ROOT}
  index index.php
  pass-header Authorization
  ${keepConnections ? '' : 'no '}option keep-conn
`,
      ),
    ],
    ready: () => listening(http),
    stopSignal: 'SIGTERM',
  });
  return { port: http.port, errorLog: () => daemon.stderr };
}
