import type { ExchangeOptions } from '../../support/exchange-fixture.js';

const HEAD = 'X-Powered-By: PHP/8.2.35\r\nContent-type: text/html; charset=UTF-8\r\n\r\n';
const page = (body: string, status = ''): string => `${status === '' ? '' : `Status: ${status}\r\n`}${HEAD}${body}`;
const said = (text: string): string => `PHP message: ${text}`;

/** Behind a balancer that speaks HTTPS with the visitor. */
const BALANCED = { HTTP_X_FORWARDED_PROTO: 'https', REQUEST_URI: '/shop/', HTTPS: null };

/** For each rule: what makes it the first finding, and the nearest thing that must not. */
export const CASES: readonly (readonly [id: string, trigger: ExchangeOptions, nearMiss: ExchangeOptions])[] = [
  [
    'primary-script-unknown',
    { stderr: 'Primary script unknown', stdout: page('File not found.\n', '404 Not Found') },
    { stderr: 'Primary concern', stdout: page('File not found.\n', '404 Not Found') },
  ],
  [
    'limit-extensions',
    {
      stderr: "Access to the script '/srv/www/a.html' has been denied (see security.limit_extensions)",
      stdout: page('Access denied.\n', '403 Forbidden'),
    },
    { stderr: 'Access to the script was asked for', stdout: page('Access denied.\n', '403 Forbidden') },
  ],
  [
    'unable-to-open-primary-script',
    {
      stderr: `${said('PHP Warning:  Unknown: failed')}\nUnable to open primary script: /srv/www/a.php (Permission denied)`,
      stdout: page('Access denied.\n', '403 Forbidden'),
    },
    { stderr: 'Unable to open the door: /srv (Permission denied)', stdout: page('Access denied.\n', '403 Forbidden') },
  ],
  [
    'no-input-file-specified',
    { stdout: page('No input file specified.\n', '404 Not Found') },
    { stdout: page('No input given.\n', '404 Not Found') },
  ],
  [
    'force-redirect-alert',
    {
      stdout: '<b>Security Alert!</b> The PHP CGI cannot be accessed directly.\n\n<p>This PHP CGI binary',
      override: {
        response: {
          status: 200,
          reason: '',
          headers: [],
          complete: true,
          length: 66,
          invalidLines: ['<b>Security Alert!</b> The PHP CGI cannot be accessed directly.'],
        },
      },
    },
    { stdout: page('<b>Security Alert!</b> Change your password.\n') },
  ],
  [
    'fcgiwrap-403',
    {
      stderr:
        'Cannot get script name, are DOCUMENT_ROOT and SCRIPT_NAME (or SCRIPT_FILENAME) set and is the script executable?\n',
      stdout: 'Status: 403 Forbidden\r\nContent-type: text/plain\r\n\r\n403',
    },
    { stderr: 'Cannot get there\n', stdout: 'Status: 403 Forbidden\r\nContent-type: text/plain\r\n\r\n403' },
  ],
  [
    'fcgiwrap-502',
    {
      stderr: 'Cannot execute script (/srv/cgi/a.sh)\n',
      stdout: 'Status: 502 Bad Gateway\r\nContent-type: text/plain\r\n\r\n502',
    },
    { stderr: 'Cannot execute query\n', stdout: 'Status: 502 Bad Gateway\r\nContent-type: text/plain\r\n\r\n502' },
  ],
  [
    'php-fatal',
    { stderr: said('PHP Fatal error:  Uncaught Error: no in /a.php:3') },
    { stderr: said('PHP Warning:  no in /a.php') },
  ],
  [
    'upload-too-large',
    {
      stderr: said(
        'PHP Warning:  PHP Request Startup: POST Content-Length of 9000000 bytes exceeds the limit of 8388608 bytes in Unknown on line 0',
      ),
    },
    { stderr: said('PHP Warning:  POST of 9000000 bytes is large') },
  ],
  [
    'upload-too-large',
    {
      stderr: said('PHP Warning:  Unknown: Input variables exceeded 1000. To increase the limit change max_input_vars'),
    },
    { stderr: said('PHP Warning:  Input variables are odd') },
  ],
  ['source-code-served', { stdout: page('<?php echo 1;') }, { stdout: page('<?xml version="1.0"?>') }],
  [
    'https-param-missing',
    { params: BALANCED, stdout: `Status: 301 Moved\r\nLocation: https://shop.example/shop/\r\n${HEAD}` },
    { params: BALANCED, stdout: `Status: 301 Moved\r\nLocation: https://shop.example/shop/1\r\n${HEAD}` },
  ],
  [
    'path-info-wrong',
    { params: { SCRIPT_NAME: '/index.php/a', PATH_INFO: '/a' }, stdout: page('Not here', '404 Not Found') },
    { params: { SCRIPT_NAME: '/index.php', PATH_INFO: '/a' }, stdout: page('Not here', '404 Not Found') },
  ],
  [
    // PHP takes the prefix away: what it answers 404 to is a page that is not there.
    'path-info-wrong',
    {
      params: { SCRIPT_FILENAME: 'proxy:fcgi://127.0.0.1:9000/srv/site.cgi' },
      stdout: 'Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\nno',
    },
    {
      params: { SCRIPT_FILENAME: 'proxy:fcgi://127.0.0.1:9000/srv/site.php' },
      stdout: 'Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\nno',
    },
  ],
  [
    'charset-or-status-200-error',
    { stdout: page('<br />\n<b>Fatal error</b>:  Uncaught Exception: no in /srv/www/a.php:2') },
    { stdout: page('<br />\n<b>Fatal errors and how to mend them</b>') },
  ],
  ['blank-page-no-stderr', { stdout: page('') }, { stdout: page(''), params: { REQUEST_METHOD: 'POST' } }],
  [
    'authorization-missing',
    {
      params: { SERVER_SOFTWARE: 'Apache/2.4.66 (Debian)' },
      stdout: 'Status: 401 Unauthorized\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Type: text/html\r\n\r\nno',
    },
    {
      params: { SERVER_SOFTWARE: 'nginx/1.22.1' },
      stdout: 'Status: 401 Unauthorized\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Type: text/html\r\n\r\nno',
    },
  ],
  ['stderr-noise', { stderr: said('PHP Warning:  no in /a.php') }, { stderr: '' }],
];
