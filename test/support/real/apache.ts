import { mkdirSync } from 'node:fs';
import { type Endpoint, formatEndpoint } from '../../../src/model/connection.js';
import { listening } from './listening.js';
import { DOCUMENT_ROOT } from './php.js';
import { commandOf } from './requirements.js';
import type { Site } from './web-server.js';
import type { Workspace } from './workspace.js';

/** Where Debian's apache2-bin puts them. */
const MODULES = '/usr/lib/apache2/modules';

/**
 * Apache with mod_proxy_fcgi in front of a TCP backend. ProxyPassMatch does not look for the script, which Apache's own user may not read.
 * @param keepConnections enablereuse=on
 */
export async function startApache(
  workspace: Workspace,
  backend: Endpoint,
  { keepConnections = false } = {},
): Promise<Site> {
  const http = await workspace.address('tcp', 'apache');
  if (http.kind !== 'tcp') throw new Error('Apache listens on TCP here');
  const folder = workspace.path('apache');
  mkdirSync(folder);
  const errorLog = () => workspace.read('apache/error.log');
  const configuration = workspace.write(
    'apache.conf',
    `${['mpm_event', 'authz_core', 'proxy', 'proxy_fcgi']
      .map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`)
      .join('\n')}
ServerRoot ${folder}
ServerName localhost
Listen 127.0.0.1:${http.port}
PidFile ${folder}/pid
Mutex pthread
User www-data
Group www-data
ErrorLog ${folder}/error.log
DocumentRoot ${DOCUMENT_ROOT}
<Location "/">
  Require all granted
  CGIPassAuth On
</Location>
ProxyPassMatch "^/(.*\\.php)$" "fcgi://${formatEndpoint(backend)}${DOCUMENT_ROOT}/$1" enablereuse=${keepConnections ? 'on' : 'off'}
`,
  );
  await workspace.start({
    name: 'Apache',
    command: commandOf('apache2'),
    args: ['-DFOREGROUND', '-f', configuration],
    ready: () => listening(http),
    stopSignal: 'SIGTERM',
    log: errorLog,
  });
  return { port: http.port, errorLog };
}
