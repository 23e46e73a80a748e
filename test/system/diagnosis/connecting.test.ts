import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { http } from '../../support/real/http.js';
import { startNginx } from '../../support/real/nginx.js';
import { startPhpCgi, startPhpFpm } from '../../support/real/php.js';
import { ProxyUnderTest } from '../../support/real/proxy.js';
import { requireServers } from '../../support/real/requirements.js';
import { Workspace } from '../../support/real/workspace.js';

async function nginxBefore(kind: 'tcp' | 'unix') {
  const workspace = new Workspace();
  onTestFinished(() => workspace.close());
  const upstream = await workspace.address(kind, 'backend');
  const listen = await workspace.address('tcp', 'proxy');
  const proxy = await ProxyUnderTest.start(workspace, [{ listen, upstream }]);
  const nginx = await startNginx(workspace, { site: listen });
  const get = (path: string) => http({ port: nginx.sites.site.port, path });
  const causeOf = async (path: string, which: (outcome: string) => boolean = () => true) =>
    (await proxy.request(path, ({ url, outcome }) => url?.endsWith(path) === true && which(outcome))).findings[0]?.id;
  return { workspace, upstream, get, causeOf };
}

requireServers('nginx', 'php-fpm')('a backend that cannot be reached', () => {
  it('is not running, or its socket file is not there', async () => {
    const tcp = await nginxBefore('tcp');
    expect((await tcp.get('/hello.php')).status).toBe(502);
    expect(await tcp.causeOf('/hello.php')).toBe('connect-refused-tcp');
    const unix = await nginxBefore('unix');
    expect((await unix.get('/hello.php')).status).toBe(502);
    expect(await unix.causeOf('/hello.php')).toBe('unix-socket-missing');
  }, 20_000);

  it('has a full queue on its Unix socket', async () => {
    const { workspace, upstream, get, causeOf } = await nginxBefore('unix');
    await startPhpFpm(workspace, upstream, 1, { 'listen.backlog': '1' });
    // One is worked on, two wait (the queue holds one more than it says); who comes then is turned away.
    const waiting = [1, 2, 3].map(async (i) => {
      await delay(60 * i);
      await get(`/sleep.php?ms=900&i=${i}`);
    });
    await delay(400);
    expect((await get('/hello.php')).status).toBe(502);
    expect(await causeOf('/hello.php')).toBe('unix-backlog-full');
    await Promise.all(waiting);
  }, 20_000);

  it('is reloaded with requests under way', async () => {
    const { workspace, upstream, get, causeOf } = await nginxBefore('tcp');
    const php = await startPhpFpm(workspace, upstream, 4);
    const slow = [get('/sleep.php?ms=8000&i=1'), delay(300).then(() => get('/sleep.php?ms=8000&i=2'))];
    await delay(800);
    php.daemon.signal('SIGUSR2');
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([502, 502]);
    // The first to be lost may have been written before the other was known of.
    const causes = [await causeOf('/sleep.php?ms=8000&i=1'), await causeOf('/sleep.php?ms=8000&i=2')];
    expect(causes).toContain('backend-restart-gap');
  }, 20_000);
});

requireServers('nginx', 'php-cgi')('a backend that ends after its last request', () => {
  it('is not started again by anybody', async () => {
    const { workspace, upstream, get, causeOf } = await nginxBefore('tcp');
    await startPhpCgi(workspace, upstream, 0, 2);
    for (const i of [1, 2]) expect((await get(`/hello.php?${i}`)).status).toBe(200);
    // While it ends, its queue may still take a connection.
    await delay(300);
    await get('/hello.php?3');
    await delay(3_200);
    await get('/hello.php?4');
    expect(await causeOf('/hello.php?3')).toBe('connect-refused-tcp');
    expect(await causeOf('/hello.php?4')).toBe('no-respawn-after-max-requests');
  }, 20_000);
});
