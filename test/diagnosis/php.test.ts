import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/diagnosis/diagnose.js';
import type { Finding } from '../../src/model/finding.js';
import { bytesOf, type ExchangeOptions, storedExchange } from '../support/exchange-fixture.js';
import { CASES } from './cases/php.js';

const findings = (options: ExchangeOptions): readonly Finding[] => diagnose(storedExchange(options).exchange);
const ids = (options: ExchangeOptions): string[] => findings(options).map(({ id }) => id);
const fatal = (text: string): Finding => findings({ stderr: `PHP message: PHP ${text}` })[0]!;

describe('rules about PHP and CGI gateways', () => {
  it.each(CASES)('%s is the one finding', (id, trigger) => {
    expect(ids(trigger)).toEqual([id]);
  });

  it.each(CASES)('%s says what it means and what to do', (_id, trigger) => {
    const [finding] = findings(trigger);
    expect(finding!.advice.length + finding!.look.length).toBeGreaterThan(0);
    expect(finding!.detail).toMatch(/\S{2}/);
    if (finding!.certainty === 'allowed') expect(finding!.alternatives.length).toBeGreaterThan(0);
  });

  it('say nothing of an ordinary page, whoever serves it', () => {
    for (const software of [
      'nginx/1.22.1',
      'lighttpd/1.4.69',
      'Apache/2.4.66 (Debian)',
      'Caddy/v2.6.2',
      'HAProxy 2.6.12',
    ])
      expect(ids({ params: { SERVER_SOFTWARE: software } })).toEqual([]);
  });

  it('do not read what was not seen', () => {
    const stdout = 'X-Powered-By: PHP/8.2\r\nContent-Type: text/html\r\n\r\nmore';
    const unseen: ExchangeOptions = {
      stdout,
      gaps: { stdout: [[stdout.length - 4, stdout.length]] },
      override: { bodyHead: new Uint8Array(0) },
    };
    expect(ids(unseen)).toEqual([]);
  });
});

describe('primary-script-unknown ranks the causes by what the params say', () => {
  const first = (params: Record<string, string | null>, override: ExchangeOptions['override'] = {}): Finding =>
    findings({ stderr: 'Primary script unknown', params, override })[0]!;

  it.each([
    ['no path', { SCRIPT_FILENAME: '' }, 'SCRIPT_FILENAME is empty'],
    ['none at all', { SCRIPT_FILENAME: null }, 'no param SCRIPT_FILENAME'],
    ['a variable', { SCRIPT_FILENAME: '$document_root/a.php' }, 'not filled in'],
    ['the sample', { SCRIPT_FILENAME: '/scripts/a.php' }, 'sample in nginx.conf'],
    ['the default root', { SCRIPT_FILENAME: '/etc/nginx/html/a.php' }, 'default folder'],
    ['a folder', { SCRIPT_FILENAME: '/srv/www/' }, 'no index file'],
    ['a URL path', { SCRIPT_FILENAME: '/index.php', SCRIPT_NAME: '/index.php' }, 'no document root'],
    ['another root', { SCRIPT_FILENAME: '/var/www/a.php', DOCUMENT_ROOT: '/srv/www' }, 'not lie under DOCUMENT_ROOT'],
    [
      'an alias',
      { SCRIPT_FILENAME: '/srv/pma/pma/a.php', DOCUMENT_ROOT: '/srv/pma', SCRIPT_NAME: '/pma/a.php' },
      'comes twice',
    ],
    ['path info', { SCRIPT_FILENAME: '/srv/www/a.php/b/c', SCRIPT_NAME: '/a.php/b/c' }, 'fix_pathinfo=0'],
    ['a relative path', { SCRIPT_FILENAME: 'www/a.php', SCRIPT_NAME: '/a.php' }, 'not absolute'],
    ['a backslash', { SCRIPT_FILENAME: '/srv\\www\\a.php', SCRIPT_NAME: '/a.php' }, 'backslash'],
    ['a Unix socket behind Apache', { SCRIPT_FILENAME: 'proxy:unix:/run/a/srv/a.php' }, 'mod_proxy_fcgi'],
    ['a plain path', { SCRIPT_FILENAME: '/srv/www/a.php', DOCUMENT_ROOT: '/srv/www' }, 'no such file: a wrong link'],
    [
      'Apache’s ordinary prefix',
      { SCRIPT_FILENAME: 'proxy:fcgi://127.0.0.1:9000/srv/www/a.php', DOCUMENT_ROOT: '/srv/www' },
      'no such file: a wrong link',
    ],
  ])('%s', (_what, params, words) => {
    const finding = first(params);
    expect(finding.detail).toContain(words);
    expect(finding.advice.length).toBeGreaterThan(1);
    expect(finding.alternatives.map(({ cause }) => cause).join()).not.toContain(words);
  });

  it('thinks of another container first where the two are on different machines', () => {
    const params = { SCRIPT_FILENAME: '/srv/www/a.php', DOCUMENT_ROOT: '/srv/www' };
    const apart = {
      client: { kind: 'tcp', host: '172.18.0.4', port: 40_000 },
      server: { kind: 'tcp', host: '172.18.0.3', port: 9000 },
    } as const;
    expect(first(params, apart).detail).toContain('another container');
    expect(first(params).alternatives[0]!.cause).toContain('another container');
  });

  it('gives the advice of the web server at hand only', () => {
    const { advice } = first({ SCRIPT_FILENAME: '/srv/www/a.php', SERVER_SOFTWARE: 'lighttpd/1.4.69' });
    expect(advice.some((text) => text.startsWith('lighttpd:'))).toBe(true);
    expect(advice.filter((text) => text.startsWith('Caddy:'))).toEqual([]);
  });

  it('quotes a hostile path without what a terminal obeys', () => {
    expect(first({ SCRIPT_FILENAME: '/srv/\u001b[2J\u202e.php' }).detail).not.toMatch(/[\u001b\u202e]/);
  });
});

