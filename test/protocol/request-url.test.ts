import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Param } from '../../src/model/exchange.js';
import { readRequestLine } from '../../src/protocol/request-url.js';

function params(text: Record<string, string>): Param[] {
  return Object.entries(text).map(([name, value]) => ({ name, value }));
}

const BASE = { HTTP_HOST: 'example.org', REQUEST_URI: '/a?b=c' };

describe('the URL of a request', () => {
  const cases: [string, Record<string, string>, string | null][] = [
    ['host and request target', BASE, 'http://example.org/a?b=c'],
    ['HTTPS on', { ...BASE, HTTPS: 'on', SERVER_PORT: '8443' }, 'https://example.org/a?b=c'],
    ['HTTPS off overrules the port', { ...BASE, HTTPS: 'off', SERVER_PORT: '443' }, 'http://example.org/a?b=c'],
    ['the scheme by name', { ...BASE, REQUEST_SCHEME: 'HTTPS' }, 'https://example.org/a?b=c'],
    ['a scheme that is none', { ...BASE, REQUEST_SCHEME: 'ht tp' }, 'http://example.org/a?b=c'],
    ['the scheme by port', { ...BASE, SERVER_PORT: '443' }, 'https://example.org/a?b=c'],
    ['no Host', { SERVER_NAME: 'a.example', SERVER_PORT: '8080', REQUEST_URI: '/' }, 'http://a.example:8080/'],
    ['no Host, usual port', { SERVER_NAME: 'a.example', SERVER_PORT: '80', REQUEST_URI: '/' }, 'http://a.example/'],
    ['an IPv6 name', { SERVER_NAME: '::1', SERVER_PORT: '81', REQUEST_URI: '/' }, 'http://[::1]:81/'],
    ['nginx’s catch-all name', { SERVER_NAME: '_', SERVER_ADDR: '10.0.0.1', REQUEST_URI: '/' }, 'http://10.0.0.1/'],
    ['no host at all', { REQUEST_URI: '/x' }, 'http://localhost/x'],
    ['an absolute request target', { ...BASE, REQUEST_URI: 'http://other/x' }, 'http://other/x'],
    ['OPTIONS *', { ...BASE, REQUEST_URI: '*' }, 'http://example.org/*'],
    [
      'without REQUEST_URI',
      { HTTP_HOST: 'h', SCRIPT_NAME: '/i.php', PATH_INFO: '/50%?#', QUERY_STRING: 'a=%20' },
      'http://h/i.php/50%25%3F%23?a=%20',
    ],
    ['DOCUMENT_URI only', { HTTP_HOST: 'h', DOCUMENT_URI: '/d' }, 'http://h/d'],
    ['no path', { HTTP_HOST: 'h', QUERY_STRING: 'a' }, null],
    ['control characters', { HTTP_HOST: 'h', REQUEST_URI: '/\x1b[2J é' }, 'http://h/%1B[2J%20%C3%A9'],
    ['a Host that would move the path', { HTTP_HOST: 'h/evil?@x', REQUEST_URI: '/p' }, 'http://h%2Fevil%3F%40x/p'],
  ];
  it.each(cases)('%s', (_, given, expected) => {
    expect(readRequestLine(params(given)).url).toBe(expected);
  });

  it('is null without params, as are method and script', () => {
    expect(readRequestLine([])).toEqual({ method: null, url: null, script: null });
  });

  it('holds visible ASCII only and never throws, whatever the values are', () => {
    const name = fc.constantFrom(
      'HTTP_HOST',
      'REQUEST_URI',
      'SCRIPT_NAME',
      'QUERY_STRING',
      'SERVER_NAME',
      'SERVER_PORT',
    );
    const param = fc.record({ name, value: fc.string({ unit: 'binary' }) });
    fc.assert(
      fc.property(fc.array(param), (list) => {
        expect(readRequestLine(list).url ?? '').toMatch(/^[\x21-\x7e]*$/);
      }),
    );
  });
});

describe('method and script', () => {
  it('reads SCRIPT_FILENAME, else SCRIPT_NAME', () => {
    expect(
      readRequestLine(params({ SCRIPT_NAME: '/a', SCRIPT_FILENAME: '/srv/a', REQUEST_METHOD: 'PUT' })),
    ).toMatchObject({ method: 'PUT', script: '/srv/a' });
    expect(readRequestLine(params({ SCRIPT_NAME: '/a', SCRIPT_FILENAME: '' })).script).toBe('/a');
  });

  it('takes the last of two, as PHP does', () => {
    const twice = [
      { name: 'REQUEST_METHOD', value: 'GET' },
      { name: 'REQUEST_METHOD', value: 'POST' },
    ];
    expect(readRequestLine(twice).method).toBe('POST');
  });
});
