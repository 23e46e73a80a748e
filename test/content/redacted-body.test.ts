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
    ['/a&password=x/y&b=1', '/a&password=[redacted]&b=1'],
  ])('form %s', (body, shown) => {
    expect(redacted('application/x-www-form-urlencoded', body)).toBe(shown);
  });

  it.each([
    ['{"user":"jö","password":"a\\"b","n":1}', '{"user":"jö","password":"[redacted]","n":1}'],
    ['{"a":{"api_key" : 12345, "x":[1]}}', '{"a":{"api_key" : "[redacted]", "x":[1]}}'],
    ['{"pass\\u0077ord":"x"}', '{"pass\\u0077ord":"[redacted]"}'],
    ['{"token":{"value":"x"}}', '{"token":"[redacted]"}'],
    ['{"password":["x"],"a":"b"}', '{"password":"[redacted]","a":"b"}'],
    ['{"credentials" : {"v":"}\\"]x","w":[{}]} , "a":1}', '{"credentials" : "[redacted]" , "a":1}'],
    ['{"a":"\\"password\\":\\"kept","secret":[1,[2', '{"a":"\\"password\\":\\"kept","secret":"[redacted]"'],
    [`{"password"${' '.repeat(40)}:\n"x"}`, `{"password"${' '.repeat(40)}:\n"[redacted]"}`],
    ['{"token":', '{"token":'],
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

  it('multipart as lenient readers take it: line feeds alone, folded heads, any number of parts', () => {
    const part = (value: string) => `--B\nContent-Disposition: form-data;\n name="password"\n\n${value}\n`;
    expect(redacted('multipart/form-data; boundary=B', `${part('x')}--B--\n`)).toBe(`${part('[redacted]')}--B--\n`);
    const many = (last: string) => `${part('').repeat(5_001)}${part(last)}--B--\n`;
    expect(redacted('multipart/form-data; boundary=B', many('x'))).toBe(many('[redacted]'));
  });

  it('goes by the last of several types, as PHP does', () => {
    const params = [...ofType('text/plain'), ...ofType('application/json')];
    expect(Buffer.from(redactRequestBody(params, utf8('{"token":"x"}'))).toString()).toBe('{"token":"[redacted]"}');
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
    for (const unit of [
      '"',
      '\\"',
      '"a":"',
      '"a":"\\',
      '"a" ',
      '{"a":',
      ' ',
      '"key":',
      '"key":[',
      '"key":{"',
      '{"key":[]',
    ]) {
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

it('redactHeaderBlock reads lines that are no headers, and folded ones', () => {
  const head = 'Set-Cookie : a=b\nSet-Cookie: a=b\n ; c=d\r\nSet-Cookie\r: x\nSet-Cookie: a\rb\nid=1;token=x\n\n';
  const { exchange, bodies } = storedExchange({ stdout: head });
  expect(Buffer.from(redactHeaderBlock(exchange, bodies.stdout)).toString()).toBe(
    'Set-Cookie : [redacted]\nSet-Cookie: [redacted]\r\nSet-Cookie\r: [redacted]\nSet-Cookie: [redacted]\nid=1;token=[redacted]\n\n',
  );
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
