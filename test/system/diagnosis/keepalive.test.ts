import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { http } from '../../support/real/http.js';
import { startNginx } from '../../support/real/nginx.js';
import { startPhpFpm } from '../../support/real/php.js';
import { ProxyUnderTest } from '../../support/real/proxy.js';
import { requireServers } from '../../support/real/requirements.js';
import { Workspace } from '../../support/real/workspace.js';

async function kept(workers: number, pool: Readonly<Record<string, string>> = {}) {
  const workspace = new Workspace();
  onTestFinished(() => workspace.close());
  const upstream = await workspace.address('tcp', 'backend');
  const listen = await workspace.address('tcp', 'proxy');
  await startPhpFpm(workspace, upstream, workers, pool);
  const proxy = await ProxyUnderTest.start(workspace, [{ listen, upstream }]);
  // Two upstream blocks: each keeps its own connections.
  const nginx = await startNginx(workspace, { one: listen, other: listen }, { keepConnections: true });
  const get = (path: string, site: 'one' | 'other' = 'one') => http({ port: nginx.sites[site].port, path });
  const findings = async (path: string) =>
    (await proxy.request(path, ({ url }) => url?.endsWith(path) === true)).findings.map(({ id }) => id);
  return { get, findings, proxy };
}

requireServers('nginx', 'php-fpm')('connections that nginx keeps to PHP-FPM', () => {
  it('hold its workers while they are idle', async () => {
    // The limit is what lets go of the idle connection here; nobody else would.
    const { get, findings } = await kept(1, { request_terminate_timeout: '2s' });
    for (const i of [1, 2, 3]) await get(`/hello.php?${i}`);
    expect((await get('/hello.php?waits', 'other')).status).toBe(200);
    expect(await findings('/hello.php?waits')).toEqual(['keepalive-pins-worker']);
  }, 25_000);

  it('wait for what the script before left to do', async () => {
    const { get, findings } = await kept(3);
    for (const i of [1, 2, 3, 4]) await get(`/hello.php?${i}`);
    await get('/finish.php?ms=1500');
    await get('/hello.php?waits');
    expect(await findings('/hello.php?waits')).toEqual(['finish-request-blocks-connection']);
    expect(await findings('/finish.php?ms=1500')).toEqual([]);
  }, 25_000);

  it('end when a worker has had its number of requests', async () => {
    const { get, proxy } = await kept(1, { 'pm.max_requests': '3' });
    for (let i = 0; i < 15; i += 1) {
      expect((await get(`/hello.php?${i}`)).status).toBe(200);
      await delay(60);
    }
    const { requests, connections } = await proxy.stop();
    expect(connections.filter(({ endedBy }) => endedBy === 'backend').map((one) => one.requests)).toContain(3);
    const said = requests.flatMap((one) => one.findings.map(({ id, severity }) => `${severity} ${id}`));
    expect(new Set(said)).toEqual(new Set(['note keepalive-max-requests']));
  }, 25_000);
});
