import { FORM, type Recording } from '../recording.js';
import { phpLocation, startNginx, startPhpFpm } from '../servers.js';
import type { Studio } from '../studio.js';

const UPLOAD_BYTES = 100_000;

/** nginx in front of PHP-FPM, when all goes well. */
export const NGINX: readonly Recording[] = [
  {
    file: 'nginx-php-fpm.pcap',
    shows: 'nginx to PHP-FPM, a connection per request: the usual way',
    look: 'a GET with a query, a form, a script that does not exist ("Primary script unknown" on STDERR), a warning on STDERR, a redirect, a page of 40 KB',
    servers: ['nginx', 'php-fpm', 'tcpdump'],
    ports: [9000],
    connections: 6,
    requests: 6,
    outcomes: { completed: 6 },
    record: async (studio) => {
      await startPhpFpm(studio);
      await startNginx(studio, phpLocation());
      await studio.capture(() => ordinary(studio), [9000]);
    },
  },
  {
    file: 'nginx-upload.pcap',
    shows: 'an upload of 100 KB from nginx to PHP-FPM',
    look: 'STDIN in records of 32 768 bytes; the answer begins when STDIN has ended',
    servers: ['nginx', 'php-fpm', 'tcpdump'],
    ports: [9000],
    connections: 1,
    requests: 1,
    outcomes: { completed: 1 },
    record: async (studio) => {
      await startPhpFpm(studio);
      await startNginx(studio, phpLocation());
      await studio.capture(async () => {
        await studio.expect(200, '/upload.php', {
          body: Uint8Array.from({ length: UPLOAD_BYTES }, (_, at) => (at * 7) & 0xff),
          headers: { 'content-type': 'application/octet-stream' },
        });
      }, [9000]);
    },
  },
  {
    file: 'nginx-keep-conn.pcap',
    shows: 'nginx with fastcgi_keep_conn on: one connection for all requests',
    look: 'the same request id again and again on one connection, which nginx ends when it stops',
    servers: ['nginx', 'php-fpm', 'tcpdump'],
    ports: [9000],
    connections: 1,
    requests: 6,
    outcomes: { completed: 6 },
    record: async (studio) => {
      await startPhpFpm(studio);
      const nginx = await startNginx(
        studio,
        phpLocation('fastcgi_keep_conn on;', 'php'),
        '  upstream php { server 127.0.0.1:9000; keepalive 4; }',
      );
      await studio.capture(async () => {
        await ordinary(studio);
        await nginx.stop('SIGQUIT');
      }, [9000]);
    },
  },
  {
    file: 'nginx-streamed-response.pcap',
    shows: 'server-sent events: the backend flushes a record every 100 ms',
    look: 'STDOUT records spread over half a second: first STDOUT and last STDOUT are far apart',
    servers: ['nginx', 'php-fpm', 'tcpdump'],
    ports: [9000],
    connections: 1,
    requests: 1,
    outcomes: { completed: 1 },
    record: async (studio) => {
      await startPhpFpm(studio);
      await startNginx(studio, phpLocation());
      await studio.capture(async () => {
        await studio.expect(200, '/stream.php?lines=5&ms=100');
      }, [9000]);
    },
  },
  {
    file: 'stderr-interleaved.pcap',
    shows: 'STDERR between STDOUT, and a fatal error',
    look: 'STDOUT and STDERR records in turn within one request; then a 500 with the stack trace on STDERR',
    servers: ['nginx', 'php-fpm', 'tcpdump'],
    ports: [9000],
    connections: 2,
    requests: 2,
    outcomes: { completed: 2 },
    record: async (studio) => {
      await startPhpFpm(studio);
      await startNginx(studio, phpLocation());
      await studio.capture(async () => {
        await studio.expect(200, '/interleaved.php');
        await studio.expect(500, '/fatal.php');
      }, [9000]);
    },
  },
  {
    file: 'nginx-fcgiwrap.pcap',
    shows: 'nginx to fcgiwrap (libfcgi), which runs a CGI program',
    look: 'the empty STDOUT and STDERR records that PHP-FPM never sends',
    servers: ['nginx', 'fcgiwrap', 'tcpdump'],
    ports: [9002],
    connections: 1,
    requests: 1,
    outcomes: { completed: 1 },
    record: async (studio) => {
      // Not on the port of the others: it does not reuse one that is in TIME_WAIT.
      await studio.start('fcgiwrap', 'fcgiwrap', ['-f', '-s', 'tcp:127.0.0.1:9002'], [9002]);
      await startNginx(
        studio,
        '    location ~ \\.cgi$ { include /etc/nginx/fastcgi.conf; fastcgi_pass 127.0.0.1:9002; }',
      );
      await studio.capture(async () => {
        await studio.expect(200, '/cgi/hello.cgi?world');
      }, [9002]);
    },
  },
];

/** Six requests, each with something of its own. */
export async function ordinary(studio: Studio): Promise<void> {
  await studio.expect(200, '/index.php?page=2');
  await studio.expect(200, '/form.php', {
    body: 'name=J%C3%BCrgen&message=a+b&password=correct+horse',
    headers: { 'content-type': FORM, cookie: 'session=5f2b7c0e9a' },
  });
  await studio.expect(404, '/no-such-page.php');
  await studio.expect(200, '/warning.php');
  await studio.expect(302, '/redirect.php');
  await studio.expect(200, '/large.php?kb=40');
}
