import type { Recording } from '../recording.js';
import { phpLocation, startNginx, startPhpFpm } from '../servers.js';

const LEAVE_MS = 300;

/** What goes wrong between nginx and PHP-FPM. */
export const FAILURES: readonly Recording[] = [
  {
    file: 'backend-killed.pcap',
    shows: 'a PHP-FPM worker is killed (SIGKILL) in the middle of its response',
    look: 'STDOUT begins, then RST from the backend; no END_REQUEST. nginx passes on what came',
    servers: ['nginx', 'php-fpm', 'tcpdump'],
    ports: [9000],
    connections: 1,
    requests: 1,
    outcomes: { 'backend-reset': 1 },
    record: async (studio) => {
      await startPhpFpm(studio);
      await startNginx(studio, phpLocation());
      await studio.capture(async () => {
        await studio.get('/killed.php');
      }, [9000]);
    },
  },
  {
    file: 'backend-refused.pcap',
    shows: 'nobody listens on the backend port: each SYN is answered with RST',
    look: 'connections without a byte; nginx answers 502',
    servers: ['nginx', 'tcpdump'],
    ports: [9000],
    byPort: true,
    connections: 2,
    requests: 2,
    outcomes: { 'not-connected': 2 },
    record: async (studio) => {
      await startNginx(studio, phpLocation());
      await studio.capture(async () => {
        await studio.expect(502, '/index.php?page=1');
        await studio.expect(502, '/index.php?page=2');
      }, [9000]);
    },
  },
  {
    file: 'client-gone.pcap',
    shows: 'browsers leave: one before the answer, one while it streams',
    look: 'nginx ends the connection at once; PHP-FPM answers the first all the same and meets RST',
    servers: ['nginx', 'php-fpm', 'tcpdump'],
    ports: [9000],
    connections: 2,
    requests: 2,
    outcomes: { 'web-server-closed': 2 },
    record: async (studio) => {
      await startPhpFpm(studio);
      await startNginx(studio, phpLocation('fastcgi_buffering off;'));
      await studio.capture(async () => {
        await studio.expect(null, '/sleep.php?ms=800', { onLeave: (leave) => setTimeout(leave, LEAVE_MS) });
        await studio.pause(800);
        await studio.get('/stream.php?lines=8&ms=100', {
          onChunk: (_, before, leave) => {
            if (before > 0) leave();
          },
        });
        await studio.pause(1_000);
      }, [9000]);
    },
  },
  {
    file: 'worker-timeout.pcap',
    shows: 'request_terminate_timeout = 1s: PHP-FPM ends its own worker',
    look: 'about a second after BEGIN_REQUEST the backend resets the connection without a record',
    servers: ['nginx', 'php-fpm', 'tcpdump'],
    ports: [9000],
    connections: 1,
    requests: 1,
    outcomes: { 'backend-reset': 1 },
    record: async (studio) => {
      await startPhpFpm(studio, { pool: 'request_terminate_timeout = 1s' });
      await startNginx(studio, phpLocation());
      await studio.capture(async () => {
        await studio.get('/sleep.php?ms=5000');
      }, [9000]);
    },
  },
  {
    file: 'read-timeout.pcap',
    shows: 'fastcgi_read_timeout 1s: nginx gives up, and PHP-FPM answers nobody',
    look: 'a second of silence, then nginx ends the connection; the late answer meets RST',
    servers: ['nginx', 'php-fpm', 'tcpdump'],
    ports: [9000],
    connections: 1,
    requests: 1,
    outcomes: { 'web-server-closed': 1 },
    record: async (studio) => {
      await startPhpFpm(studio);
      await startNginx(studio, phpLocation('fastcgi_read_timeout 1s;'));
      await studio.capture(async () => {
        await studio.expect(504, '/sleep.php?ms=1500');
        await studio.pause(800);
      }, [9000]);
    },
  },
  {
    file: 'wrong-protocol.pcap',
    shows: 'proxy_pass, uwsgi_pass and scgi_pass where fastcgi_pass should stand: three other protocols at PHP-FPM',
    look: 'an HTTP request, a uwsgi packet and an SCGI netstring, each answered with RST',
    servers: ['nginx', 'php-fpm', 'tcpdump'],
    ports: [9000],
    byPort: true,
    connections: 3,
    requests: 3,
    outcomes: { undecodable: 3 },
    record: async (studio) => {
      await startPhpFpm(studio);
      await startNginx(
        studio,
        `    location /http/ { proxy_pass http://127.0.0.1:9000; }
    location /uwsgi/ { include /etc/nginx/uwsgi_params; uwsgi_pass 127.0.0.1:9000; }
    location /scgi/ { include /etc/nginx/scgi_params; scgi_pass 127.0.0.1:9000; }`,
      );
      await studio.capture(async () => {
        for (const protocol of ['http', 'uwsgi', 'scgi']) {
          await studio.expect(502, `/${protocol}/index.php`);
        }
      }, [9000]);
    },
  },
];