describe('limit-extensions tells by the path what was meant', () => {
  it.each([
    ['', 'is empty'],
    ['/srv/www', 'a folder'],
    ['/srv/www/a.php/info', 'split it'],
    ['/srv/www/a.phtml', 'security.limit_extensions = .php .phtml'],
    ['/srv/www/a.jpg', 'no PHP file'],
  ])('%s: %s', (script, words) => {
    const stderr = `Access to the script '${script}' has been denied (see security.limit_extensions)`;
    expect(findings({ stderr })[0]!.advice[0]).toContain(words);
  });
});

describe('primary-script-unknown without a path', () => {
  const missing = (more: ExchangeOptions = {}): Finding =>
    findings({
      stderr: 'Primary script unknown',
      params: { SCRIPT_FILENAME: null, SERVER_SOFTWARE: 'nginx/1.22.1' },
      ...more,
    }).find(({ id }) => id === 'primary-script-unknown')!;

  it('is sure of it, and says first how it is sent', () => {
    const { certainty, alternatives, advice, detail } = missing();
    expect({ certainty, alternatives }).toEqual({ certainty: 'proven', alternatives: [] });
    expect(advice[0]).toContain('fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;');
    expect([detail, ...advice].join()).not.toMatch(/above|that path|no such file/);
  });

  it('is not sure when params were not seen', () => {
    expect(missing({ override: { paramsComplete: false } }).certainty).toBe('allowed');
  });
});

describe('unable-to-open-primary-script tells by the error', () => {
  it.each([
    ['Permission denied', 'proven', 'namei'],
    ['Operation not permitted', 'proven', 'open_basedir'],
    ['No such file or directory', 'allowed', 'try_files'],
  ] as const)('%s', (reason, certainty, words) => {
    const [finding] = findings({ stderr: `Unable to open primary script: /srv/www/a.php (${reason})` });
    expect(finding).toMatchObject({ id: 'unable-to-open-primary-script', certainty });
    expect(finding!.advice.join()).toContain(words);
  });
});

