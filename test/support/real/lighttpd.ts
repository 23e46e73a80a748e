import { mkdirSync } from 'node:fs';
import type { Endpoint } from '../../../src/model/connection.js';
import { listening } from './listening.js';
import { DOCUMENT_ROOT } from './php.js';
import { commandOf } from './requirements.js';
import type { Site, WebServer } from './web-server.js';
import type { Workspace } from './workspace.js';

/**
 * One lighttpd per backend (it has one error log for all its ports, and the tests compare logs). Responses and uploads are streamed:
 * stream-response-body 1, stream-request-body 1.
 */
export async function startLighttpd<Name extends string>(
  workspace: Workspace,
  backends: Readonly<Record<Name, Endpoint>>,
): Promise<WebServer<Name>> {
  const sites = {} as Record<Name, Site>;
  const stops: (() => Promise<void>)[] = [];
  for (const [name, backend] of Object.entries(backends) as [Name, Endpoint][]) {
    const folder = workspace.path(`lighttpd-${name}`);
    mkdirSync(folder);
    const http = await workspace.address('tcp', name);
    if (http.kind !== 'tcp') throw new Error('lighttpd listens on TCP here');
    const errorLog = () => workspace.read(`lighttpd-${name}/error.log`);
    const daemon = await workspace.start({
      name: `lighttpd for ${name}`,
      command: commandOf('lighttpd'),
      args: ['-D', '-f', workspace.write(`lighttpd-${name}.conf`, configuration(folder, http.port, backend))],
      ready: () => listening(http),
      stopSignal: 'SIGTERM',
      log: errorLog,
    });
    sites[name] = { port: http.port, errorLog };
    stops.push(() => daemon.stop());
  }
  return {
    sites,
    stop: async () => {
      for (const stop of stops) await stop();
    },
  };
}

/** check-local off: whether a script exists is the backend's to say, as behind nginx. disable-time 0: try again after a failure. */
function configuration(folder: string, port: number, backend: Endpoint): string {
  const address =
    backend.kind === 'unix'
      ? `"socket" => "${backend.path}"`
      : `"host" => "${backend.host}", "port" => ${backend.port}`;
  return `server.modules = ( "mod_fastcgi" )
server.document-root = "${DOCUMENT_ROOT}"
server.bind = "127.0.0.1"
server.port = ${port}
server.errorlog = "${folder}/error.log"
server.upload-dirs = ( "${folder}" )
server.stream-response-body = 1
server.stream-request-body = 1
mimetype.assign = ( "" => "application/octet-stream" )
fastcgi.server = ( ".php" => (( ${address}, "check-local" => "disable", "disable-time" => 0 )) )
`;
}
