import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatEndpoint } from '../../../src/model/connection.js';
import { Program } from '../../support/program.js';
import { http } from '../../support/real/http.js';
import type { NdjsonLine, NdjsonRequest } from '../../support/real/ndjson.js';
import { startNginxSite } from '../../support/real/nginx-site.js';
import { PacketCapture } from '../../support/real/packet-capture.js';
import { startPhpFpm } from '../../support/real/php.js';
import { ProxyUnderTest } from '../../support/real/proxy.js';
import { requireServers } from '../../support/real/requirements.js';
import type { Site } from '../../support/real/web-server.js';
import { Workspace } from '../../support/real/workspace.js';

interface Case {
  /** What PHP does; the query of its request is its place in the list. */
  readonly php: string;
  readonly ids: readonly string[];
  /** What nginx answers, and what the client can read of the body. */
  readonly status: number;
  readonly complete?: false;
  /** In nginx's error log. */
  readonly log?: string;
}

const PAGE = "echo 'page';";
const CASES: readonly Case[] = [
  { php: PAGE, ids: [], status: 200 },
  { php: `header('Content-Length: 4'); ${PAGE}`, ids: [], status: 200 },
  { php: "header('Location: /other');", ids: [], status: 302 },
  { php: "header('Content-Encoding: gzip'); echo gzencode('page');", ids: [], status: 200 },
  { php: "header('Content-Type: application/gzip'); echo gzencode('page');", ids: [], status: 200 },
  { php: "header('X-Accel-Redirect: /gone');", ids: [], status: 404 },
  {
    php: `setcookie('a', str_repeat('c', 6000)); ${PAGE}`,
    ids: ['header-too-big'],
    status: 502,
    log: 'upstream sent too big header',
  },
  {
    php: `header('Status: fine'); ${PAGE}`,
    ids: ['status-bad'],
    status: 502,
    log: 'upstream sent invalid status "fine"',
  },
  { php: `ini_set('default_mimetype', ''); ${PAGE}`, ids: ['content-type-missing'], status: 200 },
  {
    php: `header('Content-Length: 100'); ${PAGE}`,
    ids: ['content-length-too-big'],
    status: 200,
    complete: false,
    log: 'upstream prematurely closed FastCGI request',
  },
  {
    php: `header('Content-Length: 2'); ${PAGE}`,
    ids: ['content-length-too-small'],
    status: 200,
    log: 'upstream sent more data than specified',
  },
  {
    php: "header('Content-Encoding: gzip'); echo gzencode(gzencode(str_repeat('page ', 100)));",
    ids: ['encoding-mismatch'],
    status: 200,
  },
  { php: `header('Content-Encoding: gzip'); ${PAGE}`, ids: ['encoding-mismatch'], status: 200 },
  { php: `http_response_code(204); ${PAGE}`, ids: ['body-not-allowed'], status: 204 },
  { php: "header('X-Sendfile: /srv/files/a');", ids: ['x-sendfile-missing'], status: 200 },
  {
    php: "echo 'early'; flush(); header('Location: /other');",
    ids: ['headers-already-sent'],
    status: 200,
    log: 'headers already sent by',
  },
];

requireServers(
  'nginx',
  'php-fpm',
  'tcpdump',
)('nginx → fcgi-inspect → PHP-FPM: what cannot be passed on', () => {
  let workspace: Workspace;
  let proxy: ProxyUnderTest;
  let capture: PacketCapture;
  let site: Site;

  beforeAll(async () => {
    workspace = new Workspace();
    const cases = CASES.map(({ php }, i) => `case '${i}': ${php} break;`).join('\n');
    workspace.write('a.php', `<?php switch ($_SERVER['QUERY_STRING']) {\n${cases}\n}\n`);
    const fpm = await startPhpFpm(workspace, await workspace.address('tcp', 'fpm'), 4);
    if (fpm.address.kind !== 'tcp') throw new Error('tcpdump sees TCP only');
    capture = await PacketCapture.start(workspace, fpm.address.port);
    const listen = await workspace.address('tcp', 'proxy');
    proxy = await ProxyUnderTest.start(workspace, [{ listen, upstream: fpm.address }]);
    const locations = `    location = /gone { return 404; }
    location ~ \\.php$ { fastcgi_pass ${formatEndpoint(listen)}; }`;
    site = await startNginxSite(workspace, workspace.directory, locations);
  }, 30_000);

  afterAll(() => workspace.close());

  it.each(CASES.map((one, i) => ({ ...one, i })))('$php', async ({ i, ids, status, complete = true, log }) => {
    const before = site.errorLog().length;
    const path = `/a.php?${i}`;
    const response = await http({ port: site.port, path });
    const line = await proxy.request(path, ({ url }) => url?.endsWith(path) ?? false);
    expect(line.findings.map(({ id }) => id)).toEqual(ids);
    expect(response).toMatchObject({ status, complete });
    if (log !== undefined) expect(site.errorLog().slice(before)).toContain(log);
  });

  it('is told of a capture of the same moment, too', async () => {
    const { requests } = await proxy.stop();
    await capture.stop();
    const program = new Program(workspace, [capture.file, '--format', 'ndjson']);
    expect(await program.ended).toBe(0);
    const told = (lines: readonly NdjsonRequest[]) =>
      lines.map(({ url, findings }) => [url, findings.map(({ id, detail }) => [id, detail])]).sort();
    const read = program.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as NdjsonLine)
      .filter((line) => line.type === 'request');
    expect(told(read)).toEqual(told(requests));
    expect(read).toHaveLength(CASES.length);
  });
});
