import type { Problem } from '../../../src/model/exchange.js';
import { decodePairs } from '../../../src/protocol/fastcgi/name-value.js';
import { BEGIN, type ExchangeOptions } from '../../support/exchange-fixture.js';

const PROBE = {
  REQUEST_URI: '/a.php/PHP%0Ais_the_shittiest_lang.php?QQQQ',
  SCRIPT_FILENAME: '/srv/www/a.php/PHP\nis_the_shittiest_lang.php',
  PATH_INFO: '',
};
const STATUS_PAGE =
  'Content-type: text/plain;charset=UTF-8\r\n\r\npool:                 www\nprocess manager:      static\n';

/** What the decoder says of a pair with these two lengths, behind one that can be read. */
function pairWithLengths(name: number, value: number): ExchangeOptions {
  const length = (n: number) => [(n >>> 24) | 0x80, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff];
  const bytes = Uint8Array.from([1, 1, 65, 66, ...length(name), ...length(value), 67, 68]);
  const { problem } = decodePairs(bytes);
  if (problem === null) throw new Error('the pair can be read');
  const told: Problem = { ...problem, at: BEGIN, side: 'client', length: 10 };
  return { outcome: 'backend-closed', stdout: '', override: { paramsComplete: false, problems: [told] } };
}

/** For each rule: what makes it fire, and the nearest thing that must not. */
export const CASES: readonly (readonly [id: string, trigger: ExchangeOptions, nearMiss: ExchangeOptions])[] = [
  ['httpoxy', { params: { HTTP_PROXY: 'http://evil.example:80' } }, { params: { HTTP_PROXY: '' } }],
  [
    'php-value-injection',
    { params: { PHP_VALUE: 'auto_prepend_file = php://input', PHP_ADMIN_VALUE: 'allow_url_include = On' } },
    { params: { SERVER_SOFTWARE: 'nginx/1.22.1', PHP_VALUE: 'auto_prepend_file=/srv/www/waf.php\nmemory_limit=256M' } },
  ],
  [
    'exposed-fastcgi-port',
    {
      override: {
        client: { kind: 'tcp', host: '203.0.113.7', port: 40_000 },
        server: { kind: 'tcp', host: '10.0.0.3', port: 9000 },
      },
    },
    {
      override: {
        client: { kind: 'tcp', host: '172.18.0.4', port: 40_000 },
        server: { kind: 'tcp', host: '172.18.0.3', port: 9000 },
      },
    },
  ],
  ['cve-2025-23016', pairWithLengths(0x7fffffff, 0x7fffffff), pairWithLengths(12, 0x3fffffff)],
  [
    'cve-2019-11043',
    { params: PROBE, outcome: 'unfinished', stdout: '' },
    { params: { ...PROBE, PATH_INFO: null }, outcome: 'unfinished', stdout: '' },
  ],
  [
    'pathinfo-upload-exec',
    { params: { SCRIPT_FILENAME: '/srv/www/uploads/a.jpg/x.php' } },
    { params: { SCRIPT_FILENAME: '/srv/www/shop.com/a.jpg.php' } },
  ],
  [
    'response-splitting',
    {
      params: { REQUEST_URI: '/go.pl?to=/x%0d%0aSet-Cookie:%20admin=1' },
      stdout: 'Content-Type: text/html\r\nRefresh: 0;url=/x\r\nSet-Cookie: admin=1\r\n\r\nbody',
    },
    {
      params: { REQUEST_URI: '/go.pl?to=/x%0d%0aSet-Cookie:%20admin=1' },
      stdout: 'Content-Type: text/html\r\nRefresh: 0;url=/x\r\nSet-Cookie: session=1\r\n\r\nbody',
    },
  ],
  [
    'script-filename-traversal',
    { params: { SCRIPT_FILENAME: '/srv/www/../../etc/passwd' } },
    { params: { SCRIPT_FILENAME: '/srv/app/../www/a.php', DOCUMENT_ROOT: '/srv/app/../www' } },
  ],
  [
    'header-name-collision',
    {
      allParams: [
        { name: 'REQUEST_METHOD', value: 'GET' },
        { name: 'HTTP_X_REAL_IP', value: '203.0.113.7' },
        { name: 'HTTP_X_REAL_IP', value: '127.0.0.1' },
      ],
    },
    {
      allParams: [
        { name: 'REQUEST_METHOD', value: 'GET' },
        { name: 'HTTP_X_REAL_IP', value: '127.0.0.1' },
        { name: 'HTTP_X_REAL_IP', value: '127.0.0.1' },
      ],
    },
  ],
  [
    'remote-user-spoof',
    {
      params: { SERVER_SOFTWARE: 'nginx/1.22.1', REMOTE_USER: 'admin', HTTP_AUTHORIZATION: `Basic ${btoa('admin:')}` },
    },
    {
      params: { SERVER_SOFTWARE: 'nginx/1.22.1', REMOTE_USER: 'admin', HTTP_AUTHORIZATION: `Basic ${btoa('admin:x')}` },
    },
  ],
  [
    'fpm-status-exposed',
    { params: { REMOTE_ADDR: '203.0.113.7', SCRIPT_FILENAME: '/fpm-status' }, stdout: STATUS_PAGE },
    { params: { REMOTE_ADDR: '10.0.0.7', SCRIPT_FILENAME: '/fpm-status' }, stdout: STATUS_PAGE },
  ],
  [
    'credentials-in-params',
    { params: { QUERY_STRING: 'user=ann&newPasswordAgain=x&user[password]=hunter2' } },
    { params: { QUERY_STRING: 'passwordless=1&passwords=2' } },
  ],
  [
    'credentials-in-params',
    { params: { DB_PASSWORD: 'hunter22' } },
    {
      params: {
        HTTP_COOKIE: 'session=1',
        HTTP_AUTHORIZATION: 'Bearer x',
        HTTP_X_API_KEY: 'k',
        SSL_SERVER_A_KEY: 'rsa',
      },
    },
  ],
];