describe('upload-too-large, of a part of the form', () => {
  it.each([
    ['PHP Warning:  PHP Request Startup: Input variables exceeded 1000. To increase', 'max_input_vars = '],
    ['PHP Warning:  Maximum number of allowable file uploads has been exceeded in Unknown', 'max_file_uploads = '],
    ['PHP Warning:  Multipart body parts limit exceeded 100. To increase', 'max_multipart_body_parts in'],
  ])('%s', (stderr, words) => {
    const all = findings({ stderr });
    expect(all.map(({ id, severity }) => [id, severity])).toEqual([['upload-too-large', 'warning']]);
    expect(all[0]!.advice[0]).toContain(words);
  });

  it('does not hide what the script made of that', () => {
    const stderr = 'PHP Warning:  Input variables exceeded 1000. To\nPHP Fatal error:  Uncaught Error: x in /a.php:3';
    expect(ids({ stderr })).toEqual(['php-fatal', 'upload-too-large']);
  });
});

describe('php-fatal', () => {
  it.each([
    ['Fatal error:  Allowed memory size of 134217728 bytes exhausted (tried to allocate 64 bytes)', 'memory_limit'],
    ['Fatal error:  Maximum execution time of 30 seconds exceeded in /a.php on line 2', 'max_execution_time'],
    ['Fatal error:  Uncaught PDOException: SQLSTATE[HY000] [2002] Connection refused in /a.php:3', 'database'],
    ['Fatal error:  Uncaught Error: Class "App\\Kernel" not found in /a.php:3', 'composer'],
    ['Fatal error:  Uncaught Error: Call to undefined function mb_strlen() in /a.php:3', 'php-mbstring'],
    ["Fatal error:  Uncaught Error: Failed opening required 'vendor/autoload.php'", 'composer install'],
    ['Fatal error:  Uncaught Exception: no in /a.php:3', 'Nobody caught'],
    ['Fatal error:  Maximum call stack size of 8339456 bytes reached', 'calls itself'],
    ['Parse error:  syntax error, unexpected token "}" in /a.php on line 3', 'php -l'],
  ])('%s', (text, words) => {
    const finding = fatal(text);
    expect(finding).toMatchObject({ id: 'php-fatal', certainty: 'proven', severity: 'error' });
    expect(finding.advice.join()).toContain(words);
  });

  it('finds it behind warnings of the same record', () => {
    const stderr =
      'PHP message: PHP Warning:  a in /b on line 1; PHP message: PHP Fatal error:  Uncaught Exception: c in /d:1';
    const [finding, ...others] = findings({ stderr });
    expect(finding!.detail).toContain('Uncaught Exception: c');
    expect(others).toEqual([]);
  });

  it('says that a page which had begun is cut off', () => {
    expect(fatal('Fatal error:  Uncaught Exception: no').detail).toContain('cut off');
  });

  it('is a guess where PHP answers 500 without a word, and nothing where another program does', () => {
    const empty = 'Status: 500 Internal Server Error\r\nContent-type: text/html\r\n\r\n';
    expect(findings({ stdout: empty })).toMatchObject([{ id: 'php-fatal', certainty: 'allowed' }]);
    expect(ids({ stdout: empty, params: { SCRIPT_FILENAME: '/srv/app', SCRIPT_NAME: '/app' } })).toEqual([]);
    expect(ids({ stdout: `${empty}Sorry` })).toEqual([]);
  });
});

describe('https-param-missing', () => {
  const redirect = (params: Record<string, string | null>, location = 'https://shop.example/a'): string[] =>
    ids({ params: { REQUEST_URI: '/a', ...params }, stdout: `Status: 302 Found\r\nLocation: ${location}\r\n\r\n` });

  it.each([
    { HTTP_X_FORWARDED_PROTO: 'https' },
    { HTTP_FORWARDED: 'for=1.2.3.4;proto=https' },
    { HTTP_CF_VISITOR: '{"scheme":"https"}' },
    { REQUEST_SCHEME: 'https' },
    { REQUEST_SCHEME: null, SERVER_PORT: '443' },
    { REQUEST_SCHEME: null, SERVER_PORT: '443', HTTPS: 'off' },
  ])('%j', (params) => {
    expect(redirect(params)).toEqual(['https-param-missing']);
  });

  it('leaves redirects from HTTP to HTTPS alone, and those of applications that know', () => {
    expect(redirect({})).toEqual([]);
    expect(redirect({ HTTP_X_FORWARDED_PROTO: 'https', HTTPS: 'on' })).toEqual([]);
    expect(redirect({ HTTP_X_FORWARDED_PROTO: 'https' }, 'https://www.shop.example/a')).toEqual([]);
    expect(redirect({ HTTP_X_FORWARDED_PROTO: 'https' }, 'http://shop.example/a')).toEqual([]);
  });
});

