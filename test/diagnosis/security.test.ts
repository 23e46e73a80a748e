import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/diagnosis/diagnose.js';
import { isPublicAddress } from '../../src/diagnosis/public-address.js';
import type { Finding } from '../../src/model/finding.js';
import { type ExchangeOptions, storedExchange } from '../support/exchange-fixture.js';
import { CASES } from './cases/security.js';

const findings = (options: ExchangeOptions): readonly Finding[] => diagnose(storedExchange(options).exchange);
const ids = (options: ExchangeOptions): string[] => findings(options).map(({ id }) => id);
const of = (id: string, options: ExchangeOptions): Finding | undefined =>
  findings(options).find((finding) => finding.id === id);

describe('security rules', () => {
  it.each(CASES)('%s fires once, and no other of them', (id, trigger) => {
    const security = CASES.map(([one]) => one);
    expect(ids(trigger).filter((one) => security.includes(one))).toEqual([id]);
  });

  it('say nothing of what every site has', () => {
    const params = {
      SERVER_SOFTWARE: 'nginx/1.22.1',
      DOCUMENT_ROOT: '/var/www/shop.example.com/htdocs',
      SCRIPT_FILENAME: '/var/www/shop.example.com/htdocs/index.php',
      REMOTE_USER: '',
      HTTP_COOKIE: 'PHPSESSID=abc; theme=dark',
      HTTP_AUTHORIZATION: 'Bearer abcdef',
      HTTP_X_FORWARDED_FOR: '203.0.113.7',
      HTTP_X_CSRF_TOKEN: 'abc',
      CONTENT_LENGTH: '12',
      HTTP_CONTENT_LENGTH: '12',
      PHP_VALUE: 'memory_limit=256M',
      PHP_ADMIN_VALUE: 'open_basedir=/var/www/:/tmp/',
      REQUEST_URI: '/index.php?q=a%20b%2F..',
      QUERY_STRING: 'q=a%20b%2F..&token=1',
      REMOTE_ADDR: '203.0.113.7',
      SSL_SERVER_A_KEY: 'rsaEncryption',
    };
    expect(ids({ params })).toEqual([]);
    // Apache’s authentication, which is checked; a Windows path of IIS.
    expect(ids({ params: { SERVER_SOFTWARE: 'Apache/2.4', REMOTE_USER: 'kim', AUTH_TYPE: 'Basic' } })).toEqual([]);
    expect(ids({ params: { SCRIPT_FILENAME: 'C:\\inetpub\\wwwroot\\index.php' } })).toEqual([]);
  });

  it('are asked anew of each request, though the params of the last one are remembered', () => {
    const clean = storedExchange({}).exchange;
    const attack = storedExchange({ params: { HTTP_PROXY: 'x:1' } }).exchange;
    expect([clean, attack, clean, attack].map((one) => diagnose(one).length)).toEqual([0, 1, 0, 1]);
  });

  it('see params that came after the request was asked about', () => {
    const { exchange } = storedExchange({});
    const params = [...exchange.params];
    const growing = { ...exchange, params };
    expect(diagnose(growing)).toEqual([]);
    params.push({ name: 'HTTP_PROXY', value: 'x:1' });
    expect(diagnose(growing).map(({ id }) => id)).toEqual(['httpoxy']);
  });
});

describe('php-value-injection', () => {
  const set = (PHP_VALUE: string, SERVER_SOFTWARE: string | null = 'nginx/1.22.1'): string[] =>
    ids({ params: { PHP_VALUE, SERVER_SOFTWARE } });

  it.each([
    'auto_prepend_file=php://input',
    'memory_limit=1G\nauto_append_file = "/tmp/x"',
    'allow_url_include=On',
    'disable_functions=',
    'open_basedir = /',
    'extension=/tmp/x.so',
  ])('%j', (value) => {
    expect(set(value)).toEqual(['php-value-injection']);
  });

  it.each([
    'allow_url_include=0',
    'auto_prepend_file=',
    'open_basedir=/srv/www',
    'upload_max_filesize=64M',
    'error_log=/var/log/x',
  ])('not %j', (value) => {
    expect(set(value)).toEqual([]);
  });

  it('believes a web server about a file of its own, and nobody else', () => {
    expect(set('auto_prepend_file=/srv/www/waf.php')).toEqual([]);
    expect(set('auto_prepend_file=/srv/www/waf.php', null)).toEqual(['php-value-injection']);
    expect(set('auto_prepend_file=/srv/www/waf.php', 'php/fcgiclient')).toEqual(['php-value-injection']);
  });
});

