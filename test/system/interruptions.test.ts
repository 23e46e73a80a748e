import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Endpoint, formatEndpoint } from '../../src/model/connection.js';
import { until } from '../support/real/daemon.js';
import { http, sha256 } from '../support/real/http.js';
import { countRecordsOf, type NdjsonRequest, type NdjsonStream, responseHeadOf } from '../support/real/ndjson.js';
import { startNginx } from '../support/real/nginx.js';
import { PacketCapture } from '../support/real/packet-capture.js';
import { startPhpFpm } from '../support/real/php.js';
import { ProxyUnderTest } from '../support/real/proxy.js';
import { requireServers } from '../support/real/requirements.js';
import { errorKinds, type Site } from '../support/real/web-server.js';
import { Workspace } from '../support/real/workspace.js';
import { Twin, type TwinRequest } from './twin.js';

const BACKEND_ENDED = /\(104: Connection reset by peer\)|upstream prematurely closed/;
/** nginx gives up on a silent backend after this many seconds; longer than any other silence here. */
const READ_TIMEOUT_S = 2;

requireServers(
  'nginx',
  'php-fpm',
  'tcpdump',
  'tshark',
)('nginx → fcgi-inspect → PHP-FPM, interrupted', () => {
  describe.each(['tcp', 'unix'] as const)('over %s', (kind) => {
    let workspace: Workspace;
    let twin: Twin;
    let proxy: ProxyUnderTest;
    let upstream: Endpoint;
    let nobody: Endpoint;
    let withoutBackend: Readonly<Record<'direct' | 'proxied', Site>>;
    let capture: PacketCapture | null = null;

    beforeAll(async () => {
      workspace = new Workspace();
      const fpm = await startPhpFpm(workspace, await workspace.address(kind, 'fpm'));
      const own = await startPhpFpm(workspace, await workspace.address(kind, 'own'));
      const listen = await workspace.address(kind, 'proxy');
      const listenForNobody = await workspace.address(kind, 'proxy-for-nobody');
      upstream = fpm.address;
      nobody = await workspace.address(kind, 'nobody');
      if (upstream.kind === 'tcp') capture = await PacketCapture.start(workspace, upstream.port);
      const pairs = [
        { listen, upstream },
        { listen: listenForNobody, upstream: nobody },
      ];
      proxy = await ProxyUnderTest.start(workspace, pairs, ['--bodies', 'base64']);
      const nginx = await startNginx(
        workspace,
        { direct: own.address, proxied: listen, nobody, proxied_nobody: listenForNobody },
        { readTimeout: READ_TIMEOUT_S },
      );
      twin = new Twin(nginx, proxy);
      withoutBackend = { direct: nginx.sites.nobody, proxied: nginx.sites.proxied_nobody };
    });

    afterAll(() => workspace.close());

    /** The connection a request came over, which ends after the request has. */
    const connectionOf = (seen: NdjsonRequest) =>
      proxy.connection(`${seen.connection}`, ({ connection }) => connection === seen.connection);

    it('a worker killed in the middle of its response', async () => {
      const bytes = 100_000;
      const gate = workspace.path('killed');
      const openGateAtEnd = (): TwinRequest => {
        rmSync(gate, { force: true });
        return {
          onChunk: (chunk, before) => {
            if (before + chunk.length === bytes) writeFileSync(gate, '');
          },
        };
      };
      const path = `/live/killed.php?bytes=${bytes}&gate=${encodeURIComponent(gate)}`;
      const { direct, proxied, seen } = await twin.request(path, openGateAtEnd);
      expect(direct).toMatchObject({ status: 200, complete: false });
      // A reset cannot be passed on over a Unix socket, and nginx takes a plain end for the end of the answer when keep_conn is off.
      expect(proxied).toMatchObject(kind === 'tcp' ? { status: 200, complete: false } : { status: 200 });
      expect(proxied.sha256).toBe(direct.sha256);
      expect(proxied.body.length).toBe(bytes);

      // A reset, not a plain end: the worker had not read the empty STDIN record when it died.
      expect(seen.outcome).toBe('backend-reset');
      expectCutOff(seen, proxied.body);
      expect(await connectionOf(seen)).toMatchObject({ endedBy: 'backend', how: 'reset' });
    });

    it('a worker killed with its last bytes still under way', async () => {
      const { seen } = await twin.request('/live/killed.php?bytes=100000');
      expect(seen.outcome).toMatch(/^backend-(reset|closed)$/);
      // How much of it the dying worker's kernel still sends is a race; what came is there, and nothing else.
      expect(seen).toMatchObject({ method: 'GET', status: 200, appStatus: null, protocolStatus: null });
      const head = responseHeadOf(seen);
      expect(seen.stdout.bytes).toBeGreaterThan(head.length);
      expect(contentOf(seen.stdout).toString('latin1', head.length)).toMatch(/^x+\n?$/);
      expect(contentOf(seen.stdout)).toHaveLength(seen.stdout.bytes);
    });

    /** All of the body that was sent is there, and nothing says that it is whole. */
    function expectCutOff(seen: NdjsonRequest, body: Uint8Array): void {
      expect(seen).toMatchObject({ method: 'GET', status: 200, appStatus: null, protocolStatus: null });
      const sent = Buffer.concat([Buffer.from(responseHeadOf(seen)), body]);
      expect(seen.stdout).toMatchObject({ bytes: sent.length, ended: false });
      expect(sha256(contentOf(seen.stdout))).toBe(sha256(sent));
    }

    it('a worker killed before it answered', async () => {
      const { direct, proxied, seen } = await twin.request('/killed.php');
      expect([direct.status, proxied.status]).toEqual([502, 502]);
      expect(seen).toMatchObject({
        outcome: 'backend-reset',
        status: null,
        responseHeaders: null,
        stdout: { bytes: 0, records: 0, ended: false },
      });
      expect(seen.timing).toMatchObject({ firstStdout: null, lastStdout: null });
    });

    it('a client that leaves while the response streams', async () => {
      const { proxied, seen } = await twin.request('/live/stream.php?lines=50', {
        onChunk: (_chunk, before, leave) => {
          if (before === 0) leave();
        },
      });
      expect(proxied.complete).toBe(false);
      expect(seen.outcome).toMatch(/^(web-server-closed|web-server-reset|aborted)$/);
      expect(seen).toMatchObject({ status: 200, appStatus: null, protocolStatus: null });
      expect(contentOf(seen.stdout).toString()).toMatch(/\r\n\r\nline 1\n/);
      expect(contentOf(seen.stdout).toString()).not.toContain('line 50\n');
      expect(await connectionOf(seen)).toMatchObject({ endedBy: 'web-server' });
    });

    it('a client that leaves before there is an answer', async () => {
      const started = workspace.path('started');
      const leaveOnceStarted = (): TwinRequest => {
        rmSync(started, { force: true });
        return { onLeave: (leave) => void until('the script runs', () => existsSync(started)).then(leave, leave) };
      };
      const path = `/sleep.php?ms=700&started=${encodeURIComponent(started)}`;
      const { proxied, seen } = await twin.request(path, leaveOnceStarted);
      expect(proxied.status).toBeNull();
      expect(seen.outcome).toMatch(/^(web-server-closed|web-server-reset|aborted)$/);
      expect(await connectionOf(seen)).toMatchObject({ endedBy: 'web-server' });
    });

    it('a backend slower than the web server waits', async () => {
      const { direct, proxied, seen } = await twin.request(`/sleep.php?ms=${(READ_TIMEOUT_S + 1) * 1_000}`);
      expect([direct.status, proxied.status]).toEqual([504, 504]);
      expect(seen.outcome).toMatch(/^web-server-(closed|reset)$/);
      expect(await connectionOf(seen)).toMatchObject({ endedBy: 'web-server' });
    });

    it('what PHP wrote to STDERR, in its own words', async () => {
      const { seen } = await twin.same('/warning.php');
      const text = contentOf(seen.stderr).toString();
      expect(text).toContain('PHP Warning:  Undefined variable $undefined');
      expect(text).toContain('a message for the log');
      expect(seen.stderr.bytes).toBe(Buffer.byteLength(text));
    });

    it('an upstream that is down', async () => {
      const direct = await http({ port: withoutBackend.direct.port, path: '/hello.php' });
      const proxied = await http({ port: withoutBackend.proxied.port, path: '/hello.php' });
      expect([direct.status, proxied.status]).toEqual([502, 502]);
      const seen = await proxy.request('to nobody', ({ outcome }) => outcome === 'not-connected');
      expect(seen).toMatchObject({
        server: formatEndpoint(nobody),
        status: null,
        appStatus: null,
        protocolStatus: null,
        stdout: { bytes: 0, records: 0 },
      });
      const connection = await connectionOf(seen);
      expect(connection).toMatchObject({ server: formatEndpoint(nobody), bytes: { server: 0 } });
      const told = JSON.stringify([seen.findings, connection.findings]);
      expect(told).toMatch(kind === 'tcp' ? /ECONNREFUSED|[Cc]onnection refused/ : /ENOENT|[Nn]o such file/);
    });

    it('the error logs, and what tshark counts', async () => {
      await expect
        .poll(() => comparable(twin.web.sites.proxied.errorLog()), { timeout: 5_000 })
        .toEqual(comparable(twin.web.sites.direct.errorLog()));
      const report = await twin.stop();
      expect(report.summary).toMatchObject({ requests: report.requests.length, completed: 1 });
      if (capture === null) return;
      await capture.stop();
      const connected = report.requests.filter(({ outcome }) => outcome !== 'not-connected');
      expect(connected).toHaveLength(twin.requests);
      expect(countRecordsOf(connected)).toEqual(await capture.records());
    });

    /**
     * How often, and while doing what, nginx met a backend's reset is a race where the last bytes come with it; over Unix sockets the
     * web server sees a plain end instead. So the resets are only asked for over TCP, and once.
     */
    function comparable(log: string): readonly string[] {
      const lines = errorKinds(log);
      const ends = lines.filter((line) => BACKEND_ENDED.test(line));
      const reset =
        kind === 'tcp' && ends.some((line) => line.includes('recv() failed (104: Connection reset by peer)'));
      return [...lines.filter((line) => !BACKEND_ENDED.test(line)), `resets: ${reset}`];
    }
  });
});

function contentOf(stream: NdjsonStream): Buffer {
  return Buffer.from(stream.base64 ?? '', 'base64');
}
