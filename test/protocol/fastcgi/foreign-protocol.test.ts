import { expect, it } from 'vitest';
import { foreignMessage, foreignProtocol } from '../../../src/protocol/fastcgi/foreign-protocol.js';

const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const head = (text: string): Uint8Array => latin1(text).subarray(0, 8);

it.each([
  ['GET / HTTP/1.1\r\n', 'an HTTP request'],
  ['OPTIONS * HTTP/1.1\r\n', 'an HTTP request'],
  ['PROPFIND / HTTP/1.1\r\n', 'an HTTP request'],
  ['HTTP/1.1 502 Bad Gateway\r\n', 'an HTTP response'],
  ['PRI * HTTP/2.0\r\n\r\n', 'an HTTP/2 request'],
  ['\x16\x03\x01\x02\x00\x01\x00\x01', 'a TLS record'],
  ['\x15\x03\x03\x00\x02\x02\x28', 'a TLS record'],
  ['SSH-2.0-OpenSSH_9.2\r\n', 'an SSH banner'],
  ['70:CONTENT_LENGTH\x0027\x00', 'an SCGI request'],
  ['\x00\x1a\x01\x00\x0e\x00REQUEST_METHOD', 'a uwsgi request'],
  ['\x12\x34\x01\x00\x02\x02\x00\x08', 'an AJP packet'],
  ['AB\x00\x02\x05\x01', 'an AJP packet'],
  ['PROXY TCP4 192.0.2.1', 'a PROXY protocol v1 header'],
  ['\r\n\r\n\x00\r\nQUIT\n', 'a PROXY protocol v2 header'],
  ['Content-Type: text/html\r\n', 'a CGI response without FastCGI records'],
  ['Status: 200 OK\r\n', 'a CGI response without FastCGI records'],
  ['X-Powered-By: PHP/8.2\r\n', 'a CGI response without FastCGI records'],
  ['PHP Warning:  Module', 'a PHP message'],
  ['<br />\n<b>Warning</b>', 'a PHP message'],
  ['<!DOCTYPE html>', 'HTML or XML'],
  ['<?xml version="1.0"?>', 'HTML or XML'],
  ['\n<html>', 'HTML or XML'],
  ['{"error":1}', 'JSON'],
  ['[{"a":1}]', 'JSON'],
  ['\x4a\0\0\0\n8.0.36\0', 'a MySQL greeting'],
  ['\0\0\0\x54\0\x03\0\0user\0', 'a PostgreSQL start-up message'],
  ['\0\0\0\x08\x04\xd2\x16\x2f', 'a PostgreSQL start-up message'],
  ['*3\r\n$3\r\nSET', 'a Redis command'],
  ['PING\r\n', 'a Redis command'],
  ['220 mail.example.org ESMTP', 'an SMTP or FTP greeting'],
  ['EHLO example.org\r\n', 'an SMTP command'],
  ['+OK ready\r\n', 'a POP3 greeting'],
  ['* OK [CAPABILITY]', 'an IMAP greeting'],
  ['\x10\x0c\0\x04MQTT', 'an MQTT packet'],
  ['AMQP\0\0\x09\x01', 'an AMQP header'],
  ['RFB 003.008\n', 'a VNC greeting'],
  ['\x13BitTorrent protocol', 'a BitTorrent handshake'],
  ['\0\0\x12\x04\0\0\0\0\0', 'an HTTP/2 response'],
  ['\0\x1d\x12\x34\x01\x20\0\x01', 'a DNS message'],
  ['\0\x1d\x12\x34\x81\x80\0\x01', 'a DNS message'],
  ['Listening on 9000\n', 'plain text'],
])('%j is %s', (bytes, name) => {
  expect(foreignProtocol(head(bytes))).toHaveProperty('words', name);
});

it.each([
  ['\x01\x01\x00\x01\x00\x08\x00\x00', 'BEGIN_REQUEST'],
  ['\x02\x01\x00\x01\x00\x08\x00\x00', 'BEGIN_REQUEST of version 2'],
  ['\x00\x04\x00\x01\x00\x08\x00\x00', 'PARAMS of version 0'],
  ['\x99\x88\x77\x66\x55\x44\x33\x22', 'noise'],
  ['\x00\x1a\x01\x05\x0e\x00RE', 'uwsgi with another modifier'],
  ['AB\x00\x02hello', 'letters, but text has no NUL'],
  ['\0\0\0\0\0\0\0\0', 'zeros'],
  ['\x01\x01\x01\x01\x01\x01\x01\x01', 'ones'],
])('%j is none (%s)', (bytes) => {
  expect(foreignProtocol(head(bytes))).toBeNull();
});

it.each([
  ['POST /index.php HTTP/1.1\r\nHost: a\r\n', 'HTTP'],
  ['HTTP/1.0 404 Not Found\r\n', 'HTTP'],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'HTTP/2'],
  ['\x17\x03\x03\x40\x11', 'TLS'],
  ['70:CONTENT_LENGTH\x0027\x00', 'SCGI'],
  ['\x12\x34\x01\x00\x02\x02\x00\x08', 'AJP'],
])('%j is told where a capture begins', (bytes, name) => {
  expect(foreignMessage(latin1(bytes))).toHaveProperty('protocol', name);
});

it.each([
  ['GET /a HTTP/1.1" 200 512\n', 'a line of an access log'],
  ['HTTP/1.1\x0e\x04REQUEST_SCHEMEhttp', 'the value of SERVER_PROTOCOL'],
  ['Status: 200 OK\r\n', 'the head of STDOUT'],
  ['<html>', 'a page'],
  ['\0\x27\0\0\x0e\0FCGI_MAX_CONNS', 'GET_VALUES from its length on'],
  ['', 'nothing'],
  ['\x17\x03\x03\xff\x11', 'too long for a TLS record'],
])('%j may be FastCGI from the middle: %s', (bytes) => {
  expect(foreignMessage(latin1(bytes))).toBeNull();
});
