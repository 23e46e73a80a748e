import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Endpoint, formatEndpoint } from '../../src/model/connection.js';
import { Forwarder } from '../support/real/forwarder.js';
import { countRecordsOf } from '../support/real/ndjson.js';
import { startNginx } from '../support/real/nginx.js';
import { PacketCapture } from '../support/real/packet-capture.js';
import { startPhpFpm } from '../support/real/php.js';
import { ProxyUnderTest } from '../support/real/proxy.js';
import { requireServers } from '../support/real/requirements.js';
import { Workspace } from '../support/real/workspace.js';
import { ordinaryRequests } from './ordinary-requests.js';
import { Twin } from './twin.js';

interface Legs {
  readonly listen: Endpoint['kind'];
  readonly upstream: Endpoint['kind'];
  readonly keepConnections: boolean;
  /**
   * tcpdump sees TCP only. Where a leg is TCP, that one is captured (the relay changes nothing, so either will do). Where both are Unix
   * sockets, the path behind the proxy can be led over a captured TCP port and back to a Unix socket: proxy →unix→ TCP →unix→ PHP-FPM.
   */
  readonly capture: 'upstream' | 'listen' | 'detour' | 'none';
}

const LEGS: readonly Legs[] = [
  { listen: 'tcp', upstream: 'tcp', keepConnections: false, capture: 'upstream' },
  { listen: 'tcp', upstream: 'tcp', keepConnections: true, capture: 'upstream' },
  { listen: 'unix', upstream: 'unix', keepConnections: false, capture: 'none' },
  { listen: 'unix', upstream: 'unix', keepConnections: true, capture: 'none' },
  { listen: 'unix', upstream: 'unix', keepConnections: true, capture: 'detour' },
  { listen: 'unix', upstream: 'tcp', keepConnections: false, capture: 'upstream' },
  { listen: 'tcp', upstream: 'unix', keepConnections: true, capture: 'listen' },
];

requireServers(
  'nginx',
  'php-fpm',
  'tcpdump',
  'tshark',
)('nginx → fcgi-inspect → PHP-FPM', () => {
  describe.each(LEGS)('$listen → $upstream, keep_conn $keepConnections, captured: $capture', (legs) => {
    let workspace: Workspace;
    let twin: Twin;
    let upstream: Endpoint;
    let capture: PacketCapture | null = null;
    const forwarders: Forwarder[] = [];

    beforeAll(async () => {
      workspace = new Workspace();
      const fpm = await startPhpFpm(workspace, await workspace.address(legs.upstream, 'fpm'));
      const listen = await workspace.address(legs.listen, 'proxy');
      upstream = fpm.address;
      if (legs.capture === 'detour') {
        const middle = await workspace.address('tcp', 'middle');
        upstream = await workspace.address('unix', 'detour');
        forwarders.push(await Forwarder.start(middle, fpm.address), await Forwarder.start(upstream, middle));
        capture = await captureOf(workspace, middle);
      } else if (legs.capture !== 'none') {
        // Only the proxy's traffic belongs into the capture, so the direct way gets a PHP-FPM of its own.
        capture = await captureOf(workspace, legs.capture === 'upstream' ? fpm.address : listen);
      }
      const own = await startPhpFpm(workspace, await workspace.address(legs.upstream, 'own'));
      const proxy = await ProxyUnderTest.start(workspace, [{ listen, upstream }], ['--bodies', 'sha256']);
      const nginx = await startNginx(workspace, { direct: own.address, proxied: listen }, legs);
      twin = new Twin(nginx, proxy);
    });

    afterAll(async () => {
      for (const forwarder of forwarders) await forwarder.stop();
      await workspace.close();
    });

    ordinaryRequests(() => ({
      twin,
      path: (name) => workspace.path(name),
      expected: {
        requestId: 1,
        keepConnection: legs.keepConnections,
        server: formatEndpoint(upstream),
        client: legs.listen === 'unix' ? 'unix:' : (expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string),
      },
      live: '/live',
    }));

    it('the run as a whole: connections, summary, exit status, and what tshark counts', async () => {
      const report = await twin.stop();
      expect(report.requests.map(({ n }) => n).sort((a, b) => a - b)).toEqual(
        Array.from({ length: twin.requests }, (_, i) => i + 1),
      );
      expect(report.exitStatus).toBe(128 + 2);

      const connections = report.connections.length;
      if (legs.keepConnections) expect(connections).toBeLessThan(twin.requests);
      else expect(connections).toBe(twin.requests);
      expect(report.connections.reduce((sum, { requests }) => sum + requests, 0)).toBe(twin.requests);
      for (const connection of report.connections) {
        expect(connection).toMatchObject({
          how: 'fin',
          managementRecords: 0,
          problems: 0,
          server: formatEndpoint(upstream),
        });
        // A kept connection ends when nginx does; else both close after END_REQUEST, and either may be the first.
        expect(connection.endedBy).toMatch(legs.keepConnections ? /^web-server$/ : /^(web-server|backend)$/);
      }
      expect(report.summary).toMatchObject({
        connections,
        requests: twin.requests,
        completed: twin.requests,
        evicted: 0,
      });

      if (capture === null) return;
      await capture.stop();
      const counted = await capture.records();
      expect(countRecordsOf(report.requests)).toEqual(counted);
      expect(counted[1]).toBe(twin.requests);
    });
  });
});

function captureOf(workspace: Workspace, address: Endpoint): Promise<PacketCapture> {
  if (address.kind !== 'tcp') throw new Error('tcpdump sees TCP only');
  return PacketCapture.start(workspace, address.port);
}
