import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Application, startApplication } from '../../src/demo/application.js';
import { requestParams } from '../../src/demo/request-params.js';
import { ProtocolStatus, RecordType, Role } from '../../src/protocol/fastcgi/constants.js';
import {
  encodeAbortRequest,
  encodeBeginRequest,
  encodeGetValues,
  encodeParams,
  encodeRecord,
  encodeStream,
} from '../../src/protocol/fastcgi/encoder.js';
import { decodePairs } from '../../src/protocol/fastcgi/name-value.js';
import { FastcgiClient } from '../support/fastcgi-client.js';
import { openHandles } from '../support/open-handles.js';

const running: (() => unknown)[] = [];

afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop();
});

async function start(): Promise<Application> {
  const application = await startApplication();
  running.push(() => application.stop());
  return application;
}

async function client(application?: Application): Promise<FastcgiClient> {
  const connected = await FastcgiClient.connect((application ?? (await start())).address);
  running.push(() => connected.close());
  return connected;
}

describe('as a FastCGI peer', () => {
  it('answers in records padded to 8, ends its streams and the request, and closes', async () => {
    const web = await client();
    const answer = await web.request({ script: '/cart.php' });
    expect(await web.ended).toBe('fin');
    expect(answer).toMatchObject({ appStatus: 0, protocolStatus: ProtocolStatus.REQUEST_COMPLETE });
    expect(web.records.map((record) => record.type)).toEqual([
      RecordType.STDERR,
      RecordType.STDOUT,
      RecordType.STDERR,
      RecordType.STDOUT,
      RecordType.END_REQUEST,
    ]);
    expect(web.records.slice(2, 4).map((record) => record.content.length)).toEqual([0, 0]);
    for (const { content, padding } of web.records) expect((content.length + padding) % 8).toBe(0);
  });

  it('keeps the connection when asked to, and takes the id again', async () => {
    const web = await client();
    for (let round = 0; round < 3; round++) {
      const answer = await web.request({ script: '/index.php', keep: true });
      expect(answer.stdout.toString()).toContain('<h1>Page 1</h1>');
    }
    expect(web.how).toBeNull();
    await web.request({ script: '/index.php' });
    expect(await web.ended).toBe('fin');
  });

  it('answers requests on one connection in the order in which they are done', async () => {
    const web = await client();
    const slow = web.request({ id: 1, script: '/report.php', keep: true });
    const fast = web.request({ id: 300, script: '/index.php', keep: true });
    await Promise.all([slow, fast]);
    const ends = web.records.filter((record) => record.type === RecordType.END_REQUEST);
    expect(ends.map((record) => record.requestId)).toEqual([300, 1]);
  });

  it('answers GET_VALUES, and unknown management records with UNKNOWN_TYPE', async () => {
    const web = await client();
    await web.send(encodeGetValues(['FCGI_MPXS_CONNS', 'NO_SUCH', 'FCGI_MAX_REQS']));
    const result = await web.until((records) => records.find((r) => r.type === RecordType.GET_VALUES_RESULT));
    expect(decodePairs(result.content).params).toEqual([
      { name: 'FCGI_MAX_REQS', value: '50' },
      { name: 'FCGI_MPXS_CONNS', value: '1' },
    ]);
    await web.send(encodeRecord({ type: 200, requestId: 0 }));
    const unknown = await web.until((records) => records.find((r) => r.type === RecordType.UNKNOWN_TYPE));
    expect(unknown.content[0]).toBe(200);
  });

  it('refuses roles that it does not know, and more requests than it said', async () => {
    const web = await client();
    expect(await web.request({ role: 9, keep: true })).toMatchObject({ protocolStatus: ProtocolStatus.UNKNOWN_ROLE });
    for (let id = 1; id <= 51; id++) await web.send(encodeBeginRequest(id, Role.RESPONDER, 1));
    const end = await web.until((records) => records.find((r) => r.requestId === 51));
    expect([end.type, end.content[4]]).toEqual([RecordType.END_REQUEST, ProtocolStatus.OVERLOADED]);
  });

  it('ends an aborted request early, without further output', async () => {
    const web = await client();
    await web.send(encodeBeginRequest(1, Role.RESPONDER, 1));
    await web.send(encodeParams(1, [['SCRIPT_NAME', '/report.php']]));
    await web.send(encodeStream('stdin', 1, Buffer.from('half of it'), { close: false }));
    await web.send(encodeAbortRequest(1));
    await web.until((records) => records.find((r) => r.type === RecordType.END_REQUEST));
    expect(web.records.map((r) => [r.type, r.content.length])).toEqual([
      [RecordType.STDOUT, 0],
      [RecordType.END_REQUEST, 8],
    ]);
  });

  it.each([
    ['what is not FastCGI', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['a second BEGIN_REQUEST for a live id', Buffer.concat([encodeBeginRequest(1, 1), encodeBeginRequest(1, 1)])],
    ['an application record', encodeRecord({ type: RecordType.END_REQUEST, requestId: 1, content: new Uint8Array(8) })],
  ])('closes on %s', async (_, bytes) => {
    const web = await client();
    await web.send(bytes);
    expect(await web.ended).toMatch(/fin|reset/);
    expect(web.records).toEqual([]);
  });

  it('takes a half-close after STDIN for what it is', async () => {
    const web = await client();
    const answer = web.request({ script: '/report.php', keep: true });
    web.halfClose();
    expect((await answer).stdout.toString()).toContain('Sales');
    expect(await web.ended).toBe('fin');
  });

  it('waits for a reader that does not read, and sends all of it later', async () => {
    const web = await client();
    web.socket.pause();
    const answer = web.request({ script: '/export.php' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    web.socket.resume();
    const { stdout } = await answer;
    expect(stdout.length - stdout.indexOf('\r\n\r\n') - 4).toBe(6_000_000);
  });

  it('does not mind a web server that is cut off in the middle', async () => {
    const application = await start();
    for (const script of ['/export.php', '/events.php', '/report.php']) {
      const web = await client(application);
      await web.send(encodeBeginRequest(1, Role.RESPONDER));
      await web.send(
        Buffer.concat([encodeParams(1, [['SCRIPT_NAME', script]]), encodeStream('stdin', 1, Buffer.alloc(0))]),
      );
      if (script !== '/report.php') await web.until((records) => records[0]);
      web.reset();
      await web.closed;
    }
    const web = await client(application);
    expect((await web.request({ script: '/index.php' })).appStatus).toBe(0);
  });

  it('listens at Unix sockets, named and abstract', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'demo-'));
    running.push(() => rm(folder, { recursive: true }));
    for (const path of [join(folder, 'app.sock'), `@fcgi-inspect-test-${process.pid}`]) {
      const application = await startApplication({ kind: 'unix', path });
      running.push(() => application.stop());
      expect(application.address).toEqual({ kind: 'unix', path });
      const web = await client(application);
      expect((await web.request({ script: '/index.php' })).stdout.toString()).toContain('Item 24');
    }
  });

  it('rejects when it cannot listen', async () => {
    const application = await start();
    await expect(startApplication(application.address)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('leaves nothing open when it stops', async () => {
    await expect.poll(openHandles, { timeout: 5_000 }).toEqual([]);
    const application = await startApplication();
    const web = await FastcgiClient.connect(application.address);
    const answer = web.request({ script: '/report.php' });
    answer.catch(() => {});
    await web.send(encodeGetValues(['FCGI_MAX_CONNS']));
    await web.until((records) => records[0]);
    await application.stop();
    await expect(answer).rejects.toThrow('END_REQUEST');
    web.close();
    await web.closed;
    await expect.poll(openHandles, { timeout: 5_000 }).toEqual([]);
  });
});

it('params look like those of nginx', () => {
  const params = requestParams({ method: 'POST', uri: '/a.php?b=c', contentType: 'text/plain', contentLength: 3 });
  expect(params).toHaveLength(25);
  const known = new Map(params as [string, string][]);
  expect(known.get('SCRIPT_FILENAME')).toBe('/srv/www/shop/a.php');
  expect(known.get('QUERY_STRING')).toBe('b=c');
  expect(known.get('CONTENT_LENGTH')).toBe('3');
});
