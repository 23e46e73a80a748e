import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Endpoint, formatEndpoint } from '../../src/model/connection.js';
import { startLighttpd } from '../support/real/lighttpd.js';
import { countRecordsOf } from '../support/real/ndjson.js';
import { PacketCapture } from '../support/real/packet-capture.js';
import { startPhpCgi } from '../support/real/php.js';
import { ProxyUnderTest } from '../support/real/proxy.js';
import { requireServers } from '../support/real/requirements.js';
import { Workspace } from '../support/real/workspace.js';
import { ordinaryRequests } from './ordinary-requests.js';
import { Twin } from './twin.js';

requireServers(
  'lighttpd',
  'php-cgi',
  'tcpdump',
  'tshark',
)('lighttpd → fcgi-inspect → php-cgi', () => {
  describe.each(['tcp', 'unix'] as const)('over %s', (kind) => {
    let workspace: Workspace;
    let twin: Twin;
    let upstream: Endpoint;
    let capture: PacketCapture | null = null;

    beforeAll(async () => {
      workspace = new Workspace();
      const cgi = await startPhpCgi(workspace, await workspace.address(kind, 'cgi'));
      const own = await startPhpCgi(workspace, await workspace.address(kind, 'own'));
      const listen = await workspace.address(kind, 'proxy');
      upstream = cgi.address;
      if (upstream.kind === 'tcp') capture = await PacketCapture.start(workspace, upstream.port);
      const proxy = await ProxyUnderTest.start(workspace, [{ listen, upstream }], ['--bodies', 'sha256']);
      twin = new Twin(await startLighttpd(workspace, { direct: own.address, proxied: listen }), proxy);
    });

    afterAll(() => workspace.close());

    ordinaryRequests(() => ({
      twin,
      path: (name) => workspace.path(name),
      expected: { requestId: 1, keepConnection: false, server: formatEndpoint(upstream) },
      live: '',
    }));

    it('the run as a whole: connections, summary, exit status, and what tshark counts', async () => {
      const report = await twin.stop();
      expect(report.exitStatus).toBe(128 + 2);
      expect(report.connections.map(({ requests }) => requests)).toEqual(
        Array.from({ length: twin.requests }, () => 1),
      );
      expect(report.summary).toMatchObject({ requests: twin.requests, completed: twin.requests, evicted: 0 });
      if (capture === null) return;
      await capture.stop();
      expect(countRecordsOf(report.requests)).toEqual(await capture.records());
    });
  });
});
