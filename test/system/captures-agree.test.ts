import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Endpoint, formatEndpoint } from '../../src/model/connection.js';
import { Program } from '../support/program.js';
import { until } from '../support/real/daemon.js';
import { http } from '../support/real/http.js';
import type { NdjsonConnection, NdjsonLine, NdjsonRequest } from '../support/real/ndjson.js';
import { startNginx } from '../support/real/nginx.js';
import { PacketCapture } from '../support/real/packet-capture.js';
import { startPhpFpm } from '../support/real/php.js';
import { type ProxyReport, ProxyUnderTest } from '../support/real/proxy.js';
import { requireServers } from '../support/real/requirements.js';
import type { WebServer } from '../support/real/web-server.js';
import { Workspace } from '../support/real/workspace.js';

/**
 * The same traffic three times: as the proxy saw it pass, and as the program reads it from what tcpdump captured on either side of the proxy.
 * What happened must be the same; when and between which ports it happened is another matter.
 */

/** Told of a request by its bytes alone, whoever watched them. */
function told(request: NdjsonRequest) {
  const { n: _, connection: __, client: ___, server: ____, at: _____, timing, findings, ...rest } = request;
  return {
    ...rest,
    timing: Object.fromEntries(Object.entries(timing).map(([step, time]) => [step, time !== null])),
    findings: findings.map(({ id, severity }) => ({ id, severity })),
  };
}

/** A web server may try a request again on another connection: then there are two of an URL. */
const byUrl = (requests: readonly NdjsonRequest[]) =>
  [...requests].sort((a, b) => String(a.url).localeCompare(String(b.url)) || a.n - b.n).map(told);

const bySize = (connections: readonly NdjsonConnection[]) =>
  connections
    .map(({ requests, bytes, managementRecords, problems }) => ({
      requests,
      bytes,
      managementRecords,
      problems,
    }))
    .sort((a, b) => a.bytes.client - b.bytes.client || a.bytes.server - b.bytes.server);

