import { chmodSync, mkdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Endpoint, formatEndpoint } from '../../../src/model/connection.js';
import { RecordType, Role } from '../../../src/protocol/fastcgi/constants.js';
import { encodeBeginRequest, encodeParams, encodeRecord, encodeStream } from '../../../src/protocol/fastcgi/encoder.js';
import { type HttpRequest, http } from '../../support/real/http.js';
import { listening } from '../../support/real/listening.js';
import type { NdjsonFinding } from '../../support/real/ndjson.js';
import { PARAMS, startNginxSite } from '../../support/real/nginx-site.js';
import { startPhpFpm } from '../../support/real/php.js';
import { ProxyUnderTest } from '../../support/real/proxy.js';
import { sendBytes } from '../../support/real/raw-client.js';
import { commandOf, requireServers } from '../../support/real/requirements.js';
import { Workspace } from '../../support/real/workspace.js';

/** Prints what the query says into a header, as no program should. */
const SPLIT = `#!/bin/sh
TO=$(printf %s "$QUERY_STRING" | sed 's/^to=//; s/%0d%0a/\\r\\n/g; s/%20/ /g')
printf 'Refresh: 0;url=%s\\r\\nContent-Type: text/html\\r\\n\\r\\nx' "$TO"
`;

type Wanted = [path: string, ids: readonly string[], request?: Partial<HttpRequest>];

const WANTED: readonly Wanted[] = [
  ['/hello.php', []],
  ['/hello.php?all', [], { headers: { authorization: 'Bearer abc', cookie: 'PHPSESSID=1', 'x-real-ip': '127.0.0.1' } }],
  ['/hello.php?user', [], { headers: { authorization: `Basic ${btoa('kim:pw')}` } }],
  ['/hello.php?proxy', ['httpoxy'], { headers: { proxy: 'http://evil.example:1' } }],
  ['/hello.php?twins', ['header-name-collision'], { headers: { 'x-real-ip': '127.0.0.1', x_real_ip: '10.0.0.9' } }],
  ['/hello.php?nobody', ['remote-user-spoof'], { headers: { authorization: `Basic ${btoa('admin:')}` } }],
  ['/hello.php?password=secret', ['credentials-in-params']],
  ['/secret/a', ['credentials-in-params']],
  ['/photo.jpg/x.php', ['limit-extensions', 'pathinfo-upload-exec']],
  ['/hello.php/a%0Ab.php', ['cve-2019-11043']],
  ['/split.cgi?to=/x%0d%0aSet-Cookie:%20admin=1', ['response-splitting']],
];

requireServers(
  'nginx',
  'php-fpm',
  'fcgiwrap',
)('attacks, as they pass between real servers', () => {
  let workspace: Workspace;
  let port: number;
  let proxy: ProxyUnderTest;
  let php: Endpoint;
  let cgi: Endpoint;

  beforeAll(async () => {
    workspace = new Workspace();
    const root = workspace.path('www');
    mkdirSync(root);
    workspace.write('www/hello.php', '<?php echo "hello";');
    workspace.write('www/photo.jpg', '<?php echo "hidden";');
    chmodSync(workspace.write('www/split.cgi', SPLIT), 0o755);
    const fpm = await startPhpFpm(workspace, await workspace.address('unix', 'fpm'), 4);
    const wrap = await workspace.address('unix', 'wrap');
    await workspace.start({
      name: 'fcgiwrap',
      command: commandOf('fcgiwrap'),
      args: ['-s', formatEndpoint(wrap)],
      ready: () => listening(wrap),
      stopSignal: 'SIGTERM',
    });
    php = await workspace.address('tcp', 'php');
    cgi = await workspace.address('tcp', 'cgi');
    proxy = await ProxyUnderTest.start(workspace, [
      { listen: php, upstream: fpm.address },
      { listen: cgi, upstream: wrap },
    ]);
    const toPhp = `fastcgi_pass ${formatEndpoint(php)};`;
    const site = await startNginxSite(
      workspace,
      root,
      `    location ~ \\.cgi$ { fastcgi_pass ${formatEndpoint(cgi)}; }
    location ^~ /secret/ { ${toPhp}
${PARAMS.replace('$document_root$fastcgi_script_name', '$document_root/hello.php')}
      fastcgi_param DB_PASSWORD hunter22; }
    location ~ [^/]\\.php(/|$) { ${toPhp}
${PARAMS}
      fastcgi_split_path_info ^(.+?\\.php)(/.*)$; fastcgi_param PATH_INFO $fastcgi_path_info; }`,
    );
    port = site.port;
  });

  afterAll(() => workspace.close());

  it.each<Wanted>(WANTED)('%s: %j', async (path, ids, request) => {
    // The URL is not shown as it was sent where there is a secret in it.
    const mark = String(WANTED.findIndex(([wanted]) => wanted === path));
    await http({ ...request, port, path, headers: { ...request?.headers, 'x-mark': mark } });
    const { findings } = await proxy.request(path, ({ params }) =>
      params.some(([name, value]) => name === 'HTTP_X_MARK' && value === mark),
    );
    expect(findings.map(({ id }) => id)).toEqual(ids);
  });

  it('somebody at PHP-FPM’s port who is no web server', async () => {
    const params = encodeParams(1, [
      ['REQUEST_METHOD', 'POST'],
      ['SCRIPT_FILENAME', '/usr/share/php/PEAR.php'],
      ['REQUEST_URI', '/probe'],
      ['CONTENT_LENGTH', '0'],
      ['PHP_VALUE', 'auto_prepend_file = php://input'],
      ['PHP_ADMIN_VALUE', 'allow_url_include = On'],
    ]);
    const bytes = [encodeBeginRequest(1, Role.RESPONDER), params, encodeStream('stdin', 1, new Uint8Array(0))];
    await sendBytes(php, Buffer.concat(bytes), { halfClose: false });
    const { findings } = await proxy.request('of the probe', ({ url }) => url?.endsWith('/probe') === true);
    expect(idsOf(findings)).toEqual(expect.arrayContaining(['php-value-injection', 'exposed-fastcgi-port']));
  });

  it('somebody at a libfcgi program’s port with lengths that overflow', async () => {
    const pair = Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x41, 0x41, 0x41, 0x41]);
    const params = encodeRecord({ type: RecordType.PARAMS, requestId: 1, content: pair });
    const end = encodeRecord({ type: RecordType.PARAMS, requestId: 1, content: new Uint8Array(0) });
    await sendBytes(cgi, Buffer.concat([encodeBeginRequest(1, Role.RESPONDER), params, end]), { halfClose: true });
    const { findings } = await proxy.request('of the overflow', ({ params }) => params.length === 0);
    expect(idsOf(findings)).toContain('cve-2025-23016');
  });
});

function idsOf(findings: readonly NdjsonFinding[]): readonly string[] {
  return findings.map(({ id }) => id);
}