describe('exposed-fastcgi-port', () => {
  it.each(['/etc/passwd', '/usr/share/php/PEAR.php', '/usr/local/lib/php/pearcmd.php', '/proc/self/environ'])(
    'knows %s',
    (script) => {
      expect(ids({ params: { SCRIPT_FILENAME: script } })).toContain('exposed-fastcgi-port');
    },
  );

  it.each(['/usr/share/phpmyadmin/index.php', '/var/www/etc/passwd.php', '/usr/share/nginx/html/PEAR/index.php'])(
    'not %s',
    (script) => {
      expect(ids({ params: { SCRIPT_FILENAME: script } })).toEqual([]);
    },
  );
});

describe('cve-2019-11043', () => {
  const probe = (options: ExchangeOptions): Finding | undefined => {
    const trigger = CASES.find(([id]) => id === 'cve-2019-11043')![1];
    return of('cve-2019-11043', { ...trigger, ...options });
  };

  it('is as grave as what came of it', () => {
    expect(probe({})!.severity).toBe('warning');
    expect(probe({ outcome: 'backend-reset' })!.severity).toBe('error');
    const answered = (version: string) =>
      probe({ outcome: 'completed', stdout: `Status: 404 No\r\nX-Powered-By: PHP/${version}\r\n\r\nno` })!.severity;
    expect(
      ['7.1.32', '7.1.33', '7.2.23', '7.2.24', '7.3.10', '7.3.11', '7.4.0', '8.2.35', '5.6.40'].map(answered),
    ).toEqual(['warning', 'note', 'warning', 'note', 'warning', 'note', 'note', 'note', 'warning']);
  });
});

describe('cve-2025-23016', () => {
  const trigger = CASES.find(([id]) => id === 'cve-2025-23016')![1];

  it('gives the two lengths', () => {
    expect(of('cve-2025-23016', trigger)!.detail).toContain('a name of 2147483647 and a value of 2147483647 bytes');
  });

  it('believes nothing that follows a hole', () => {
    const records = { total: 3, gaps: 1, problems: 1 };
    expect(ids({ ...trigger, override: { ...trigger.override, records } })).not.toContain('cve-2025-23016');
  });
});

describe('pathinfo-upload-exec', () => {
  it('is a note where it was refused', () => {
    const params = { SCRIPT_FILENAME: '/srv/www/uploads/a.jpg/x.php' };
    const refused = { params, stdout: 'Status: 403 No\r\nContent-Type: a/b\r\n\r\nno' };
    expect(of('pathinfo-upload-exec', refused)!.severity).toBe('note');
    expect(of('pathinfo-upload-exec', { params })!.severity).toBe('error');
  });
});

describe('response-splitting', () => {
  it('sees what was left inside a value', () => {
    for (const character of ['\0', '\r'])
      expect(of('response-splitting', { stdout: `X-A: b${character}c\r\nContent-Type: a/b\r\n\r\nx` })).toMatchObject({
        severity: 'warning',
      });
  });
});

describe('script-filename-traversal', () => {
  it.each(['/srv/www/a\u0000.php', '/srv/www/..\\..\\a.php', '/srv/www/%2e%2e/a.php', '/srv/www/a\n.php'])(
    '%j',
    (script) => {
      expect(ids({ params: { SCRIPT_FILENAME: script } })).toEqual(['script-filename-traversal']);
    },
  );

  it.each(['/srv/www/a..b.php', '/srv/www/100%/a.php', '/srv/www/50%20off.php'])('not %j', (script) => {
    expect(ids({ params: { SCRIPT_FILENAME: script } })).toEqual([]);
  });
});

describe('header-name-collision', () => {
  const twice = (name: string): Finding | undefined =>
    of('header-name-collision', {
      allParams: [
        { name, value: 'one' },
        { name, value: 'two' },
      ],
    });

  it('is a note for X-Forwarded-For, which each proxy may add', () => {
    expect(twice('HTTP_X_FORWARDED_FOR')!.severity).toBe('note');
    expect(twice('HTTP_HOST')!.severity).toBe('warning');
    expect(twice('HTTP_COOKIE')).toBeUndefined();
  });

  it('does not quote credentials', () => {
    expect(twice('HTTP_AUTHORIZATION')!.detail).not.toContain('one');
  });

  it('sees two lengths of the body', () => {
    expect(ids({ params: { CONTENT_LENGTH: '5', HTTP_CONTENT_LENGTH: '50' } })).toContain('header-name-collision');
    expect(ids({ params: { CONTENT_LENGTH: '', HTTP_CONTENT_LENGTH: '50' } })).not.toContain('header-name-collision');
  });
});

