import { describe, expect, it } from 'vitest';
import { isLocal, parseAddress } from '../../src/cli/address.js';

describe('parseAddress', () => {
  it.each([
    ['9000', { kind: 'tcp', host: '127.0.0.1', port: 9000 }],
    ['0', { kind: 'tcp', host: '127.0.0.1', port: 0 }],
    ['php:9000', { kind: 'tcp', host: 'php', port: 9000 }],
    ['0.0.0.0:9000', { kind: 'tcp', host: '0.0.0.0', port: 9000 }],
    ['[::1]:9000', { kind: 'tcp', host: '::1', port: 9000 }],
    ['/run/php.sock', { kind: 'unix', path: '/run/php.sock' }],
    ['unix:/run/php.sock', { kind: 'unix', path: '/run/php.sock' }],
    ['unix:relative.sock', { kind: 'unix', path: 'relative.sock' }],
    ['unix:@name', { kind: 'unix', path: '@name' }],
  ])('reads %s', (text, endpoint) => {
    expect(parseAddress(text, '--listen')).toEqual(endpoint);
  });

  it.each([
    ['', 'the address is empty'],
    ['php', 'a host needs a port'],
    ['::1:9000', 'an IPv6 address needs brackets'],
    ['[::1]', 'this is no address'],
    ['127.0.0.1:65536', 'there is no port 65536'],
    [':9000', 'the host is empty'],
    ['unix:', 'the path is empty'],
    ['unix:@', 'the path is empty'],
    [`/${'x'.repeat(107)}`, 'the path has 108 bytes'],
    ['http://x:9000', 'an address has no scheme'],
    ['php:fpm', '"fpm" is no port'],
    ['run/php.sock', 'a path begins with / or unix:'],
  ])('refuses %j and says why', (text, why) => {
    expect(() => parseAddress(text, '--upstream')).toThrow(
      expect.objectContaining({ code: 'bad-address', message: expect.stringContaining(why) }),
    );
    expect(() => parseAddress(text, '--upstream')).toThrow('--upstream');
  });

  it('knows which addresses only this machine reaches', () => {
    expect(
      ['9000', '127.1.2.3:1', '[::1]:1', 'localhost:1', '/x', 'unix:@x'].map((text) => isLocal(parseAddress(text, ''))),
    ).not.toContain(false);
    expect(['0.0.0.0:1', '10.0.0.1:1', 'php:1', '[::]:1'].map((text) => isLocal(parseAddress(text, '')))).not.toContain(
      true,
    );
  });
});