describe('path-info-wrong', () => {
  const missing = (
    params: Record<string, string>,
    stdout = 'Status: 404 Not Found\r\nContent-Type: a/b\r\n\r\nno',
  ): string[] => ids({ params, stdout });

  it.each([
    { SCRIPT_NAME: '/a.php', PATH_INFO: '/a.php' },
    { SCRIPT_NAME: '/a.php/b', PATH_INFO: '/b' },
    { SCRIPT_NAME: '/app.fcgi', SCRIPT_FILENAME: 'proxy:fcgi://127.0.0.1:9000/srv/app.fcgi' },
  ])('%j', (params) => {
    expect(missing(params)).toEqual(['path-info-wrong']);
  });

  it('leaves front controllers, other answers and what PHP mends alone', () => {
    // Apache with ProxyPassMatch: PHP splits it itself.
    expect(missing({ SCRIPT_NAME: '/a.php/b', SCRIPT_FILENAME: '/srv/www/a.php/b', PATH_INFO: '' })).toEqual([]);
    expect(missing({ REQUEST_URI: '/news/3', SCRIPT_NAME: '/index.php', PATH_INFO: '' })).toEqual([]);
    expect(missing({ SCRIPT_NAME: '/a.php', PATH_INFO: '/a.php' }, 'Content-Type: a/b\r\n\r\nyes')).toEqual([]);
    expect(
      missing(
        { SCRIPT_FILENAME: 'proxy:fcgi://127.0.0.1:9000/srv/www/a.php' },
        'Status: 404 No\r\nContent-Type: a/b\r\nX-Powered-By: PHP/8.2\r\n\r\nno',
      ),
    ).toEqual([]);
  });
});

describe('charset-or-status-200-error', () => {
  const html = (body: string): readonly Finding[] => findings({ stdout: `Content-Type: text/html\r\n\r\n${body}` });

  it.each([
    ['<br />\n<b>Fatal error</b>:  Uncaught', 'error'],
    ['<br />\n<b>Warning</b>:  Undefined variable $a in', 'warning'],
    ['\nParse error: syntax error', 'error'],
    ['PHP Fatal error:  Uncaught', 'error'],
    ["<br />\n<font size='1'><table class='xdebug-error xe-uncaught", 'warning'],
    ['Traceback (most recent call last):\n', 'error'],
    ['<h1>Software error:</h1>\n', 'error'],
  ])('%j: %s', (body, severity) => {
    expect(html(body)).toMatchObject([{ id: 'charset-or-status-200-error', severity }]);
  });

  it.each([
    '<!DOCTYPE html>',
    '<html>',
    '<h1>Hello</h1>',
    '<b>Warnings</b> and more',
    'Noticeboard',
    'PHP manual',
    'Fatality',
    '\n\n<p>',
  ])('not %j', (body) => {
    expect(html(body)).toEqual([]);
  });

  it('is told once where the same message is on STDERR', () => {
    expect(
      ids({
        stdout: 'Content-Type: text/html\r\n\r\n<br />\n<b>Warning</b>:  Undefined variable $a in /a.php',
        stderr: 'PHP message: PHP Warning:  Undefined variable $a in /a.php on line 1',
      }),
    ).toEqual(['charset-or-status-200-error']);
  });
});

describe('blank-page-no-stderr', () => {
  it.each(['Location: /a', 'X-Accel-Redirect: /a', 'X-Sendfile: /a', 'Content-Length: 0', 'Status: 204 No Content'])(
    'takes %s for an answer',
    (header) => {
      expect(ids({ stdout: `X-Powered-By: PHP/8.2\r\nContent-Type: text/html\r\n${header}\r\n\r\n` })).not.toContain(
        'blank-page-no-stderr',
      );
    },
  );

  it('is a note: some scripts rightly print nothing', () => {
    expect(findings({ stdout: 'X-Powered-By: PHP/8.2\r\n\r\n' })[0]!.severity).toBe('note');
  });
});