describe('remote-user-spoof', () => {
  it('wonders at an application that still asks', () => {
    const stdout = 'Status: 401 No\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Type: a/b\r\n\r\nno';
    const ask = (SERVER_SOFTWARE: string) =>
      ids({ params: { SERVER_SOFTWARE, REMOTE_USER: 'kim', HTTP_AUTHORIZATION: `Basic ${btoa('kim:x')}` }, stdout });
    expect(ask('nginx/1.22.1')).toEqual(['remote-user-spoof']);
    expect(ask('lighttpd/1.4.69')).toEqual([]);
  });
});

describe('fpm-status-exposed', () => {
  it.each(['{"pool":"www",', '<?xml version="1.0" ?>\n<status>\n<pool>www', '# HELP phpfpm_up'])('%j', (body) => {
    const params = { REMOTE_ADDR: '2001:db8::1' };
    expect(ids({ params, stdout: `Content-Type: a/b\r\n\r\n${body}` })).toEqual(['fpm-status-exposed']);
  });

  it('looks behind a proxy', () => {
    const seen = (REMOTE_ADDR: string, HTTP_X_FORWARDED_FOR: string) =>
      ids({ params: { REMOTE_ADDR, HTTP_X_FORWARDED_FOR }, stdout: 'Content-Type: a/b\r\n\r\n{"pool":"www"' });
    expect(seen('127.0.0.1', '203.0.113.7, 10.0.0.1')).toEqual(['fpm-status-exposed']);
    expect(seen('127.0.0.1', '10.1.1.1')).toEqual([]);
  });
});

describe('credentials-in-params', () => {
  it.each([
    'DB_PASSWORD',
    'MYSQL_PWD',
    'AWS_SECRET_ACCESS_KEY',
    'APP_KEY',
    'CLIENT_SECRET',
    'GITHUB_TOKEN',
    'DATABASE_URL',
    'SMTP_PASS',
  ])('knows %s, and does not quote its value', (name) => {
    const [finding] = findings({ params: { [name]: 'hunter22' } });
    expect(finding).toMatchObject({ id: 'credentials-in-params', severity: 'note' });
    expect(finding!.detail).toContain(name);
    expect(JSON.stringify(finding)).not.toContain('hunter22');
  });

  it('is a warning where it leaves the machine', () => {
    const override = {
      client: { kind: 'tcp', host: '172.18.0.4', port: 40_000 },
      server: { kind: 'tcp', host: '172.18.0.3', port: 9000 },
    } as const;
    expect(findings({ params: { DB_PASSWORD: 'x' }, override })[0]!.severity).toBe('warning');
  });

  it('lets an authorizer have the password that it is asked about', () => {
    expect(ids({ params: { REMOTE_PASSWD: 'x' }, override: { role: 'authorizer' } })).not.toContain(
      'credentials-in-params',
    );
  });

  it('sees passwords in URLs', () => {
    const asked = (QUERY_STRING: string) => ids({ params: { QUERY_STRING } });
    expect(asked('user=kim&password=x')).toEqual(['credentials-in-params']);
    expect(asked('q=forgot+password')).toEqual([]);
    expect(asked('password=&a=b')).toEqual([]);
  });
});

describe('isPublicAddress', () => {
  it.each(['8.8.8.8', '203.0.113.7', '172.32.0.1', '100.128.0.1', '2001:db8::1', '::ffff:8.8.8.8'])('%s is', (host) => {
    expect(isPublicAddress(host)).toBe(true);
  });

  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.1.1',
    '0.0.0.0',
    '224.0.0.1',
    '::1',
    'fe80::1',
    'fd00::1',
    '::ffff:10.0.0.1',
    'localhost',
    '',
    '1.2.3',
    '1.2.3.999',
  ])('%s is not', (host) => {
    expect(isPublicAddress(host)).toBe(false);
  });
});
