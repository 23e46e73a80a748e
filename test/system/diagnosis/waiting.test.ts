import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatEndpoint } from '../../../src/model/connection.js';
import { PROGRAM, Program } from '../../support/program.js';
import { until } from '../../support/real/daemon.js';
import { http } from '../../support/real/http.js';
import { listening } from '../../support/real/listening.js';
import type { NdjsonLine, NdjsonRequest } from '../../support/real/ndjson.js';
import { PARAMS, startNginxSite } from '../../support/real/nginx-site.js';
import { PacketCapture } from '../../support/real/packet-capture.js';
import { startPhpFpm } from '../../support/real/php.js';
import { ProxyUnderTest } from '../../support/real/proxy.js';
import { requireServers } from '../../support/real/requirements.js';
import { Workspace } from '../../support/real/workspace.js';
import { PtyTerminal } from '../../tui/pty-terminal.js';

/** What a web server sends, and how long it waits: real servers that are brought to fail, live and from a capture of the same moment. */

/** nginx's patience, in seconds. */
const TIMEOUT = 5;

const SCRIPTS: Readonly<Record<string, string>> = {
  'hello.php': '<?php echo "hello ", strlen(file_get_contents("php://input"));',
  'slow.php': '<?php sleep(7); echo "at last";',
  'work.php': '<?php usleep(1600000); echo "done";',
  'stall.php': '<?php echo str_repeat("x", 20000); flush(); sleep(7); echo "the end";',
  'whole.php': '<?php header("Content-Length: 5"); echo "whole"; flush(); usleep(300000);',
};

const METHODLESS = PARAMS.replace(/^.*REQUEST_METHOD.*\n/m, '');
const LENGTHY = PARAMS.replace('$content_length', '99');

/** What is asked for, and which findings it must have, live and from the capture. */
const WANTED: readonly (readonly [path: string, ids: readonly string[], words: string])[] = [
  ['/hello.php', [], ''],
  ['/hello.php?post', [], ''],
  ['/whole.php', [], ''],
  ['/slow.php', ['slow-script'], 'for the first byte'],
  ['/stall.php', ['stall-mid-response'], 'kB of STDOUT had come'],
  ['/slow.php?left', ['client-abort'], 'after it had waited 1.'],
  ['/methodless/', ['params-missing-core'], 'no page'],
  ['/lengthy/', ['stdin-short'], 'CONTENT_LENGTH is 99, and STDIN ended after 3 bytes'],
  ['/streamed/', ['content-length-missing'], 'chunked'],
];

requireServers(
  'nginx',
  'php-fpm',
  'tcpdump',
)('nginx → fcgi-inspect → PHP-FPM: who waits for whom', () => {
  let workspace: Workspace;
  let proxy: ProxyUnderTest;
  let capture: PacketCapture;

  beforeAll(async () => {
    workspace = new Workspace();
    const root = workspace.path('www');
    mkdirSync(root);
    for (const [name, text] of Object.entries(SCRIPTS)) workspace.write(`www/${name}`, text);
    const { address: fpm } = await startPhpFpm(workspace, await workspace.address('tcp', 'fpm'), 12);
    const { address: small } = await startPhpFpm(workspace, await workspace.address('tcp', 'small'), 2);
    const listen = await workspace.address('tcp', 'proxy');
    if (listen.kind !== 'tcp') throw new Error('tcpdump sees TCP only');
    // On the web server's side: on the other one the proxy goes on listening when the web server has gone.
    capture = await PacketCapture.start(workspace, listen.port);
    const queue = await workspace.address('tcp', 'queue');
    proxy = await ProxyUnderTest.start(workspace, [
      { listen, upstream: fpm },
      { listen: queue, upstream: small },
    ]);
    const pass = `fastcgi_pass ${formatEndpoint(listen)}; fastcgi_read_timeout ${TIMEOUT}s;`;
    const script = (params: string) =>
      `${params.replace('$document_root$fastcgi_script_name', `${root}/hello.php`)}\n      ${pass}`;
    const { port } = await startNginxSite(
      workspace,
      root,
      `    location ^~ /small/ { alias ${root}/; ${PARAMS.replace('$document_root$fastcgi_script_name', '$request_filename')}
      fastcgi_pass ${formatEndpoint(queue)}; }
    location ^~ /methodless/ { ${script(METHODLESS)} }
    location ^~ /lengthy/ { ${script(LENGTHY)} }
    location ^~ /streamed/ { ${script(PARAMS)} fastcgi_request_buffering off; }
    location ~ \\.php$ { ${pass} fastcgi_buffering off; }`,
    );
    const leaving = http({ port, path: '/slow.php?left', onLeave: (leave) => void delay(1_300).then(leave) });
    const queued = async (): Promise<void> => {
      const busy = [1, 2].map((n) => http({ port, path: `/small/work.php?${n}` }));
      await delay(300);
      await Promise.all([...busy, http({ port, path: '/small/hello.php' })]);
    };
    await Promise.all([
      leaving,
      queued(),
      ...['/hello.php', '/whole.php', '/slow.php', '/stall.php', '/methodless/'].map((path) => http({ port, path })),
      ...['/hello.php?post', '/lengthy/'].map((path) => http({ port, path, body: 'a=1' })),
      chunked(port, '/streamed/'),
    ]);
  }, 40_000);

  afterAll(() => workspace.close());

  it.each(WANTED)('%s: %j', async (path, ids, words) => {
    const line = await proxy.request(path, (seen) => pathOf(seen) === path);
    expect(idsOf(line)).toEqual(ids);
    if (ids.length > 0) expect(line.findings[0]!.detail).toContain(words);
  });

  it('a request in the queue of a full pool, and those that fill it', async () => {
    const waited = await proxy.request('the queued one', (seen) => pathOf(seen) === '/small/hello.php');
    expect(waited.findings).toMatchObject([{ id: 'pool-exhausted', severity: 'warning' }]);
    for (const n of [1, 2]) {
      const { findings } = await proxy.request('a busy one', (seen) => pathOf(seen) === `/small/work.php?${n}`);
      // On a busy machine one of them may have to wait for its worker, too; nothing else is wrong with it.
      expect(findings.map(({ id }) => id).filter((id) => id !== 'pool-exhausted')).toEqual([]);
    }
  });

  it('a capture of the same moment says the same', async () => {
    const { requests } = await proxy.stop();
    await capture.stop();
    const program = new Program(workspace, [capture.file, '--format', 'ndjson']);
    expect(await program.ended).toBe(0);
    const read = requestsOf(program.stdout);
    const told = (lines: readonly NdjsonRequest[]) => lines.map((line) => [pathOf(line), idsOf(line)]).sort();
    expect(told(read)).toEqual(told(requests.filter((line) => !pathOf(line)?.startsWith('/small/'))));
    expect(read.length).toBe(WANTED.length);
  });
});

