import { chmodSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Endpoint, formatEndpoint } from '../../../src/model/connection.js';
import { encodeBeginRequest, encodeParams, encodeStream } from '../../../src/protocol/fastcgi/encoder.js';
import { FastcgiClient } from '../../support/fastcgi-client.js';
import { listening } from '../../support/real/listening.js';
import type { NdjsonRequest } from '../../support/real/ndjson.js';
import { startPhpFpm } from '../../support/real/php.js';
import { ProxyUnderTest } from '../../support/real/proxy.js';
import { commandOf, requireServers } from '../../support/real/requirements.js';
import { Workspace } from '../../support/real/workspace.js';

/** Requests that no common web server sends, to real backends: what these make of them. */

requireServers('php-fpm', 'fcgiwrap')('a FastCGI client of one’s own → fcgi-inspect', () => {
  let workspace: Workspace;
  let proxy: ProxyUnderTest;
  let php: Endpoint;
  let wrap: Endpoint;
  const clients: FastcgiClient[] = [];

  beforeAll(async () => {
    workspace = new Workspace();
    const script = workspace.write('hello.php', '<?php echo "hello";');
    const cgi = workspace.write('hello.cgi', '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\nhello"\n');
    chmodSync(cgi, 0o755);
    params.PHP = script;
    params.CGI = cgi;
    const { address: fpm } = await startPhpFpm(workspace, await workspace.address('tcp', 'fpm'), 4);
    const socket = await workspace.address('unix', 'wrap');
    await workspace.start({
      name: 'fcgiwrap',
      command: commandOf('fcgiwrap'),
      args: ['-s', formatEndpoint(socket)],
      ready: () => listening(socket),
      stopSignal: 'SIGTERM',
    });
    php = await workspace.address('tcp', 'php');
    wrap = await workspace.address('tcp', 'wrapped');
    proxy = await ProxyUnderTest.start(workspace, [
      { listen: php, upstream: fpm },
      { listen: wrap, upstream: socket },
    ]);
  }, 30_000);

  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  afterAll(() => workspace.close());

  const params = { PHP: '', CGI: '' };

  async function connect(to: Endpoint): Promise<FastcgiClient> {
    const client = await FastcgiClient.connect(to);
    clients.push(client);
    return client;
  }

  function pairs(path: string, more: readonly (readonly [string, string])[] = []): (readonly [string, string])[] {
    return [
      ['SCRIPT_FILENAME', path.startsWith('/cgi') ? params.CGI : params.PHP],
      ['SCRIPT_NAME', path],
      ['REQUEST_METHOD', 'GET'],
      ['REQUEST_URI', path],
      ['QUERY_STRING', ''],
      ...more,
    ];
  }

  async function findings(path: string): Promise<NdjsonRequest['findings']> {
    const { findings } = await proxy.request(path, ({ url }) => url?.endsWith(path) ?? false);
    return findings;
  }

  it('a pair that goes on in the next record', async () => {
    const client = await connect(php);
    const cookie = ['HTTP_COOKIE', 'x'.repeat(3_000)] as const;
    await client.request({ params: pairs('/split', [cookie]), layout: { recordLength: 1_000 } }).catch(() => undefined);
    expect(await findings('/split')).toMatchObject([{ id: 'params-split-mid-pair', severity: 'error' }]);
  });

  it('PARAMS in one record that is larger than PHP-FPM takes', async () => {
    const client = await connect(php);
    const bare = encodeParams(1, pairs('/large', [['HTTP_COOKIE', 'x'.repeat(1_000)]]), { close: false }).length - 8;
    const cookie = ['HTTP_COOKIE', 'x'.repeat(1_000 + 65_535 - bare)] as const;
    await client
      .request({ params: pairs('/large', [cookie]), layout: { recordLength: 65_535, alignment: 8 } })
      .catch(() => undefined);
    expect(await findings('/large')).toMatchObject([{ id: 'params-too-large', severity: 'error' }]);
  });

  it('no end of STDIN, for which fcgiwrap waits and PHP-FPM does not', async () => {
    const begun = (path: string) => Buffer.concat([encodeBeginRequest(1, 1, 0), encodeParams(1, pairs(path))]);
    const [toWrap, toPhp] = [await connect(wrap), await connect(php)];
    await Promise.all([toWrap.send(begun('/cgi/endless')), toPhp.send(begun('/endless'))]);
    await toPhp.ended;
    expect(await findings('/endless')).toEqual([]);
    await delay(2_500);
    toWrap.close();
    expect(await findings('/cgi/endless')).toMatchObject([{ id: 'stdin-terminator-missing' }]);
  });

  it('STDIN before PARAMS have ended', async () => {
    const client = await connect(php);
    await client.send(
      Buffer.concat([
        encodeBeginRequest(1, 1, 0),
        encodeParams(1, pairs('/garbled'), { close: false }),
        encodeStream('stdin', 1, Buffer.from('too early')),
      ]),
    );
    await client.ended;
    const line = await proxy.request('the garbled one', ({ findings }) =>
      findings.some(({ id }) => id === 'request-record-garbage'),
    );
    expect(line.findings[0]?.id).toBe('request-record-garbage');
  });

  it('a length that is none', async () => {
    const client = await connect(php);
    const length = ['CONTENT_LENGTH', '-1'] as const;
    const request = client.request({ params: pairs('/minus', [length]), stdin: 'a=1' }).catch(() => undefined);
    await Promise.race([request, delay(1_000)]);
    client.close();
    expect((await findings('/minus'))[0]?.id).toBe('content-length-missing');
  });
});
