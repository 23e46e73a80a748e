import { chmodSync, mkdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Endpoint, formatEndpoint } from '../../../src/model/connection.js';
import { Program } from '../../support/program.js';
import { type HttpRequest, http } from '../../support/real/http.js';
import { listening } from '../../support/real/listening.js';
import type { NdjsonLine, NdjsonRequest } from '../../support/real/ndjson.js';
import { PARAMS, startNginxSite } from '../../support/real/nginx-site.js';
import { PacketCapture } from '../../support/real/packet-capture.js';
import { startPhpCgi, startPhpFpm } from '../../support/real/php.js';
import { ProxyUnderTest } from '../../support/real/proxy.js';
import { commandOf, requireServers } from '../../support/real/requirements.js';
import { Workspace } from '../../support/real/workspace.js';

/** The scripts that fail, by their names. */
const SCRIPTS: Readonly<Record<string, string>> = {
  'hello.php': '<?php echo "hello";',
  'page.html': '<?php echo "hello";',
  'memory.php': '<?php $text = str_repeat("x", 1 << 30);',
  'time.php': '<?php set_time_limit(1); while (true);',
  'uncaught.php': '<?php throw new Exception("nobody caught me");',
  'parse.php': '<?php if (',
  'late.php': '<?php echo str_repeat("page ", 5000); flush(); throw new Exception("too late");',
  'silent.php': '<?php exit(3);',
  'redirect.php': '<?php header("Location: https://shop.example" . $_SERVER["REQUEST_URI"], true, 301);',
  'login.php': '<?php header("WWW-Authenticate: Basic realm=x"); http_response_code(401); echo "no";',
  'router.php': '<?php http_response_code(404); echo "no such route";',
  'warning.php': '<?php echo $undefined, "the page";',
};

/** The params without the script's path, for a location that sets its own. */
const OTHERS = PARAMS.replace(/^.*SCRIPT_FILENAME.*\n/, '');

type Wanted = [path: string, ids: readonly string[], words: string, request?: Partial<HttpRequest>];

/** What is asked for, which findings it must have, and what the first one must say. */
const WANTED: readonly Wanted[] = [
  ['/hello.php', [], ''],
  ['/hello.php?login', [], '', { headers: { authorization: 'Basic a2ltOnB3', cookie: 'PHPSESSID=1' } }],
  ['/none.php', ['primary-script-unknown'], 'a wrong link'],
  ['/noparam/a', ['primary-script-unknown'], 'There is no param SCRIPT_FILENAME'],
  ['/aliased/none.php', ['primary-script-unknown'], 'comes twice'],
  ['/sample/none.php', ['primary-script-unknown'], 'sample in nginx.conf'],
  ['/page.html', ['limit-extensions'], 'page.html'],
  ['/memory.php', ['php-fatal'], 'Allowed memory size'],
  ['/time.php', ['php-fatal'], 'Maximum execution time'],
  ['/uncaught.php', ['php-fatal'], 'nobody caught me'],
  ['/parse.php', ['php-fatal'], 'parse.php'],
  ['/late.php', ['php-fatal'], 'cut off'],
  ['/silent.php', ['blank-page-no-stderr'], 'no body'],
  [
    '/redirect.php',
    ['https-param-missing'],
    'X_FORWARDED_PROTO',
    { headers: { 'x-forwarded-proto': 'https', host: 'shop.example' } },
  ],
  ['/redirect.php?plain', [], '', { headers: { host: 'shop.example' } }],
  ['/routed/a', ['path-info-wrong'], 'both /routed/a'],
  ['/warning.php', ['stderr-noise'], '1 PHP warning'],
];

