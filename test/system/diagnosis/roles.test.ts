import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Endpoint } from '../../../src/model/connection.js';
import { type FaultBackend, SCRIPTS, type Script, startFaultBackend } from '../../support/fault-backend.js';
import { http } from '../../support/real/http.js';
import { listening } from '../../support/real/listening.js';
import { ProxyUnderTest } from '../../support/real/proxy.js';
import { commandOf, requireServers } from '../../support/real/requirements.js';
import { Workspace } from '../../support/real/workspace.js';

/** lighttpd before authorizers that do not do what they should, and what the visitor gets then. */

const silent =
  (protocolStatus: number, appStatus = 0): Script =>
  async (connection) => {
    await connection.until((records) => records.find(({ type, content }) => type === 4 && content.length === 0));
    await connection.endRequest(appStatus, protocolStatus);
    connection.halfClose();
  };

const NO = 'Status: 403 Forbidden\r\nContent-Type: text/plain\r\n';

const WANTED: readonly (readonly [what: string, script: Script, status: number, ids: readonly string[]])[] = [
  ['allows', SCRIPTS.answers('Status: 200 OK\r\nVariable-USER: jo\r\n\r\n'), 200, []],
  ['allows with a page', SCRIPTS.answers('Status: 200 OK\r\n\r\nwelcome'), 200, ['authorizer-body-on-200']],
  ['refuses', SCRIPTS.answers(`${NO}\r\nno`), 403, ['authorizer-denied']],
  [
    'refuses, and tells a secret',
    SCRIPTS.answers(`${NO}Variable-USER: jo\r\n\r\nno`),
    403,
    ['authorizer-variable-headers', 'authorizer-denied'],
  ],
  ['says nothing', silent(0), 200, ['authorizer-fail-open']],
  ['fails', silent(0, 1), 200, ['authorizer-fail-open']],
  ['is overloaded', silent(2), 200, ['authorizer-fail-open']],
  ['does not know the role', silent(3), 200, ['authorizer-fail-open']],
  ['dies', SCRIPTS.closesWithoutAnswer(), 500, ['eof-before-any-byte']],
];

requireServers('lighttpd')('lighttpd → fcgi-inspect → an authorizer', () => {
  let workspace: Workspace;
  let proxy: ProxyUnderTest;
  const backends: FaultBackend[] = [];

  beforeAll(async () => {
    workspace = new Workspace();
    const pairs: { listen: Endpoint; upstream: Endpoint }[] = [];
    for (const [, script] of WANTED) {
      const backend = await startFaultBackend(script);
      backends.push(backend);
      pairs.push({ listen: await workspace.address('tcp', `proxy-${pairs.length}`), upstream: backend.address });
    }
    proxy = await ProxyUnderTest.start(workspace, pairs);
    const root = workspace.path('www');
    mkdirSync(root);
    const authorizers = pairs.map(({ listen }, index) => {
      mkdirSync(`${root}/${index}`);
      workspace.write(`www/${index}/page.txt`, 'the protected page');
      if (listen.kind !== 'tcp') throw new Error('TCP here');
      return `"/${index}/" => (( "host" => "${listen.host}", "port" => ${listen.port}, "mode" => "authorizer", "check-local" => "disable", "disable-time" => 0 ))`;
    });
    const site = await workspace.address('tcp', 'site');
    if (site.kind !== 'tcp') throw new Error('TCP here');
    port = site.port;
    const configuration = workspace.write(
      'lighttpd.conf',
      `server.modules = ( "mod_fastcgi" )
server.document-root = "${root}"
server.bind = "127.0.0.1"
server.port = ${port}
server.errorlog = "${workspace.path('lighttpd.log')}"
mimetype.assign = ( ".txt" => "text/plain" )
fastcgi.server = ( ${authorizers.join(', ')} )
`,
    );
    await workspace.start({
      name: 'lighttpd',
      command: commandOf('lighttpd'),
      args: ['-D', '-f', configuration],
      ready: () => listening(site),
      stopSignal: 'SIGTERM',
    });
  }, 30_000);
  let port: number;

  afterAll(async () => {
    for (const backend of backends) await backend.stop();
    await workspace.close();
  });

  it.each(WANTED.map(([what, , status, ids], index) => [what, status, ids, index] as const))(
    'that %s: the visitor gets %d',
    async (_what, status, ids, index) => {
      const { status: given } = await http({ port, path: `/${index}/page.txt` });
      expect(given).toBe(status);
      const { role, findings } = await proxy.request('it', ({ url }) => url?.includes(`/${index}/page.txt`) ?? false);
      expect(role).toBe('authorizer');
      expect(findings.map(({ id }) => id)).toEqual(ids);
    },
  );
});
