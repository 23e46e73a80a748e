import { type Endpoint, formatEndpoint } from '../../../src/model/connection.js';
import { listening } from './listening.js';
import { DOCUMENT_ROOT } from './php.js';
import { commandOf } from './requirements.js';
import type { Site } from './web-server.js';
import type { Workspace } from './workspace.js';

/** Caddy with php_fastcgi, without certificates and its administration port. Its error log is what it writes to stderr. */
export async function startCaddy(workspace: Workspace, backend: Endpoint): Promise<Site> {
  const http = await workspace.address('tcp', 'caddy');
  if (http.kind !== 'tcp') throw new Error('Caddy listens on TCP here');
  const daemon = await workspace.start({
    name: 'Caddy',
    command: commandOf('caddy'),
    args: [
      'run',
      '--adapter',
      'caddyfile',
      '--config',
      workspace.write(
        'Caddyfile',
        `{
  admin off
  auto_https off
}
http://127.0.0.1:${http.port} {
  bind 127.0.0.1
  root * ${DOCUMENT_ROOT}
  php_fastcgi ${backend.kind === 'unix' ? `unix/${backend.path}` : formatEndpoint(backend)}
}
`,
      ),
    ],
    env: { HOME: workspace.directory },
    ready: () => listening(http),
    stopSignal: 'SIGTERM',
  });
  return { port: http.port, errorLog: () => daemon.stderr };
}