requireServers(
  'nginx',
  'php-fpm',
  'tcpdump',
)('nginx → fcgi-inspect → PHP-FPM: what goes wrong with scripts', () => {
  let workspace: Workspace;
  let port: number;
  let proxy: ProxyUnderTest;
  let capture: PacketCapture;
  let fpm: Endpoint;

  beforeAll(async () => {
    workspace = new Workspace();
    const root = workspace.path('www');
    mkdirSync(`${root}/aliased`, { recursive: true });
    for (const [name, text] of Object.entries(SCRIPTS)) workspace.write(`www/${name}`, text);
    fpm = (await startPhpFpm(workspace, await workspace.address('tcp', 'fpm'))).address;
    if (fpm.kind !== 'tcp') throw new Error('tcpdump sees TCP only');
    capture = await PacketCapture.start(workspace, fpm.port);
    const listen = await workspace.address('tcp', 'proxy');
    proxy = await ProxyUnderTest.start(workspace, [{ listen, upstream: fpm }]);
    const pass = `fastcgi_pass ${formatEndpoint(listen)};`;
    const site = await startNginxSite(
      workspace,
      root,
      `    location ^~ /noparam/ { ${pass} fastcgi_param REQUEST_METHOD $request_method; fastcgi_param REQUEST_URI $request_uri; }
    location ^~ /aliased/ { alias ${root}/aliased/; location ~ \\.php$ { ${pass} } }
    location ^~ /sample/ { ${pass}
${OTHERS}
      fastcgi_param SCRIPT_FILENAME /scripts$fastcgi_script_name; }
    location ^~ /routed/ { ${pass}
${OTHERS}
      fastcgi_param SCRIPT_FILENAME $document_root/router.php; fastcgi_param PATH_INFO $fastcgi_script_name; }
    location ~ \\.(php|html)$ { ${pass} }`,
    );
    port = site.port;
  });

  afterAll(() => workspace.close());

  it.each<Wanted>(WANTED)('%s: %j', async (path, ids, words, request) => {
    await http({ ...request, port, path });
    const line = await proxy.request(path, ({ url }) => pathOf(url) === path);
    expect(line.findings.map(({ id }) => id)).toEqual(ids);
    if (ids.length > 0) expect(line.findings[0]!.detail).toContain(words);
  });

  it('a capture of the same moment says the same', async () => {
    const { requests } = await proxy.stop();
    await capture.stop();
    const program = new Program(workspace, [capture.file, '--format', 'ndjson']);
    expect(await program.ended).toBe(0);
    const read = requestsOf(program.stdout);
    const told = (lines: readonly NdjsonRequest[]) =>
      lines
        .map(({ url, findings }) => [pathOf(url), findings.map(({ id, detail }) => [id, detail.replace(TIME, '')])])
        .sort();
    expect(told(read)).toEqual(told(requests));
    expect(read.length).toBeGreaterThan(10);
  });
});

requireServers('nginx', 'fcgiwrap')('nginx → fcgi-inspect → fcgiwrap', () => {
  let workspace: Workspace;
  let port: number;
  let proxy: ProxyUnderTest;

  beforeAll(async () => {
    workspace = new Workspace();
    const root = workspace.path('cgi');
    mkdirSync(root);
    const program = (name: string, text: string, mode = 0o755) => chmodSync(workspace.write(`cgi/${name}`, text), mode);
    program('hello.cgi', '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\nhello"\n');
    program('plain.cgi', '#!/bin/sh\necho\n', 0o644);
    program('interpreter.cgi', '#!/no/such/interpreter\n');
    program('nothing.cgi', '#!/bin/sh\nexit 1\n');
    const socket = await workspace.address('unix', 'wrap');
    await workspace.start({
      name: 'fcgiwrap',
      command: commandOf('fcgiwrap'),
      args: ['-s', formatEndpoint(socket)],
      ready: () => listening(socket),
      stopSignal: 'SIGTERM',
    });
    const listen = await workspace.address('tcp', 'proxy');
    proxy = await ProxyUnderTest.start(workspace, [{ listen, upstream: socket }]);
    port = (await startNginxSite(workspace, root, `    location / { fastcgi_pass ${formatEndpoint(listen)}; }`)).port;
  });

  afterAll(() => workspace.close());

  it.each([
    ['/hello.cgi', []],
    ['/plain.cgi', ['fcgiwrap-403']],
    ['/none.cgi', ['fcgiwrap-403']],
    ['/interpreter.cgi', ['fcgiwrap-502']],
    ['/nothing.cgi', ['fcgiwrap-502']],
  ])('%s: %j', async (path, ids) => {
    await http({ port, path });
    const { findings } = await proxy.request(path, ({ url }) => pathOf(url) === path);
    expect(findings.map(({ id }) => id)).toEqual(ids);
  });
});

requireServers('nginx', 'php-cgi')('nginx → fcgi-inspect → php-cgi', () => {
  let workspace: Workspace;

  afterAll(() => workspace.close());

  it('no input file', async () => {
    workspace = new Workspace();
    const backend = await startPhpCgi(workspace, await workspace.address('tcp', 'cgi'), 2);
    const listen = await workspace.address('tcp', 'proxy');
    const proxy = await ProxyUnderTest.start(workspace, [{ listen, upstream: backend.address }]);
    const pass = `    location / { fastcgi_pass ${formatEndpoint(listen)}; }`;
    const { port } = await startNginxSite(workspace, workspace.directory, pass);
    await http({ port, path: '/none.php' });
    const { findings } = await proxy.request('/none.php', () => true);
    expect(findings.map(({ id }) => id)).toEqual(['no-input-file-specified']);
  });
});

/** The two looked at different places of the wire. */
const TIME = /[\d.]+ ?ms/g;

function pathOf(url: string | null): string | undefined {
  return url?.replace(/^https?:\/\/[^/]*/, '');
}

function requestsOf(text: string): readonly NdjsonRequest[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as NdjsonLine)
    .filter((line) => line.type === 'request');
}