requireServers(
  'nginx',
  'php-fpm',
  'tcpdump',
)('what is read from a capture is what was seen live', () => {
  describe.each([false, true])('keep_conn %s', (keepConnections) => {
    let workspace: Workspace;
    let web: WebServer<'proxied'>;
    let upstream: Endpoint;
    let behind: PacketCapture;
    let before: PacketCapture;
    let live: ProxyReport;
    let made = 0;

    async function ask(path: string, options: Partial<Parameters<typeof http>[0]> = {}): Promise<void> {
      made += 1;
      const unique = `${path}${path.includes('?') ? '&' : '?'}request=${String(made).padStart(3, '0')}`;
      await http({ port: web.sites.proxied.port, path: unique, ...options });
    }

    beforeAll(async () => {
      workspace = new Workspace();
      const fpm = await startPhpFpm(workspace, await workspace.address('tcp', 'fpm'));
      upstream = fpm.address;
      const listen = await workspace.address('tcp', 'proxy');
      if (upstream.kind !== 'tcp' || listen.kind !== 'tcp') throw new Error('tcpdump sees TCP only');
      behind = await PacketCapture.start(workspace, upstream.port);
      before = await PacketCapture.start(workspace, listen.port);
      const proxy = await ProxyUnderTest.start(workspace, [{ listen, upstream }], ['--bodies', 'sha256']);
      web = await startNginx(workspace, { proxied: listen }, { keepConnections });

      await ask('/hello.php?x=1');
      await ask('/echo.php', {
        body: 'name=J%C3%BCrgen&empty=',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-odd': 'caf\xe9', cookie: 'a=1; b=2' },
      });
      await ask('/upload.php', { body: Buffer.alloc(3_000_000, 'upload '), headers: { 'content-type': 'text/plain' } });
      await ask('/download.php?blocks=100');
      await ask(`/hello.php?long=${'q'.repeat(7_000)}`);
      for (const name of ['warning', 'fatal', 'missing-page', 'redirect', 'no-such-script']) await ask(`/${name}.php`);
      await ask('/live/stream.php?lines=5');
      await ask('/killed.php');
      await ask('/sleep.php?ms=500', { onLeave: (leave) => setTimeout(leave, 200) });
      await Promise.all(Array.from({ length: 12 }, (_, i) => ask(`/echo.php?which=${i}`, { body: `body ${i}` })));
      await web.stop();
      await until('all connections have ended', () => proxy.requestsOfEndedConnections() >= made);
      live = await proxy.stop();
      await behind.stop();
      await before.stop();
    });

    afterAll(() => workspace.close());

    async function read(...args: string[]): Promise<NdjsonLine[]> {
      const program = new Program(workspace, [...args, '--format', 'ndjson', '--bodies', 'sha256']);
      expect(await program.ended).toBe(0);
      expect(program.stderr).toBe('');
      return program.lines().map((line) => JSON.parse(line) as NdjsonLine);
    }

    function expectTheSame(
      lines: readonly NdjsonLine[],
      which: (request: NdjsonRequest) => boolean = () => true,
    ): void {
      const requests = lines.filter((line) => line.type === 'request');
      expect(byUrl(requests.filter(which))).toEqual(byUrl(live.requests.filter(which)));
      expect(bySize(lines.filter((line) => line.type === 'connection'))).toEqual(bySize(live.connections));
      expect(lines.at(-1)).toMatchObject({ type: 'summary', requests: live.requests.length });
    }

    it('had something of everything in it', () => {
      expect(new Set(live.requests.map(({ url }) => url)).size).toBe(made);
      const outcomes = new Set(live.requests.map(({ outcome }) => outcome));
      expect(outcomes).toContain('completed');
      expect(outcomes).toContain('backend-reset');
      expect([...outcomes].some((outcome) => outcome.startsWith('web-server-'))).toBe(true);
      const findings = new Set(live.requests.flatMap((request) => request.findings.map(({ id }) => id)));
      expect([...findings]).toEqual(expect.arrayContaining(['php-fatal', 'primary-script-unknown', 'client-abort']));
      for (const { stdin, stdout } of live.requests)
        expect([stdin.missing, stdout.missing]).toEqual([undefined, undefined]);
    });

    it('between the web server and the proxy', async () => {
      expectTheSame(await read(before.file));
    });

    /** Behind the proxy nothing shows that the web server did not take the answer: the proxy did. */
    const stayed = ({ script }: NdjsonRequest) => script?.endsWith('/sleep.php') !== true;

    it('between the proxy and the backend', async () => {
      expectTheSame(await read(behind.file), stayed);
    });

    it('with the port named', async () => {
      if (upstream.kind === 'tcp') expectTheSame(await read(behind.file, '--port', String(upstream.port)), stayed);
    });

    it('both captures as one: every request twice', async () => {
      const lines = await read(before.file, behind.file);
      expect(lines.at(-1)).toMatchObject({ type: 'summary', requests: 2 * live.requests.length });
      const requests = lines.filter((line) => line.type === 'request');
      const own = requests.filter(({ server }) => server === formatEndpoint(upstream));
      expect(byUrl(own.filter(stayed))).toEqual(byUrl(live.requests.filter(stayed)));
      const others = requests.filter((request) => !own.includes(request));
      expect(byUrl(others)).toEqual(byUrl(live.requests));
    });

    it('times are those of the packets: in order, and as long as the proxy found them', async () => {
      const requests = (await read(behind.file)).filter((line) => line.type === 'request');
      for (const { url, at, timing, server } of requests) {
        const same = live.requests.filter((request) => request.url === url);
        const [other] = same;
        if (other === undefined || same.length > 1) continue;
        expect(server).toBe(formatEndpoint(upstream));
        // A busy machine schedules the proxy late; half a second is far more than that, and far less than another request's time.
        expect(Math.abs(at - other.at)).toBeLessThan(0.5);
        const steps = [0, timing.params, timing.firstStdout, timing.lastStdout].filter((step) => step !== null);
        expect(steps).toEqual([...steps].sort((a, b) => a - b));
        if (timing.total !== null) expect(Math.abs(timing.total - other.timing.total!)).toBeLessThan(500);
      }
    });
  });
});