describe('authorization-missing', () => {
  const refused = 'Status: 401 Unauthorized\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Type: a/b\r\n\r\nno';

  it('is proven where another param shows that the client sent the header', () => {
    const renamed = { SERVER_SOFTWARE: 'Apache/2.4', REDIRECT_HTTP_AUTHORIZATION: 'Basic eDp5' };
    const named = { SERVER_SOFTWARE: 'HAProxy 2.6.12', REMOTE_USER: 'x', AUTH_TYPE: 'Basic' };
    for (const params of [renamed, named])
      expect(findings({ stdout: refused, params })[0]).toMatchObject({
        id: 'authorization-missing',
        certainty: 'proven',
        severity: 'warning',
      });
  });

  it('is nothing where the header is there', () => {
    const params = { SERVER_SOFTWARE: 'Apache/2.4', HTTP_AUTHORIZATION: 'Basic eDp5' };
    expect(ids({ stdout: refused, params })).toEqual([]);
  });
});

describe('stderr-noise', () => {
  const noise = (stderr: string, options: ExchangeOptions = {}): Finding => findings({ stderr, ...options }).at(-1)!;
  const warning = 'PHP message: PHP Warning:  Undefined variable $a in /a.php on line 1';
  const deprecated = 'PHP message: PHP Deprecated:  strlen(): Passing null in /a.php on line 1';

  it('counts by level', () => {
    expect(noise(`${warning}; ${warning}; ${deprecated}`).detail).toContain('2 PHP warnings, 1 PHP deprecation:');
  });

  it('is a warning where the answer is bad as well, or where it floods', () => {
    const failed = { stdout: 'Status: 500 No\r\nContent-Type: a/b\r\n\r\nno' };
    expect(noise(warning).severity).toBe('note');
    expect(noise(warning, failed).severity).toBe('warning');
    expect(noise(deprecated, failed).severity).toBe('note');
    expect(noise('x'.repeat(20_000)).severity).toBe('warning');
  });

  it.each([
    ['PHP Warning:  fopen(/x): Failed to open stream: Permission denied', 'chown'],
    ['PHP Warning:  mysqli_connect(): (HY000/2002): Connection refused', 'database'],
    ['Use of uninitialized value $x at a.pl line 3.', 'Harmless'],
  ])('%s', (text, words) => {
    expect(noise(text).advice.join()).toContain(words);
  });

  it('leaves to the other rules what is theirs', () => {
    for (const stderr of [
      'Primary script unknown',
      'PHP message: PHP Fatal error:  x',
      'PHP message: PHP Warning:  Cannot modify header information - headers already sent by (output started at /a:1)',
    ])
      expect(ids({ stderr })).not.toContain('stderr-noise');
  });

  it('reads text that is no UTF-8', () => {
    expect(noise('', { stderr: '', override: {} })).toBeUndefined();
    const stderr = Uint8Array.from([...bytesOf('caf'), 0xe9, 0x1b]);
    expect(findings({ stderr })[0]!.detail).toContain('caf');
  });
});

describe('fcgiwrap without -f', () => {
  const answer = (status: string): string => `Status: ${status}\r\nContent-Type: text/plain\r\n\r\n${status}\r\n`;

  it('says no more than the status', () => {
    expect(ids({ stdout: answer('403 Forbidden') })).toEqual(['fcgiwrap-403']);
    expect(ids({ stdout: answer('502 Bad Gateway') })).toEqual(['fcgiwrap-502']);
    expect(ids({ stdout: `${answer('403 Forbidden')}, because` })).toEqual([]);
  });

  it('says that a program printed nothing', () => {
    const stdout =
      'Status: 502 Bad Gateway\nContent-type: text/plain\n\nAn error occurred while reading CGI reply (no response received)\n';
    expect(findings({ stdout })[0]).toMatchObject({
      id: 'fcgiwrap-502',
      detail: expect.stringContaining('without printing'),
    });
  });
});
