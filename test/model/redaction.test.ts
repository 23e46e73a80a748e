import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isSecretName,
  REDACTED,
  redactExchange,
  redactFindings,
  redactQuery,
  redactUrl,
  redactValue,
} from '../../src/model/redaction.js';
import { finding, stdoutOf, storedExchange } from '../support/exchange-fixture.js';

describe('isSecretName', () => {
  it.each([
    'HTTP_COOKIE',
    'Cookie',
    'Set-Cookie',
    'HTTP_AUTHORIZATION',
    'Authorization',
    'REDIRECT_HTTP_AUTHORIZATION',
    'HTTP_PROXY_AUTHORIZATION',
    'PHP_AUTH_USER',
    'PHP_AUTH_PW',
    'PHP_AUTH_DIGEST',
    'DB_PASSWORD',
    'DB_PASS',
    'APP_SECRET',
    'HTTP_X_API_KEY',
    'X-Api-Key',
    'apiKey',
    'APIKEY',
    'access_token',
    'csrfToken',
    'user[password]',
    'PHPSESSID',
    'key',
    'auth',
  ])('%s is', (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  it.each([
    'SCRIPT_FILENAME',
    'QUERY_STRING',
    'HTTP_HOST',
    'AUTH_TYPE',
    'REMOTE_USER',
    'HTTP_USER_AGENT',
    'PHP_SELF',
    'keyword',
    'monkey',
    'compass',
    'SSL_SERVER_A_SIG',
    '',
  ])('%s is not', (name) => {
    expect(isSecretName(name)).toBe(false);
  });
});

describe('redactUrl', () => {
  it.each([
    ['http://h/p?x=1', 'http://h/p?x=1'],
    ['http://h/p?x=1&token=abc&y=2', 'http://h/p?x=1&token=[redacted]&y=2'],
    ['token=abc;def', 'token=[redacted]'],
    ['password=a b&x=1', 'password=[redacted]&x=1'],
    ['/p?api_key=1#top', '/p?api_key=[redacted]'],
    ['https://app/cb#access_token=abc&state=1', 'https://app/cb#access_token=[redacted]&state=1'],
    ['/shop;jsessionid=AB12/cart?x=1', '/shop;jsessionid=[redacted]/cart?x=1'],
    ['/p?a=1;token=x/y&b=2', '/p?a=1;token=[redacted]&b=2'],
    ['token=a?b#c', 'token=[redacted]'],
    ['token=http://a/?b', 'token=[redacted]'],
    ['next.php?token=a', 'next.php?token=[redacted]'],
    ['/p?user%5Bpassword%5D=x', '/p?user%5Bpassword%5D=[redacted]'],
    ['/login?next=/cb?token=abc&z=1', '/login?next=/cb?token=[redacted]&z=1'],
    ['/login?next=%2Fcb%3Fa%3D1%26token%3Dabc', '/login?next=%2Fcb%3Fa%3D1%26token%3D%5Bredacted%5D'],
    ['ftp://joe:pa55@h/x', 'ftp://joe:[redacted]@h/x'],
    ['/p?token=', '/p?token='],
    ['/p?%zz=1&secret=2', '/p?%zz=1&secret=[redacted]'],
    ['no query', 'no query'],
    ['?a=1;b=2;c=3;d=4;e=5;password=hunter2', '?a=1;b=2;c=3;d=4;e=5;password=[redacted]'],
    ['a=b=c=d=e=f=token=x&y=1', 'a=b=c=d=e=f=token=[redacted]&y=1'],
    ['?a=/b?c=/d?e=/f?g=/h?token=x', '?a=/b?c=/d?e=/f?g=/h?token=[redacted]'],
    ['/p&token=x', '/p&token=[redacted]'],
    ['/reset/token=abc/now?x=1', '/reset/token=[redacted]/now?x=1'],
    ['/cb%3Ftoken%3Dabc', '/cb%3Ftoken%3D%5Bredacted%5D'],
    ['?next=%2Fcb%3Fpass%3Dx%E4', '?next=[redacted]'],
    ['?pass%77ord%E4=x', '?pass%77ord%E4=[redacted]'],
    ['?next=%252Fcb%253Ftoken%253Dabc&b=1', '?next=%252Fcb%253Ftoken%253D%255Bredacted%255D&b=1'],
    ['?next=a%252525253Db', '?next=%25255Bredacted%25255D'],
    ['?next=%2Fcb%3Fa%3Db', '?next=%2Fcb%3Fa%3Db'],
    ['?next=http%3A%2F%2Fjoe%3Apw%40h%2F', '?next=http%3A%2F%2Fjoe%3A%5Bredacted%5D%40h%2F'],
    ['ftp://joe:p@ss@h/x', 'ftp://joe:[redacted]@h/x'],
    ['?a=1&amp;token=x', '?a=1&amp;token=[redacted]'],
  ])('%s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
  });

  it('takes time linear in the length', () => {
    for (const unit of [
      '&',
      ';',
      '?a',
      'a',
      '%3d',
      '=',
      'http://',
      '://a:',
      '%25',
      'aaa%3d',
      '/a',
      '%3a//',
      'a=',
      '+',
    ]) {
      const long = unit.repeat(200_000);
      expect(redactUrl(long)).toHaveLength(long.length);
      redactUrl(`${'a'.repeat(200_000)}%3d${long}`);
    }
  });
});

describe('redactExchange', () => {
  const PASSWORD = 'correct-horse-battery';
  const { exchange } = storedExchange({
    params: {
      HTTP_COOKIE: `PHPSESSID=${PASSWORD}`,
      HTTP_AUTHORIZATION: `Basic ${PASSWORD}`,
      PHP_AUTH_PW: PASSWORD,
      QUERY_STRING: `x=1&password=${PASSWORD}`,
      REQUEST_URI: `/index.php?x=1&password=${PASSWORD}`,
      HTTP_REFERER: `http://shop.example/?token=${PASSWORD}`,
      APP_SECRET: PASSWORD,
      EMPTY_TOKEN: '',
    },
    stdout: stdoutOf(
      `Status: 302 Found\nSet-Cookie: id=${PASSWORD}\nLocation: /next?key=${PASSWORD}&a=b\nX-Kept: yes`,
      '',
    ),
    findings: [
      {
        ...finding('x'),
        detail: `The URI was "/index.php?x=1&password=${PASSWORD}", the secret ${PASSWORD}.`,
        evidence: [{ kind: 'stderr', text: `login failed: ${PASSWORD}` }],
      },
    ],
    override: { stderrHead: new Uint8Array(0), bodyHead: new Uint8Array(0) },
  });

  it('leaves no secret anywhere', () => {
    expect(JSON.stringify(exchange)).toContain(PASSWORD);
    const redacted = redactExchange(exchange);
    expect(JSON.stringify(redacted)).not.toContain(PASSWORD);
    expect(redacted.url).toBe('http://shop.example/index.php?x=1&password=[redacted]');
    const value = (name: string) => redacted.params.find((param) => param.name === name)?.value;
    expect(value('HTTP_COOKIE')).toBe(REDACTED);
    expect(value('HTTP_REFERER')).toBe('http://shop.example/?token=[redacted]');
    expect(value('EMPTY_TOKEN')).toBe('');
    expect(value('SCRIPT_FILENAME')).toBe('/srv/www/index.php');
    expect(redacted.response?.headers).toEqual([
      { name: 'Status', value: '302 Found' },
      { name: 'Set-Cookie', value: REDACTED },
      { name: 'Location', value: '/next?key=[redacted]&a=b' },
      { name: 'X-Kept', value: 'yes' },
    ]);
  });

  it('reads lines that are no headers as if they were', () => {
    const lines = [
      'Set-Cookie : PHPSESSID=hunter2',
      ' Set-Cookie: hunter2',
      'X : /?a=1;token=hunter2',
      'token=hunter2',
      '<p>',
    ];
    const { response } = storedExchange({ stdout: stdoutOf('X: y', '') }).exchange;
    const one = storedExchange({ override: { response: { ...response!, invalidLines: lines } } });
    expect(redactExchange(one.exchange).response?.invalidLines).toEqual([
      'Set-Cookie : [redacted]',
      ' Set-Cookie: [redacted]',
      'X : /?a=1;token=[redacted]',
      'token=[redacted]',
      '<p>',
    ]);
  });

  it('looks through what findings quote, field by field', () => {
    const one = storedExchange({
      findings: [{ ...finding('x'), detail: 'It asked for "/p?a=1;password=hunter2" (b=2).' }],
    });
    expect(redactExchange(one.exchange).findings[0]?.detail).toBe('It asked for "/p?a=1;password=[redacted]" (b=2).');
  });

  it('does not touch the original, and keeps order and number of params', () => {
    const before = structuredClone(exchange);
    const redacted = redactExchange(exchange);
    expect(exchange).toEqual(before);
    expect(redacted.params.map((param) => param.name)).toEqual(exchange.params.map((param) => param.name));
  });

  it('drops the exact bytes of a value that it replaced', () => {
    const bytes = Uint8Array.from([0xff, 0x41]);
    const one = storedExchange({
      allParams: [
        { name: 'HTTP_COOKIE', value: '\ufffdA', bytes },
        { name: 'X', value: '\ufffdA', bytes },
      ],
    });
    const { params } = redactExchange(one.exchange);
    expect(params[0]).toEqual({ name: 'HTTP_COOKIE', value: REDACTED });
    expect(params[1]?.bytes).toBe(bytes);
  });
});

it('redactValue takes a query string for one whatever it begins with', () => {
  expect(redactValue('QUERY_STRING', '/password=a/b&x=1')).toBe('/password=[redacted]&x=1');
});

it('redactValue keeps an empty value, as there is nothing to hide', () => {
  expect(redactValue('HTTP_COOKIE', '')).toBe('');
});

it('finds the same, whether all stands in the open or a part is percent-encoded and everything is decoded', () => {
  const piece = fc.constantFrom('/', '?', '&', '#', ';', '=', 'key', 'a', 'pass', 'word', 'http://', '+', ' ', 'sid');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
      const text = pieces.join('');
      // What is encoded is looked through the long way, and holds nothing.
      expect(redactUrl(`${text}&x=%61`)).toBe(`${redactUrl(text)}&x=%61`);
      expect(redactQuery(`${text}&x=%61`)).toBe(`${redactQuery(text)}&x=%61`);
    }),
  );
});

it('redactFindings gives the findings of redactExchange', () => {
  const { exchange } = storedExchange({
    params: { HTTP_COOKIE: 'sid=0123456789' },
    findings: [{ ...finding('client-abort'), detail: 'it said sid=0123456789, key=x' }],
  });
  expect(redactFindings(exchange)).toEqual(redactExchange(exchange).findings);
});
