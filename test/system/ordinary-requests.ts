import { rmSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { sha256 } from '../support/real/http.js';
import { type NdjsonRequest, responseHeadOf } from '../support/real/ndjson.js';
import { DOCUMENT_ROOT } from '../support/real/php.js';
import { md5BlockText } from './download.js';
import type { Twin } from './twin.js';

const MIB = 1024 * 1024;
/** How long the client of the streaming test holds the backend after the first line: the proxy must have seen that much time. */
const HELD_MS = 250;

/** What the proxy holds in memory for a disk that does not keep up. */
const CERTAINLY_RECORDED = 16 * MIB;

export interface Ground {
  readonly twin: Twin;
  /** A path for a file of the test's own. */
  readonly path: (name: string) => string;
  /** What the proxy must say of every request here. */
  readonly expected: Partial<NdjsonRequest>;
  /** In front of a script's path: the web server then passes the response on as it comes. */
  readonly live: string;
}

/** The requests that must go well, with any web server and any backend that runs PHP. The proxy writes `--bodies sha256`. */
export function ordinaryRequests(ground: () => Ground): void {
  /**
   * The fields of a request that was answered in full, its body known. A response of up to CERTAINLY_RECORDED bytes must have been recorded
   * whole; of a larger one that came faster than the disk takes it, a part may be missing, and then that must be said.
   */
  function completed(seen: NdjsonRequest, script: string, body: Uint8Array | string): void {
    const stdout = Buffer.concat([Buffer.from(responseHeadOf(seen), 'latin1'), Buffer.from(body)]);
    const missing = stdout.length > CERTAINLY_RECORDED ? (seen.stdout.missing ?? 0) : 0;
    expect(seen).toMatchObject({
      role: 'responder',
      outcome: 'completed',
      appStatus: 0,
      protocolStatus: 'request-complete',
      script: `${DOCUMENT_ROOT}/${script}`,
      data: { bytes: 0, records: 0, ended: false },
      ...ground().expected,
    });
    expect(seen.records.problems).toBe(0);
    expect(Object.values(seen.timing)).not.toContain(null);
    expect(seen.stdout.bytes).toBe(stdout.length);
    if (missing === 0) expect(seen.stdout.sha256).toBe(sha256(stdout));
  }
  const NO_INPUT = { bytes: 0, records: 1, ended: true };
  const NO_ERRORS = { bytes: 0, records: 0, ended: false };

  it('GET', async () => {
    const { proxied, seen, url } = await ground().twin.same('/hello.php?x=1');
    expect(Buffer.from(proxied.body).toString()).toBe('Hello from PHP\n');
    completed(seen, 'hello.php', proxied.body);
    expect(seen).toMatchObject({ method: 'GET', url, status: 200, stdin: NO_INPUT, stderr: NO_ERRORS });
    const params = new Map(seen.params.map(([name, value]) => [name, value]));
    expect(params.get('QUERY_STRING')).toMatch(/^x=1&request=\d+$/);
    expect(params.get('REQUEST_METHOD')).toBe('GET');
    expect(params.get('DOCUMENT_ROOT')).toBe(DOCUMENT_ROOT);
  });

  it('POST of a form', async () => {
    const form = 'name=J%C3%BCrgen&note=a+b&empty=';
    const { proxied, seen, url } = await ground().twin.same('/echo.php', {
      body: form,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(JSON.parse(Buffer.from(proxied.body).toString())).toMatchObject({
      method: 'POST',
      form: { name: 'Jürgen', note: 'a b', empty: '' },
      bytes: form.length,
    });
    completed(seen, 'echo.php', proxied.body);
    expect(seen).toMatchObject({
      method: 'POST',
      url,
      status: 200,
      stdin: { bytes: form.length, ended: true, sha256: sha256(form) },
      stderr: NO_ERRORS,
    });
  });

  it('an upload of 10 MB', async () => {
    const body = Buffer.from(md5BlockText(160));
    expect(body.length).toBe(10 * MIB);
    const { proxied, seen } = await ground().twin.same('/upload.php', {
      body,
      headers: { 'content-type': 'application/octet-stream' },
    });
    expect(JSON.parse(Buffer.from(proxied.body).toString())).toEqual({ bytes: 10 * MIB, sha256: sha256(body) });
    completed(seen, 'upload.php', proxied.body);
    expect(seen).toMatchObject({
      method: 'POST',
      status: 200,
      stdin: { bytes: 10 * MIB, ended: true, sha256: sha256(body) },
    });
  });

  it('a download of 50 MB', async () => {
    const expected = md5BlockText(800);
    const { proxied, seen } = await ground().twin.same('/download.php?blocks=800');
    expect(proxied.body.length).toBe(50 * MIB);
    expect(proxied.sha256).toBe(sha256(expected));
    completed(seen, 'download.php', expected);
    expect(seen).toMatchObject({ method: 'GET', status: 200, stdin: NO_INPUT, stderr: NO_ERRORS });
  });

  it('a streaming response, while it streams', async () => {
    const { twin, path, live } = ground();
    const gate = path('gate');
    const first: string[] = [];
    const { proxied, seen } = await twin.same(`${live}/stream.php?lines=3&gate=${encodeURIComponent(gate)}`, () => {
      rmSync(gate, { force: true });
      return {
        onChunk: (chunk, before) => {
          if (before > 0) return;
          first.push(Buffer.from(chunk).toString());
          setTimeout(() => writeFileSync(gate, ''), HELD_MS);
        },
      };
    });
    expect(first).toEqual(['line 1\n', 'line 1\n']);
    expect(Buffer.from(proxied.body).toString()).toBe('line 1\nline 2\nline 3\n');
    completed(seen, 'stream.php', proxied.body);
    expect(seen.timing.lastStdout! - seen.timing.firstStdout!).toBeGreaterThanOrEqual(HELD_MS);
    expect(seen.stdout.records).toBeGreaterThanOrEqual(3);
  });

  it('a PHP warning, which goes to STDERR', async () => {
    const { proxied, seen } = await ground().twin.same('/warning.php');
    expect(Buffer.from(proxied.body).toString()).toBe('before\nafter\n');
    completed(seen, 'warning.php', proxied.body);
    expect(seen.status).toBe(200);
    expect(seen.stderr.bytes).toBeGreaterThan('Undefined variable $undefined; a message for the log'.length);
    expect(seen.stderr.records).toBeGreaterThanOrEqual(1);
  });

  it('a PHP fatal error', async () => {
    const { proxied, seen } = await ground().twin.same('/fatal.php');
    expect(proxied.status).toBe(500);
    completed(seen, 'fatal.php', proxied.body);
    expect(seen.status).toBe(500);
    expect(seen.stderr.bytes).toBeGreaterThan('Call to undefined function undefined_function()'.length);
  });

  it('a 404 of the script', async () => {
    const { proxied, seen } = await ground().twin.same('/missing-page.php');
    expect(proxied.status).toBe(404);
    completed(seen, 'missing-page.php', 'no such page\n');
    expect(seen).toMatchObject({ status: 404, stderr: NO_ERRORS });
  });

  it('a script that does not exist', async () => {
    const { proxied, seen } = await ground().twin.same('/no-such-script.php');
    expect(proxied.status).toBe(404);
    completed(seen, 'no-such-script.php', proxied.body);
    expect(seen.status).toBe(404);
  });

  it('a redirect', async () => {
    const { proxied, seen } = await ground().twin.same('/redirect.php');
    expect(proxied.status).toBe(302);
    expect(proxied.headers.location).toBe('/hello.php?redirected=1');
    completed(seen, 'redirect.php', proxied.body);
    expect(seen.status).toBe(302);
    expect(seen.responseHeaders).toContainEqual(['Location', '/hello.php?redirected=1']);
  });

  it('eight requests at a time', async () => {
    const { twin } = ground();
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, i) => twin.same(`/echo.php?which=${i}`, { body: `body ${i}` })),
    );
    for (const [i, { proxied, seen }] of all.entries()) {
      expect(JSON.parse(Buffer.from(proxied.body).toString())).toMatchObject({
        query: { which: `${i}` },
        sha256: sha256(`body ${i}`),
      });
      completed(seen, 'echo.php', proxied.body);
      expect(seen.stdin).toMatchObject({ bytes: `body ${i}`.length, sha256: sha256(`body ${i}`) });
    }
  });

  it('the error log is the same as without the proxy', async () => {
    await ground().twin.expectSameErrors();
  });
}
