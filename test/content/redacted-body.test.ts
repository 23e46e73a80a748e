import { describe, expect, it } from 'vitest';
import { holdsFields, isPacked, redactHeaderBlock, redactRequestBody } from '../../src/content/redacted-body.js';
import { storedExchange } from '../support/exchange-fixture.js';

const utf8 = (text: string) => new TextEncoder().encode(text);
const ofType = (value: string) => [{ name: 'CONTENT_TYPE', value }];

function redacted(type: string, body: string | Uint8Array): string {
  return Buffer.from(redactRequestBody(ofType(type), typeof body === 'string' ? utf8(body) : body)).toString();
}

describe('redactRequestBody', () => {
  it.each([
    ['user=joe&password=geheim&x=ü', 'user=joe&password=[redacted]&x=ü'],
    ['pass%77ord=a%26b', 'pass%77ord=[redacted]'],
    ['password=a;b#c d&x=1', 'password=[redacted]&x=1'],
    ['user=joe', 'user=joe'],
  ])('form %s', (body, shown) => {
    expect(redacted('application/x-www-form-urlencoded', body)).toBe(shown);
  });

  it.each([
    ['{"user":"jö","password":"a\\"b","n":1}', '{"user":"jö","password":"[redacted]","n":1}'],
    ['{"a":{"api_key" : 12345, "x":[1]}}', '{"a":{"api_key" : "[redacted]", "x":[1]}}'],
    ['{"pass\\u0077ord":"x"}', '{"pass\\u0077ord":"[redacted]"}'],
    ['{"token":{"value":"x"}}', '{"token":{"value":"x"}}'],
    ['{"secret":"cut o', '{"secret":"[redacted]"'],
    ['{"keyword":"kept"}', '{"keyword":"kept"}'],
  ])('JSON %s', (body, shown) => {
    expect(redacted('application/json', body)).toBe(shown);
  });

  it('multipart', () => {
    const part = (name: string, value: string) =>
      `--B\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const body = `${part('user', 'joe')}${part('password', 'geheim\r\nzwei')}${part('x', '1')}--B--\r\n`;
    const shown = `${part('user', 'joe')}${part('password', '[redacted]')}${part('x', '1')}--B--\r\n`;
    expect(redacted('multipart/form-data; boundary=B', body)).toBe(shown);
  });

  it('gives the same object back when there is nothing to hide', () => {
    const body = Uint8Array.from([0xff, 0x3d, 0x00]);
    for (const type of [
      'application/x-www-form-urlencoded',
      'application/json',
      'multipart/form-data; boundary=x',
      'text/plain',
    ]) {
      expect(redactRequestBody(ofType(type), body)).toBe(body);
    }
  });

  it('takes time linear in the length', () => {
    for (const unit of ['"', '\\"', '"a":"', '"a":"\\', '"a" ', '{"a":', ' ']) {
      redacted('application/json', unit.repeat(200_000));
    }
  });
});

it('holdsFields and isPacked look at the params', () => {
  expect(holdsFields(ofType('application/vnd.api+json'))).toBe(true);
  expect(holdsFields(ofType('text/plain'))).toBe(false);
  expect(holdsFields([])).toBe(false);
  expect(isPacked([{ name: 'HTTP_CONTENT_ENCODING', value: 'gzip' }])).toBe(true);
  expect(isPacked([{ name: 'HTTP_CONTENT_ENCODING', value: 'identity' }])).toBe(false);
});

it('redactHeaderBlock replaces values and nothing else', () => {
  const { exchange, bodies } = storedExchange({
    stdout: 'Status: 302\nSet-Cookie: a=b; path=/\r\nLocation: /x?token=1&y=2\r\nX: \xff\r\n\r\nbody: Set-Cookie: x',
  });
  const block = bodies.stdout.subarray(0, exchange.response!.length);
  expect(Buffer.from(redactHeaderBlock(exchange, block)).toString()).toBe(
    'Status: 302\nSet-Cookie: [redacted]\r\nLocation: /x?token=[redacted]&y=2\r\nX: \xff\r\n\r\n',
  );
});