requireServers('nginx', 'php-fpm')('a slow script on the screen', () => {
  let workspace: Workspace;
  let terminal: PtyTerminal;

  afterAll(async () => {
    terminal.kill();
    await workspace.close();
  });

  it('says what it waits for while it runs, and what is wrong with that', async () => {
    workspace = new Workspace();
    const root = workspace.path('www');
    mkdirSync(root);
    workspace.write('www/slow.php', SCRIPTS['slow.php']!);
    const { address: fpm } = await startPhpFpm(workspace, await workspace.address('tcp', 'fpm'), 2);
    const listen = await workspace.address('tcp', 'proxy');
    terminal = new PtyTerminal(
      PROGRAM,
      ['--listen', formatEndpoint(listen), '--upstream', formatEndpoint(fpm)],
      { columns: 160, rows: 40 },
      {},
    );
    await until('it listens', () => listening(listen));
    const pass = `    location / { fastcgi_pass ${formatEndpoint(listen)}; }`;
    const { port } = await startNginxSite(workspace, root, pass);
    const answer = http({ port, path: '/slow.php' });
    await terminal.until(/\/slow\.php .*… .* first STDOUT [1-4] s/);
    await terminal.see('\r7', /still open: waiting for the backend’s first STDOUT, [1-6] s\./);
    await terminal.until(/NOTE +The backend takes too long to its first byte/);
    await terminal.until(/slow-script: first STDOUT [56] s/);
    expect((await answer).status).toBe(200);
    await terminal.until('The request was completed');
    expect(terminal.text()).not.toContain('waiting for');
  }, 30_000);
});

/** A body of unknown length, and longer than what nginx reads along with the header. */
async function chunked(port: number, path: string): Promise<void> {
  const outgoing = request({ host: '127.0.0.1', port, path, method: 'POST', agent: false });
  // The first piece comes with the head, so that it is there whenever the answer comes; the end comes too late to be counted.
  outgoing.write('x'.repeat(300));
  void delay(200).then(() => outgoing.end());
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
}

/** A length that is wrong is told of twice: by what it leads to, and as one that an attacker may have sent. */
function idsOf({ findings }: NdjsonRequest): string[] {
  return findings.map(({ id }) => id).filter((id) => id !== 'header-name-collision');
}

function pathOf({ url }: NdjsonRequest): string | undefined {
  return url?.replace(/^https?:\/\/[^/]*/, '');
}

function requestsOf(text: string): readonly NdjsonRequest[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as NdjsonLine)
    .filter((line) => line.type === 'request');
}
