import { expect, it } from 'vitest';
import { foreignProtocol } from '../../../src/protocol/fastcgi/foreign-protocol.js';

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
  ['Listening on 9000\n', 'plain text'],
])('%j is %s', (bytes, name) => {
  expect(foreignProtocol(head(bytes))).toBe(name);
});

it.each([
  ['\x01\x01\x00\x01\x00\x08\x00\x00', 'BEGIN_REQUEST'],
  ['\x02\x01\x00\x01\x00\x08\x00\x00', 'BEGIN_REQUEST of version 2'],
  ['\x00\x04\x00\x01\x00\x08\x00\x00', 'PARAMS of version 0'],
  ['\x99\x88\x77\x66\x55\x44\x33\x22', 'noise'],
  ['\x00\x1a\x01\x05\x0e\x00RE', 'uwsgi with another modifier'],
  ['AB\x00\x02hello', 'letters, but text has no NUL'],
])('%j is none (%s)', (bytes) => {
  expect(foreignProtocol(head(bytes))).toBeNull();
});
