import { FORM, type Recording } from '../recording.js';
import { startApache, startCaddy, startLighttpd, startPhpCgi, startPhpFpm, writeRelay } from '../servers.js';
import type { Studio } from '../studio.js';

/** How long the client of the request that is never answered waits. */
const PATIENCE_MS = 1_500;

/** The other web servers, each with its own habits. */
export const WEB_SERVERS: readonly Recording[] = [
  {
    file: 'lighttpd-php-cgi.pcap',
    shows: 'lighttpd to php-cgi, a connection per request',
    look: 'no padding in what lighttpd sends; "No input file specified." instead of "Primary script unknown"',
    servers: ['lighttpd', 'php-cgi', 'tcpdump'],
    ports: [9000],
    connections: 4,
    requests: 4,
    outcomes: { completed: 4 },
    record: async (studio) => {
      await startPhpCgi(studio);
      await startLighttpd(
        studio,
        'fastcgi.server = ( ".php" => (( "host" => "127.0.0.1", "port" => 9000, "check-local" => "disable" )) )',
      );
      await studio.capture(() => some(studio), [9000]);
    },
  },
  {
    file: 'apache-proxy-fcgi.pcap',
    shows: 'Apache mod_proxy_fcgi to PHP-FPM, a connection per request',
    look: 'a segment per record, STDIN in records of 8 192 bytes, SCRIPT_FILENAME begins with "proxy:fcgi://" where ProxyPassMatch passed the request on',
    servers: ['apache', 'php-fpm', 'tcpdump'],
    ports: [9000],
    connections: 5,
    requests: 5,
    outcomes: { completed: 5 },
    record: async (studio) => {
      await startPhpFpm(studio);
      await startApache(
        studio,
        ['proxy', 'proxy_fcgi'],
        `ProxyPassMatch "^/passed/(.*\\.php)$" "fcgi://127.0.0.1:9000/srv/www/$1"
<FilesMatch "\\.php$">
  SetHandler "proxy:fcgi://127.0.0.1:9000"
</FilesMatch>`,
      );
      await studio.capture(async () => {
        await some(studio);
        await studio.expect(200, '/passed/index.php');
      }, [9000]);
    },
  },
  {
    file: 'apache-proxy-fcgi-reuse.pcap',
    shows: 'Apache mod_proxy_fcgi with enablereuse=on: a kept connection',
    look: 'FCGI_KEEP_CONN is set, one connection carries all requests',
    servers: ['apache', 'php-fpm', 'tcpdump'],
    ports: [9000],
    connections: 1,
    requests: 4,
    outcomes: { completed: 4 },
    record: async (studio) => {
      await startPhpFpm(studio);
      const apache = await startApache(
        studio,
        ['proxy', 'proxy_fcgi'],
        `<Proxy "fcgi://127.0.0.1:9000/" enablereuse=on max=1>
</Proxy>
<FilesMatch "\\.php$">
  SetHandler "proxy:fcgi://127.0.0.1:9000/"
</FilesMatch>
ServerLimit 1
StartServers 1
ThreadsPerChild 4
MaxRequestWorkers 4
MinSpareThreads 1
MaxSpareThreads 4`,
      );
      await studio.capture(async () => {
        await some(studio);
        await apache.stop();
      }, [9000]);
    },
  },
  {
    file: 'apache-mod-fcgid.pcap',
    shows:
      'Apache mod_fcgid, which speaks over a Unix socket to an application that it spawned: here a relay to php-cgi on TCP, on which tcpdump listened',
    look: 'STDIN in records of any length up to 7 796 bytes, all of it in one segment with BEGIN_REQUEST and PARAMS; a script that does not exist is answered by Apache itself',
    servers: ['apache', 'mod_fcgid', 'php-cgi', 'tcpdump'],
    ports: [9000],
    connections: 3,
    requests: 3,
    outcomes: { completed: 3 },
    record: async (studio) => {
      await startPhpCgi(studio);
      await startApache(
        studio,
        ['fcgid'],
        `FcgidIPCDir /srv/run
FcgidProcessTableFile /srv/run/fcgid_shm
FcgidMaxRequestLen 1000000
AddHandler fcgid-script .php
FcgidWrapper ${writeRelay()} .php`,
      );
      await studio.capture(() => some(studio), [9000]);
    },
  },
  {
    file: 'caddy-php-fpm.pcap',
    shows: 'Caddy php_fastcgi to PHP-FPM, a connection per request',
    look: 'a segment per record; Caddy ends each connection, with RST where bytes were left unread',
    servers: ['caddy', 'php-fpm', 'tcpdump'],
    ports: [9000],
    connections: 4,
    requests: 4,
    outcomes: { completed: 4 },
    record: async (studio) => {
      await startPhpFpm(studio);
      await startCaddy(studio, '  php_fastcgi 127.0.0.1:9000');
      await studio.capture(() => some(studio), [9000]);
    },
  },
  {
    file: 'caddy-chunked-upload.pcap',
    shows: 'a chunked upload through Caddy: CONTENT_LENGTH is -1, and PHP-FPM never answers',
    look: 'the param CONTENT_LENGTH; STDIN has ended, and nothing comes. Caddy does not even notice that its client leaves after 1.5 s: the capture ends with the request open',
    servers: ['caddy', 'php-fpm', 'tcpdump'],
    ports: [9000],
    connections: 1,
    requests: 1,
    outcomes: { unfinished: 1 },
    record: async (studio) => {
      await startPhpFpm(studio);
      await startCaddy(studio, '  php_fastcgi 127.0.0.1:9000');
      await studio.capture(async () => {
        await studio.expect(null, '/form.php', {
          body: 'name=chunked',
          headers: { 'content-type': FORM, 'transfer-encoding': 'chunked' },
          onLeave: (leave) => setTimeout(leave, PATIENCE_MS),
        });
        await studio.pause(300);
      }, [9000]);
    },
  },
];

/** Four requests that each web server passes on. */
async function some(studio: Studio): Promise<void> {
  await studio.expect(200, '/index.php?page=2');
  await studio.expect(200, '/form.php', {
    body: `message=${'x'.repeat(20_000)}`,
    headers: { 'content-type': FORM, cookie: 'session=5f2b7c0e9a' },
  });
  await studio.get('/no-such-page.php');
  await studio.expect(200, '/large.php?kb=12');
}
