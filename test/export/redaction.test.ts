import fc from 'fast-check';
import { expect, it } from 'vitest';
import { har } from '../../src/export/har.js';
import { ndjson } from '../../src/export/ndjson.js';
import type { ResponseHead } from '../../src/model/exchange.js';
import { rowOf } from '../../src/model/exchange-row.js';
import { detail } from '../../src/print/detail.js';
import { lines } from '../../src/print/lines.js';
import { ResponseHeadReader } from '../../src/protocol/fastcgi/cgi-response.js';
import { CollectedOutput, sessionSummary } from '../support/collected-output.js';
import { bytesOf, type ExchangeOptions, type StoredExchange, storedExchange } from '../support/exchange-fixture.js';
import { FakeInspection } from '../support/fake-inspection.js';

/** What no output may contain: the beginning and the end of every generated secret. */
const HEAD = 'Zq7hunter';
const TAIL = 'xW9battery';

const NAMES = ['password', 'user[pass]', 'api_key', 'csrfToken', 'PHPSESSID', 'auth'];
const secretName = fc.constantFrom(...NAMES);
/** In the middle stands what could be mistaken for the end of a value. */
const secret = fc
  .string({ unit: fc.constantFrom(...'/;=?#:@,.+ab1'), maxLength: 6 })
  .map((middle) => HEAD + middle + TAIL);
const noise = fc.string({ maxLength: 8 }).map((text) => text.replaceAll('&', ''));
const harmless = fc.tuple(noise, noise).map(([name, value]) => `${name}=${value}`);

/** A query with a secret field in it, itself the value of a field of another one, several times over. */
const query = fc
  .record({
    before: fc.array(harmless, { maxLength: 6 }),
    name: fc.oneof(secretName, secretName.map(encodeURIComponent)),
    secret,
    after: fc.array(harmless, { maxLength: 3 }),
    separator: fc.constantFrom('&', ';'),
    levels: fc.array(fc.boolean(), { maxLength: 5 }),
  })
  .map(({ before, name, secret, after, separator, levels }) => {
    const fields = [...before, `${name}=${secret}`].join(separator);
    let text = [fields, ...after].join('&');
    for (const encoded of levels) text = `x=1&next=${encoded ? encodeURIComponent(`/cb?${text}`) : `/cb?${text}`}`;
    return text;
  });

const jsonBody = fc
  .record({
    before: fc.jsonValue({ maxDepth: 2 }),
    name: secretName,
    value: fc.oneof(
      secret,
      secret.map((text) => [1, text, { a: '}]"' }, text]),
      secret.map((text) => ({ 'a"': ']}\\', value: { deep: [text] } })),
    ),
    after: fc.jsonValue({ maxDepth: 2 }),
    indent: fc.constantFrom(0, 2, '\t'),
  })
  .map(({ before, name, value, after, indent }) => ({
    type: 'application/json',
    body: JSON.stringify({ before, list: [{ [name]: value }], after }, null, indent),
  }));

const formBody = query.map((body) => ({ type: 'application/x-www-form-urlencoded', body }));

const multipartBody = fc
  .record({ name: secretName, secret, end: fc.constantFrom('\r\n', '\n'), fold: fc.boolean(), noise })
  .map(({ name, secret, end, fold, noise }) => {
    const part = (field: string, value: string) =>
      ['--B', `Content-Disposition: form-data;${fold ? end : ''} name="${field}"`, '', value, ''].join(end);
    return {
      type: 'multipart/form-data; boundary=B',
      body: `${part('x', noise)}${part(name, secret)}${part('y', noise)}--B--${end}`,
    };
  });

const headerLines = fc
  .tuple(
    fc.constantFrom('Set-Cookie: ', 'Set-Cookie : ', ' Set-Cookie:', 'X-Auth-Token:', 'x api key: '),
    secret,
    query,
  )
  .map(([name, value, fields]) => `${name}${value}\r\nX: y\r\nLocation: /next?${fields}\r\nX-Odd : /?${fields}`);

const request: fc.Arbitrary<ExchangeOptions> = fc
  .record({
    query,
    name: fc.constantFrom('HTTP_COOKIE', 'HTTP_AUTHORIZATION', 'PHP_AUTH_PW', 'DB_PASSWORD', 'HTTP_X_API_KEY'),
    secret,
    content: fc.oneof(jsonBody, formBody, multipartBody),
    duplicate: fc.boolean(),
    head: headerLines,
  })
  .map(({ query, name, secret, content, duplicate, head }) => ({
    allParams: [
      ...(duplicate ? [{ name: 'CONTENT_TYPE', value: 'text/plain' }] : []),
      { name: 'REQUEST_METHOD', value: 'POST' },
      { name: 'REQUEST_URI', value: `/index.php?${query}` },
      { name: 'QUERY_STRING', value: query },
      { name: 'HTTP_REFERER', value: `https://shop.example/?${query}` },
      { name: 'CONTENT_TYPE', value: content.type },
      { name, value: secret },
    ],
    stdin: content.body,
    stdout: `${head}\r\n\r\nbody`,
    override: { response: responseHead(head) },
  }));

/** As the tracker reads it, lines that are no headers among them. */
function responseHead(head: string): ResponseHead | null {
  const reader = new ResponseHeadReader();
  reader.push(bytesOf(`${head}\r\n\r\n`));
  return reader.head;
}

async function allOutputs(stored: StoredExchange): Promise<Record<string, string>> {
  const inspection = new FakeInspection().put(stored);
  const collected = {
    lines: new CollectedOutput(),
    detail: new CollectedOutput(),
    ndjson: new CollectedOutput(),
    har: new CollectedOutput(),
  };
  const options = (output: CollectedOutput) => ({ ...output.options(inspection, 'text'), color: false });
  await lines(options(collected.lines)).rows([rowOf(stored.exchange)]);
  await detail(options(collected.detail)).exchange(stored.exchange);
  const requests = ndjson(options(collected.ndjson));
  await requests.exchange(stored.exchange);
  await requests.flush?.();
  const file = har(options(collected.har));
  await file.exchange(stored.exchange);
  await file.end(sessionSummary());
  return Object.fromEntries(Object.entries(collected).map(([name, output]) => [name, output.text]));
}

it('no output contains a secret, wherever it stands under a name that says so', async () => {
  await fc.assert(
    fc.asyncProperty(request, async (options) => {
      const outputs = await allOutputs(storedExchange(options));
      for (const [name, text] of Object.entries(outputs)) {
        expect(text.includes(HEAD) || text.includes(TAIL), `${name}: ${text}`).toBe(false);
        expect(text).toContain('redacted');
      }
    }),
    { numRuns: 300 },
  );
});
