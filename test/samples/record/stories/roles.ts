import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startApplication } from '../../../../src/demo/application.js';
import { BackendConnection } from '../../../../src/demo/backend-connection.js';
import { requestParams } from '../../../../src/demo/request-params.js';
import { Role } from '../../../../src/protocol/fastcgi/constants.js';
import type { Recording } from '../recording.js';
import { startApache, startLighttpd, startPerl, startPhpFpm } from '../servers.js';
import type { Studio } from '../studio.js';

const FILTERED_FILE = 'first line\nsecond line\nthird line\n';
/** More than one libfcgi buffer of 8 192 bytes, so that PARAMS take two records. */
const LONG_QUERY = 12_000;

/** Authorizers, a filter, and params that take more than one record. */
export const ROLES: readonly Recording[] = [
  {
    file: 'lighttpd-authorizer.pcap',
    shows: 'lighttpd asks an authorizer (FCGI.pm on libfcgi), which lets one user in and another not',
    look: 'the role; Variable-REMOTE_USER in the answer of 200; a STDERR line with the refusal',
    servers: ['lighttpd', 'libfcgi-perl', 'tcpdump'],
    ports: [9001],
    connections: 2,
    requests: 2,
    outcomes: { completed: 2 },
    record: async (studio) => {
      await startPerl(studio, 'authorizer.pl', 9001);
      await startLighttpd(
        studio,
        `fastcgi.server = ( "/staff/" => (( "host" => "127.0.0.1", "port" => 9001, "mode" => "authorizer",
  "docroot" => "/srv/www", "check-local" => "disable" )) )`,
      );
      await studio.capture(() => twoUsers(studio), [9001]);
    },
  },
  {
    file: 'apache-authorizer.pcap',
    shows: 'Apache mod_authnz_fcgi asks an authorizer (FCGI.pm on libfcgi), which lets one user in and another not',
    look: 'no STDIN at all; the password is among the params (REMOTE_PASSWD), which is why they are redacted',
    servers: ['apache', 'libfcgi-perl', 'tcpdump'],
    ports: [9001],
    connections: 2,
    requests: 2,
    outcomes: { completed: 2 },
    record: async (studio) => {
      await startPerl(studio, 'authorizer.pl', 9001);
      await startApache(
        studio,
        ['auth_basic', 'authn_core', 'authz_user', 'authnz_fcgi'],
        `AuthnzFcgiDefineProvider authn staff fcgi://127.0.0.1:9001/
<Location /staff/>
  AuthType Basic
  AuthName staff
  AuthBasicProvider staff
  Require valid-user
</Location>`,
      );
      await studio.capture(() => twoUsers(studio), [9001]);
    },
  },
  {
    file: 'filter.pcap',
    shows:
      'a filter, which no common web server uses: both sides are those of `fcgi-inspect demo`, on a socket of their own',
    look: 'the role, the DATA stream beside STDIN, FCGI_DATA_LENGTH among the params',
    servers: ['demo', 'tcpdump'],
    ports: [9000],
    connections: 1,
    requests: 1,
    outcomes: { completed: 1 },
    record: async (studio) => {
      const application = await startApplication({ kind: 'tcp', host: '127.0.0.1', port: 9000 });
      try {
        await studio.capture(async () => {
          const data = new TextEncoder().encode(FILTERED_FILE);
          const params = requestParams({
            uri: '/terms.txt',
            more: [
              ['FCGI_DATA_LAST_MOD', '1767225600'],
              ['FCGI_DATA_LENGTH', String(data.length)],
            ],
          });
          const connection = await BackendConnection.open(application.address);
          await connection.request({ role: Role.FILTER, params, data });
          await connection.close();
        }, [9000]);
      } finally {
        await application.stop();
      }
    },
  },
  {
    file: 'cgi-fcgi-split-params.pcap',
    shows:
      "libfcgi's cgi-fcgi with a query of 12 KB: a name-value pair split across two PARAMS records; a libfcgi application takes it, PHP-FPM resets",
    look: 'two PARAMS records, the pair QUERY_STRING begins in the first and ends in the second; port 9001 answers, port 9000 does not',
    servers: ['cgi-fcgi', 'libfcgi-perl', 'php-fpm', 'tcpdump'],
    ports: [9000, 9001],
    connections: 2,
    requests: 2,
    outcomes: { completed: 1, 'backend-reset': 1 },
    record: async (studio) => {
      await startPhpFpm(studio);
      await startPerl(studio, 'params.pl', 9001);
      await studio.capture(async () => {
        await cgiFcgi(9001);
        await cgiFcgi(9000);
      }, [9000, 9001]);
    },
  },
];

async function twoUsers(studio: Studio): Promise<void> {
  const basic = (user: string) => `Basic ${Buffer.from(`${user}:correct horse`).toString('base64')}`;
  await studio.expect(200, '/staff/prices.html', { headers: { authorization: basic('alice') } });
  await studio.expect(401, '/staff/prices.html', { headers: { authorization: basic('mallory') } });
}

/** Its whole environment becomes the params. It fails where the backend does, which is part of the story. */
async function cgiFcgi(port: number): Promise<void> {
  const child = promisify(execFile)('/usr/bin/cgi-fcgi', ['-bind', '-connect', `127.0.0.1:${port}`], {
    env: {
      GATEWAY_INTERFACE: 'CGI/1.1',
      SERVER_NAME: 'example.test',
      SERVER_PORT: '80',
      SERVER_PROTOCOL: 'HTTP/1.1',
      REQUEST_METHOD: 'GET',
      REQUEST_SCHEME: 'http',
      SCRIPT_NAME: '/index.php',
      SCRIPT_FILENAME: '/srv/www/index.php',
      REQUEST_URI: '/index.php',
      QUERY_STRING: `list=${'1234567,'.repeat(LONG_QUERY / 8)}`,
      HTTP_HOST: 'example.test',
    },
  });
  child.child.stdin?.end();
  await child.catch(() => undefined);
}
