import { describe, expect, it } from 'vitest';
import { logEntry } from '../../../src/diagnosis/logs/log-entry.js';
import { logHead } from '../../../src/diagnosis/logs/log-head.js';

const NOON = Date.UTC(2026, 10, 20, 12) * 1_000;

describe('heads of log lines', () => {
  it('reads nginx', () => {
    const line =
      '2026/11/20 12:00:00 [error] 123#0: *45 recv() failed (104: Connection reset by peer) while reading response header from upstream, client: 127.0.0.1, server: localhost, request: "GET /a.php?b=1 HTTP/1.1", upstream: "fastcgi://127.0.0.1:9000", host: "localhost:8080", referrer: "http://x/"';
    expect(logHead(line)).toEqual({
      product: 'nginx',
      stamp: { wall: NOON, isLocal: true, resolution: 1_000_000 },
      message: 'recv() failed (104: Connection reset by peer) while reading response header from upstream',
      facts: {
        method: 'GET',
        target: '/a.php?b=1',
        host: 'localhost:8080',
        client: '127.0.0.1',
        backend: '127.0.0.1:9000',
      },
    });
  });

  it('takes the web server’s own word of the client, not what the application wrote', () => {
    const line =
      '2026/11/20 12:00:00 [error] 1#1: *4 FastCGI sent in stderr: "x, client: 6.6.6.6, request: "GET /evil HTTP/1.1"" while reading response header from upstream, client: 127.0.0.1, server: a, request: "GET /a.php HTTP/1.1", upstream: "fastcgi://unix:/run/php.sock:", host: "a"';
    expect(logHead(line).facts).toMatchObject({ client: '127.0.0.1', target: '/a.php', backend: 'unix:/run/php.sock' });
  });

  it('reads lighttpd, old and new', () => {
    expect(
      logEntry(
        '2026-11-20 12:00:00: (gw_backend.c.2104) response not received, request sent: 512 on socket: tcp:127.0.0.1:9000 for /a.php?b=1, closing connection',
      ),
    ).toMatchObject({
      product: 'lighttpd',
      stamp: { wall: NOON, resolution: 1_000_000 },
      facts: { target: '/a.php?b=1', backend: 'tcp:127.0.0.1:9000' },
    });
    expect(
      logEntry(
        '2026-11-20 12:00:00: (mod_fastcgi.c.421) unexpected end-of-file (perhaps the fastcgi process died) on socket: unix:/run/a.sock (pid:0) for localhost:81 /a.php?',
      ),
    ).toMatchObject({ facts: { target: '/a.php', host: 'localhost:81', backend: 'unix:/run/a.sock' } });
    expect(logHead('2016-11-20 12:00:00: (mod_fastcgi.c.2543) unexpected end-of-file').product).toBe('lighttpd');
  });

  it('reads Apache, and takes the client out of the message', () => {
    expect(
      logHead(
        '[Fri Nov 20 12:00:00.123456 2026] [proxy_fcgi:error] [pid 12:tid 34] (104)Connection reset by peer: [client 127.0.0.1:40000] AH01075: Error dispatching request to localhost:9000: , referer: http://x/',
      ),
    ).toEqual({
      product: 'apache',
      stamp: { wall: NOON + 123_456, isLocal: true, resolution: 1 },
      message: '(104)Connection reset by peer: AH01075: Error dispatching request to localhost:9000: ',
      facts: { client: '127.0.0.1', clientPort: 40_000 },
    });
    expect(
      logEntry(
        '[Fri Nov 20 12:00:00.123456 2026] [proxy_fcgi:error] [pid 12:tid 34] [client ::1:40000] AH01067: Failed to read FastCGI header',
      ),
    ).toMatchObject({
      facts: { client: '::1', clientPort: 40_000 },
      messages: [{ message: { product: 'mod_proxy_fcgi' } }],
    });
    expect(
      logEntry(
        '[Fri Nov 20 12:00:00.123456 2026] [proxy:error] [pid 12] (111)Connection refused: AH00957: FCGI: attempt to connect to 127.0.0.1:9000 (localhost:9000) failed',
      ).facts,
    ).toEqual({ backend: '127.0.0.1:9000' });
  });

  it('reads PHP-FPM’s log and PHP’s error_log', () => {
    expect(
      logEntry(
        '[20-Nov-2026 12:00:00] WARNING: [pool www] child 30572 exited on signal 9 (SIGKILL) after 3.204000 seconds from start',
      ),
    ).toMatchObject({ product: 'php-fpm', stamp: { wall: NOON, isLocal: true, resolution: 1_000_000 } });
    expect(
      logHead('[20-Nov-2026 12:00:00.250000] DEBUG: pid 99, fpm_children_bury(), line 261: [pool www] x'),
    ).toMatchObject({ stamp: { wall: NOON + 250_000, resolution: 1 }, message: '[pool www] x' });
    expect(
      logEntry(
        '[20-Nov-2026 12:00:00] WARNING: [pool www] child 9, script \'/srv/a.php\' (request: "GET /a.php?b=1") execution timed out (4.1 sec), terminating',
      ).facts,
    ).toEqual({ method: 'GET', target: '/a.php?b=1', script: '/srv/a.php' });
    expect(logHead('[20-Nov-2026 12:00:00 UTC] PHP Fatal error:  x')).toMatchObject({
      product: 'php',
      stamp: { isLocal: false },
      message: 'PHP Fatal error:  x',
    });
  });

  it('reads Caddy’s JSON and its console', () => {
    const request =
      '"request":{"remote_ip":"127.0.0.1","remote_port":"40000","method":"GET","host":"localhost:8080","uri":"/a.php?b=1"}';
    expect(
      logEntry(
        `{"level":"error","ts":1795176000.25,"logger":"http.handlers.reverse_proxy","msg":"reading from backend","error":"read tcp 127.0.0.1:1->127.0.0.1:9000: read: connection reset by peer",${request}}`,
      ),
    ).toMatchObject({
      product: 'caddy',
      stamp: { wall: NOON + 250_000, isLocal: false },
      facts: { target: '/a.php?b=1', client: '127.0.0.1', clientPort: 40_000, host: 'localhost:8080' },
    });
    expect(
      logEntry(
        '{"level":"error","ts":1795176000.25,"msg":"aborting with incomplete response","error":"read tcp 127.0.0.1:41858->127.0.0.1:9000: read: connection reset by peer"}',
      ),
    ).toMatchObject({ facts: { backend: '127.0.0.1:9000', peerPort: 41_858 } });
    expect(logEntry(`2026/11/20 12:00:00.250\tERROR\thttp.log.error\tEOF\t{${request}, "status": 502}`)).toMatchObject({
      stamp: { wall: NOON + 250_000, isLocal: false, resolution: 1_000 },
      messages: [{ message: { product: 'caddy', text: 'EOF' } }],
      facts: { target: '/a.php?b=1' },
    });
    expect(logEntry('{"msg":{"a":1},"ts":[]}').messages).toEqual([]);
  });

  it('reads HAProxy’s httplog, OpenLiteSpeed and h2o', () => {
    expect(
      logHead(
        'haproxy[99]: 127.0.0.1:40000 [20/Nov/2026:12:00:00.123] www php/fpm 0/0/0/-1/30 502 217 - - SH-- 1/1/0/0/0 0/0 "GET /a.php?b=1 HTTP/1.1"',
      ),
    ).toEqual({
      product: 'haproxy',
      stamp: { wall: NOON + 123_000, isLocal: true, resolution: 1_000 },
      message: 'SH--',
      facts: { method: 'GET', target: '/a.php?b=1', client: '127.0.0.1', clientPort: 40_000 },
    });
    expect(
      logEntry('2026-11-20 12:00:00.123456 [NOTICE] [99] [T0] [127.0.0.1:40000] [STDERR] PHP Warning:  x'),
    ).toMatchObject({ product: 'openlitespeed', messages: [{}, { message: { product: 'php' } }] });
    expect(logHead('[lib/handler/fastcgi.c] in request:/a.php:I/O timeout')).toMatchObject({
      product: 'h2o',
      message: 'I/O timeout',
      facts: { target: '/a.php' },
    });
  });

  it('looks behind what journald, syslog and docker put before a line', () => {
    const line = '[20-Nov-2026 12:00:00] NOTICE: Reloading in progress ...';
    for (const frame of ['Nov 20 12:00:00 web php-fpm[9]: ', '2026-11-20T12:00:00+01:00 web php-fpm[9]: ', 'php-1  | '])
      expect(logEntry(frame + line)).toMatchObject({ product: 'php-fpm', stamp: { wall: NOON } });
  });
});
