import { spawnSync } from 'node:child_process';
import { expect, it, onTestFinished } from 'vitest';
import { PROGRAM } from '../../support/program.js';
import { until } from '../../support/real/daemon.js';
import { http } from '../../support/real/http.js';
import { startLighttpd } from '../../support/real/lighttpd.js';
import type { NdjsonRequest } from '../../support/real/ndjson.js';
import { startNginx } from '../../support/real/nginx.js';
import { PacketCapture } from '../../support/real/packet-capture.js';
import { startPhpFpm } from '../../support/real/php.js';
import { ProxyUnderTest } from '../../support/real/proxy.js';
import { requireServers } from '../../support/real/requirements.js';
import { Workspace } from '../../support/real/workspace.js';

async function through(
  start: typeof startNginx<'site'> | typeof startLighttpd<'site'>,
  pool: Readonly<Record<string, string>> = {},
) {
  const workspace = new Workspace();
  onTestFinished(() => workspace.close());
  const upstream = await workspace.address('tcp', 'backend');
  const listen = await workspace.address('tcp', 'proxy');
  await startPhpFpm(workspace, upstream, 4, pool);
  const capture = await PacketCapture.start(workspace, upstream.kind === 'tcp' ? upstream.port : 0);
  const proxy = await ProxyUnderTest.start(workspace, [{ listen, upstream }]);
  const server = await start(workspace, { site: listen });
  const get = (path: string) => http({ port: server.sites.site.port, path });
  return { get, proxy, capture };
}

/** The first finding of each request that failed, in the order of their beginning. */
function causes(requests: readonly NdjsonRequest[]): (string | undefined)[] {
  return requests
    .filter(({ outcome }) => outcome !== 'completed')
    .sort((a, b) => a.at - b.at)
    .map(({ findings }) => findings[0]?.id);
}

/** The same from the packets that passed meanwhile. */
async function causesOf(capture: PacketCapture, port: string): Promise<(string | undefined)[]> {
  await capture.stop();
  const { stdout } = spawnSync(process.execPath, [PROGRAM, capture.file, '--port', port, '--format', 'ndjson'], {
    encoding: 'utf8',
  });
  const lines = stdout.split('\n').filter((line) => line !== '');
  return causes(lines.map((line) => JSON.parse(line)).filter(({ type }) => type === 'request'));
}

const portOf = ({ server }: NdjsonRequest): string => server.split(':').at(-1)!;

requireServers(
  'nginx',
  'lighttpd',
  'php-fpm',
  'tcpdump',
)('a worker that dies', () => {
  it.each([
    ['nginx', startNginx],
    ['lighttpd', startLighttpd],
  ] as const)(
    'behind %s, before and in its response',
    async (_name, start) => {
      const { get, proxy, capture } = await through(start);
      expect((await get('/hello.php')).status).toBe(200);
      await get('/killed.php');
      await get('/killed.php?bytes=9000');
      const last = await proxy.request('that was cut', ({ url }) => url?.includes('bytes=9000') === true);
      const { requests } = await proxy.stop();
      expect(causes(requests)).toEqual(['rst-before-any-byte', 'crash-mid-response']);
      expect(await causesOf(capture, portOf(last))).toEqual(['rst-before-any-byte', 'crash-mid-response']);
    },
    25_000,
  );

  it('is killed by request_terminate_timeout', async () => {
    const { get, proxy, capture } = await through(startNginx, { request_terminate_timeout: '1s' });
    await get('/hello.php');
    await get('/sleep.php?ms=5000&i=1');
    await get('/sleep.php?ms=5000&i=2');
    const second = await proxy.request('that was cut', ({ url }) => url?.endsWith('i=2') === true);
    const { requests } = await proxy.stop();
    expect(causes(requests)).toEqual(['rst-before-any-byte', 'terminate-timeout']);
    expect(await causesOf(capture, portOf(second))).toEqual(['rst-before-any-byte', 'terminate-timeout']);
  }, 25_000);

  it('does not talk to this address', async () => {
    const { get, proxy, capture } = await through(startNginx, { 'listen.allowed_clients': '192.0.2.1' });
    let last: NdjsonRequest | null = null;
    // How quickly it shuts the door is a matter of the machine: the first ones may look like deaths.
    await until('the list is suspected', async () => {
      expect((await get('/hello.php')).status).toBe(502);
      last = await proxy.request('that was turned away', ({ n }) => n > (last?.n ?? 0));
      return last.findings[0]?.id === 'peer-not-allowed';
    });
    await proxy.stop();
    expect(await causesOf(capture, portOf(last!))).toContain('peer-not-allowed');
  }, 25_000);
});
