import { spawnSync } from 'node:child_process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { formatEndpoint } from '../../src/model/connection.js';
import { PROGRAM } from '../support/program.js';
import { until } from '../support/real/daemon.js';
import { http } from '../support/real/http.js';
import { startLighttpd } from '../support/real/lighttpd.js';
import { listening } from '../support/real/listening.js';
import { startNginx } from '../support/real/nginx.js';
import { PacketCapture } from '../support/real/packet-capture.js';
import { startPhpFpm } from '../support/real/php.js';
import { ProxyUnderTest } from '../support/real/proxy.js';
import { requireServers } from '../support/real/requirements.js';
import { Workspace } from '../support/real/workspace.js';

function inspect(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    encoding: 'utf8',
    input: '',
  });
  return { status, stdout: stdout.replace(/\s+/g, ' '), stderr };
}

requireServers(
  'nginx',
  'php-fpm',
  'tcpdump',
)('logs of nginx and PHP-FPM', () => {
  it('a worker is killed: PHP-FPM’s log proves it, live and from a capture; nginx’s names the request', async () => {
    const workspace = new Workspace();
    onTestFinished(() => workspace.close());
    const upstream = await workspace.address('tcp', 'backend');
    const listen = await workspace.address('tcp', 'proxy');
    if (upstream.kind !== 'tcp') throw new Error('tcpdump sees TCP only');
    const fpm = await startPhpFpm(workspace, upstream, 4);
    const logs = [`php-${upstream.port}-fpm.log`, 'nginx/site.log'].map((name) => workspace.path(name));
    const capture = await PacketCapture.start(workspace, upstream.port);
    const options = [...logs.flatMap((log) => ['--log', log]), '--log', workspace.path('no.log')];
    const proxy = await ProxyUnderTest.start(workspace, [{ listen, upstream }], options);
    const nginx = await startNginx(workspace, { site: listen });
    const get = (path: string) => http({ port: nginx.sites.site.port, path });

    expect((await get('/hello.php')).status).toBe(200);
    expect((await get('/killed.php?a=1')).status).toBe(502);
    const live = await proxy.request('that was killed', ({ url }) => url?.includes('killed.php?a=1') === true);
    expect(live.findings[0]).toMatchObject({ id: 'rst-before-any-byte' });
    expect(live.findings[0]!.detail).toContain('The log says why (');
    expect(live.findings[0]!.detail).toContain('killed from outside');

    // Its beginning has been sent when it dies.
    await get('/killed.php?bytes=9000');
    const cut = await proxy.request('that was cut', ({ url }) => url?.includes('bytes=9000') === true);
    expect(cut.findings[0]).toMatchObject({ id: 'crash-mid-response' });
    expect(cut.findings[0]!.detail).toContain('The log says why (');

    await capture.stop();
    const { stderr } = await proxy.stop();
    expect(stderr).toContain('no.log cannot be read, and is tried again: it does not exist yet');
    expect(fpm.log()).toMatch(/exited on signal 9/);

    // nginx names the proxy's address, of which the capture knows nothing: PHP-FPM's word is enough.
    const read = inspect(capture.file, '--log', logs[0]!, '--format', 'detail');
    expect(read).toMatchObject({ status: 0 });
    expect(read.stdout.match(/logs \(1\)/g)).toHaveLength(2);
    expect(read.stdout).toMatch(
      /rst-before-any-byte.*The log says why \(\S+-fpm\.log:\d+\).*crash-mid-response.*The log says why/,
    );

    const explained = inspect('explain', ...logs, '--capture', capture.file);
    expect(explained.status).toBe(0);
    expect(explained.stdout).toMatch(
      /exited on signal 9 .*2 times.*It is about 2 requests: .*killed\.php\?a=1: rst-before/,
    );
    expect(explained.stdout).toContain('nginx: recv() failed (104: Connection reset by peer)');
  }, 25_000);
});

/** FCGI.pm is libfcgi with Perl around it. */
const hasPerl = spawnSync('perl', ['-MFCGI', '-e', '1']).status === 0;

requireServers('lighttpd', 'tcpdump')('logs of lighttpd', () => {
  const title = `before a libfcgi program${hasPerl ? '' : ' [skipped: Perl’s FCGI is not installed]'}`;
  describe.skipIf(!hasPerl && !process.env.CI)(title, () => {
    it('that exits: lighttpd’s line is explained, and the finding agrees with it', async () => {
      const workspace = new Workspace();
      onTestFinished(() => workspace.close());
      const upstream = await workspace.address('unix', 'program');
      const listen = await workspace.address('tcp', 'proxy');
      if (upstream.kind !== 'unix' || listen.kind !== 'tcp') throw new Error('tcpdump sees TCP only');
      await workspace.start({
        name: 'the program',
        command: 'perl',
        args: [workspace.write('program.pl', PROGRAM_THAT_EXITS), upstream.path],
        ready: () => listening(upstream),
        stopSignal: 'SIGTERM',
      });
      const log = workspace.path('lighttpd-site/error.log');
      const capture = await PacketCapture.start(workspace, listen.port);
      const proxy = await ProxyUnderTest.start(workspace, [{ listen, upstream }], ['--log', log]);
      const lighttpd = await startLighttpd(workspace, { site: listen });
      const get = (path: string) => http({ port: lighttpd.sites.site.port, path });

      expect((await get('/a.php')).status).toBe(200);
      expect((await get('/a.php?exit')).status).toBe(500);
      const cut = await proxy.request('that was cut', ({ url }) => url?.endsWith('?exit') === true);
      expect(cut.findings[0]).toMatchObject({ id: 'eof-before-any-byte' });
      await until('lighttpd has said so', () => lighttpd.sites.site.errorLog().includes('unexpected end-of-file'));
      await capture.stop();
      await proxy.stop();

      const explained = inspect('explain', log, '--capture', capture.file);
      expect(explained).toMatchObject({ status: 0 });
      expect(explained.stdout).toMatch(
        /unexpected end-of-file \(perhaps the fastcgi process died\).*\(eof-before-any-byte\)/,
      );
      expect(explained.stdout).toMatch(
        /It is about 1 request: #2 \S+ backend-closed GET \S+\/a\.php\?exit: eof-before-any-byte/,
      );
      expect(explained.stdout).toContain(`--upstream ${formatEndpoint(listen)}`);
      const line = inspect('explain', 'unexpected end-of-file (perhaps the fastcgi process died)');
      expect(line.stdout).toContain('(eof-before-any-byte)');
    }, 25_000);
  });
});

const PROGRAM_THAT_EXITS = `
use FCGI;
use POSIX ();
my %params;
my $socket = FCGI::OpenSocket($ARGV[0], 5);
my $request = FCGI::Request(\\*STDIN, \\*STDOUT, \\*STDERR, \\%params, $socket);
while ($request->Accept() >= 0) {
  POSIX::_exit(5) if $params{QUERY_STRING} eq 'exit';
  print "Content-Type: text/plain\\r\\n\\r\\nhello\\n";
}
`;
