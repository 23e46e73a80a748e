import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/model/connection.js';
import { Role } from '../../src/protocol/fastcgi/constants.js';
import {
  encodeAbortRequest,
  encodeBeginRequest,
  encodeGetValues,
  encodeParams,
  encodeStream,
} from '../../src/protocol/fastcgi/encoder.js';
import type { NdjsonConnection, NdjsonRequest } from '../support/real/ndjson.js';
import { DOCUMENT_ROOT, startPhpFpm } from '../support/real/php.js';
import { ProxyUnderTest } from '../support/real/proxy.js';
import { type RawAnswer, sendBytes } from '../support/real/raw-client.js';
import { requireServers } from '../support/real/requirements.js';
import { Workspace } from '../support/real/workspace.js';

/** What no web server here does by itself, sent by hand to a real PHP-FPM, directly and through the proxy: the answers must be equal. */
requireServers('php-fpm')('a FastCGI peer → fcgi-inspect → PHP-FPM', () => {
  describe.each(['tcp', 'unix'] as const)('over %s', (kind) => {
    let workspace: Workspace;
    let proxy: ProxyUnderTest;
    let listen: Endpoint;
    let upstream: Endpoint;

    beforeAll(async () => {
      workspace = new Workspace();
      upstream = (await startPhpFpm(workspace, await workspace.address(kind, 'fpm'))).address;
      listen = await workspace.address(kind, 'proxy');
      proxy = await ProxyUnderTest.start(workspace, [{ listen, upstream }], ['--bodies', 'text']);
    });

    afterAll(() => workspace.close());

    async function bothWays(bytes: Uint8Array, options: { halfClose: boolean }): Promise<RawAnswer> {
      const direct = await sendBytes(upstream, bytes, options);
      const proxied = await sendBytes(listen, bytes, options);
      expect(Buffer.from(proxied.bytes).toString('latin1')).toBe(Buffer.from(direct.bytes).toString('latin1'));
      // A reset over a Unix socket may arrive as a plain end.
      if (kind === 'tcp') expect(proxied.end).toBe(direct.end);
      return proxied;
    }

    const seen = (url: string): Promise<NdjsonRequest> =>
      proxy.request(url, (request) => request.url === `http://test.example${url}`);
    const connectionOf = ({ connection }: NdjsonRequest): Promise<NdjsonConnection> =>
      proxy.connection(`${connection}`, (line) => line.connection === connection);

    it('half-closes after its request and takes the whole answer', async () => {
      // The script is slow enough for the half-close to come first.
      const url = '/sleep.php?ms=200';
      await bothWays(bytesOf(begin(7), params(7, url, 4), encodeStream('stdin', 7, text('body'))), { halfClose: true });
      const request = await seen(url);
      expect(request).toMatchObject({
        requestId: 7,
        outcome: 'completed',
        status: 200,
        appStatus: 0,
        stdin: { bytes: 4, records: 2, ended: true, text: 'body' },
      });
      expect(request.stdout.text).toMatch(/\r\n\r\nawake\n$/);
      expect(await connectionOf(request)).toMatchObject({ endedBy: 'web-server', how: 'fin' });
    });

    it('aborts in the middle of STDIN', async () => {
      const url = '/echo.php?aborted';
      const half = encodeStream('stdin', 1, text('half'), { close: false });
      const answer = await bothWays(bytesOf(begin(1), params(1, url, 8), half, encodeAbortRequest(1)), {
        halfClose: false,
      });
      expect(answer.bytes.length).toBeGreaterThan(0);
      const request = await seen(url);
      // PHP-FPM takes ABORT_REQUEST for the end of the input and answers.
      expect(request).toMatchObject({
        outcome: 'aborted',
        appStatus: 0,
        protocolStatus: 'request-complete',
        stdin: { bytes: 4, records: 1, ended: false, text: 'half' },
      });
    });

    it('asks for values', async () => {
      await bothWays(bytesOf(encodeGetValues(['FCGI_MAX_CONNS', 'FCGI_MPXS_CONNS', 'UNKNOWN'])), { halfClose: true });
      const connection = await proxy.connection(
        'with management records',
        ({ managementRecords }) => managementRecords > 0,
      );
      expect(connection).toMatchObject({ requests: 0, managementRecords: 2, problems: 0 });
    });

    it('speaks HTTP', async () => {
      await bothWays(text(HTTP_REQUEST), { halfClose: false });
      const connection = await proxy.connection('that is HTTP', ({ problems }) => problems > 0);
      expect(connection.bytes).toEqual({ client: HTTP_REQUEST.length, server: 0 });
      expect(connection.endedBy).toBe('backend');
    });
  });
});

const HTTP_REQUEST = 'GET / HTTP/1.1\r\nHost: test.example\r\n\r\n';

const text = (content: string): Uint8Array => new TextEncoder().encode(content);

function bytesOf(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

/** Without FCGI_KEEP_CONN, so that PHP-FPM ends the connection after its answer. */
function begin(id: number): Uint8Array {
  return encodeBeginRequest(id, Role.RESPONDER);
}

function params(id: number, url: string, contentLength: number): Uint8Array {
  const [path = '', query = ''] = url.split('?');
  return encodeParams(id, [
    ['REQUEST_METHOD', 'POST'],
    ['REQUEST_SCHEME', 'http'],
    ['HTTP_HOST', 'test.example'],
    ['REQUEST_URI', url],
    ['QUERY_STRING', query],
    ['SCRIPT_NAME', path],
    ['SCRIPT_FILENAME', `${DOCUMENT_ROOT}${path}`],
    ['CONTENT_TYPE', 'text/plain'],
    ['CONTENT_LENGTH', `${contentLength}`],
    ['SERVER_PROTOCOL', 'HTTP/1.1'],
  ]);
}
