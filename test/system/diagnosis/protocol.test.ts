import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeRecord } from '../../../src/protocol/fastcgi/encoder.js';
import { type FaultBackend, SCRIPTS, type Script, startFaultBackend } from '../../support/fault-backend.js';
import { Program } from '../../support/program.js';
import { http } from '../../support/real/http.js';
import { startLighttpd } from '../../support/real/lighttpd.js';
import type { NdjsonLine, NdjsonRequest } from '../../support/real/ndjson.js';
import { startNginx } from '../../support/real/nginx.js';
import { PacketCapture } from '../../support/real/packet-capture.js';
import { ProxyUnderTest } from '../../support/real/proxy.js';
import { requireServers } from '../../support/real/requirements.js';
import type { Site } from '../../support/real/web-server.js';
import { Workspace } from '../../support/real/workspace.js';

const PAGE = 'Content-Type: text/plain\r\n\r\npage\n';
const STDOUT = 6;

/** After the request: these records, and the end of the connection. */
const sends =
  (...records: readonly Uint8Array[]): Script =>
  async (connection) => {
    await connection.readRequest();
    for (const record of records) await connection.send(record);
    connection.halfClose();
  };
const stdout = (content: string, more: { readonly requestId?: number; readonly version?: number } = {}) =>
  encodeRecord({ type: STDOUT, requestId: 1, content: new TextEncoder().encode(content), ...more });
const endRequest = (protocolStatus = 0, requestId = 1) =>
  encodeRecord({ type: 3, requestId, content: Uint8Array.of(0, 0, 0, 0, protocolStatus, 0, 0, 0) });

interface Outcome {
  readonly status: number;
  /** In the web server's error log; lighttpd says nothing of most. */
  readonly log?: string;
}

interface Case {
  readonly id: string;
  readonly script: Script;
  readonly nginx: Outcome;
  readonly lighttpd: Outcome;
}

const CASES: readonly Case[] = [
  {
    id: 'end-without-header',
    script: sends(endRequest()),
    nginx: { status: 502, log: 'upstream sent unexpected FastCGI record: 3' },
    lighttpd: { status: 500 },
  },
  {
    id: 'overloaded',
    script: sends(endRequest(2)),
    nginx: { status: 502, log: 'upstream sent unexpected FastCGI record: 3' },
    lighttpd: { status: 500 },
  },
  {
    id: 'header-line-invalid',
    script: sends(stdout('no header is this\n\npage'), endRequest()),
    nginx: { status: 502, log: 'upstream sent invalid header' },
    lighttpd: { status: 502 },
  },
  {
    id: 'header-not-terminated',
    script: sends(stdout('Content-Type: text/plain\r\n'), stdout(''), endRequest()),
    nginx: { status: 502, log: 'upstream prematurely closed FastCGI stdout' },
    lighttpd: { status: 500 },
  },
  {
    id: 'wrong-request-id',
    script: sends(stdout(PAGE, { requestId: 2 }), endRequest(0, 2)),
    nginx: { status: 502, log: 'upstream sent unexpected FastCGI request id low byte: 2' },
    lighttpd: { status: 200 },
  },
  {
    id: 'unknown-record-type',
    script: sends(encodeRecord({ type: 99, requestId: 1 }), stdout(PAGE), endRequest()),
    nginx: { status: 502, log: 'upstream sent invalid FastCGI record type: 99' },
    lighttpd: { status: 200, log: 'header.type not handled: 99' },
  },
  {
    id: 'version-mismatch',
    script: sends(stdout(PAGE, { version: 2 }), endRequest()),
    nginx: { status: 502, log: 'upstream sent unsupported FastCGI protocol version: 2' },
    lighttpd: { status: 200 },
  },
  {
    id: 'truncated-record',
    script: sends(stdout(PAGE + 'x'.repeat(8_000)).subarray(0, 3_000)),
    nginx: { status: 200 },
    lighttpd: { status: 500, log: 'unexpected end-of-file (perhaps the fastcgi process died)' },
  },
  {
    id: 'backend-speaks-http',
    script: SCRIPTS.garbage(),
    nginx: { status: 502, log: 'upstream sent unsupported FastCGI protocol version: 72' },
    lighttpd: { status: 500, log: 'unexpected end-of-file (perhaps the fastcgi process died)' },
  },
];

requireServers(
  'nginx',
  'lighttpd',
  'tcpdump',
)('what a backend does to the protocol', () => {
  let workspace: Workspace;
  let backend: FaultBackend;
  let proxy: ProxyUnderTest;
  let capture: PacketCapture;
  let port: number;
  const sites: Record<string, Site> = {};
  const closings: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    workspace = new Workspace();
    backend = await startFaultBackend([...CASES, ...CASES].map(({ script }) => script));
    if (backend.address.kind !== 'tcp') throw new Error('tcpdump sees TCP only');
    port = backend.address.port;
    capture = await PacketCapture.start(workspace, port);
    const listen = await workspace.address('tcp', 'proxy');
    proxy = await ProxyUnderTest.start(workspace, [{ listen, upstream: backend.address }]);
    const nginx = await startNginx(workspace, { fault: listen });
    const lighttpd = await startLighttpd(workspace, { fault: listen });
    sites.nginx = nginx.sites.fault;
    sites.lighttpd = lighttpd.sites.fault;
    closings.push(nginx.stop, lighttpd.stop);
  }, 30_000);

  afterAll(async () => {
    for (const close of closings) await close();
    await backend.stop();
    await workspace.close();
  });

  for (const server of ['nginx', 'lighttpd'] as const)
    it.each(CASES)(`$id behind ${server}`, async (fault) => {
      const { status, log } = fault[server];
      const site = sites[server]!;
      const before = site.errorLog().length;
      const path = `/a.php?${server}-${fault.id}`;
      const response = await http({ port: site.port, path });
      const line = await proxy.request(path, ({ url }) => url?.endsWith(path) ?? false);
      expect(line.findings.map(({ id }) => id)).toEqual([fault.id]);
      expect(response.status).toBe(status);
      if (log !== undefined) expect(site.errorLog().slice(before)).toContain(log);
    });

  it('is told of a capture of the same moment, too', async () => {
    const { requests } = await proxy.stop();
    await capture.stop();
    const program = new Program(workspace, [capture.file, '--port', String(port), '--format', 'ndjson']);
    expect(await program.ended).toBe(0);
    const told = (lines: readonly NdjsonRequest[]) =>
      lines.map(({ url, findings }) => [url, findings.map(({ id, detail }) => [id, detail])]).sort();
    const read = program.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as NdjsonLine)
      .filter((line) => line.type === 'request');
    expect(told(read)).toEqual(told(requests));
    expect(read).toHaveLength(2 * CASES.length);
  });
});
