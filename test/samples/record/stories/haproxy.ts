import { startApplication } from '../../../../src/demo/application.js';
import type { Recording } from '../recording.js';
import { startHaproxy, startPhpFpm } from '../servers.js';

/** HAProxy, the only web server that multiplexes and that sends ABORT_REQUEST. */
export const HAPROXY: readonly Recording[] = [
  {
    file: 'haproxy-keep-conn.pcap',
    shows: 'HAProxy with option keep-conn to PHP-FPM: one connection, the request ids counted up',
    look: 'ids 1, 3, 5, 7 on one connection, which HAProxy ends with RST when it stops',
    servers: ['haproxy', 'php-fpm', 'tcpdump'],
    ports: [9000],
    connections: 1,
    requests: 4,
    outcomes: { completed: 4 },
    record: async (studio) => {
      await startPhpFpm(studio);
      const haproxy = await startHaproxy(studio, { app: '  option keep-conn', backend: '  http-reuse always' });
      await studio.capture(async () => {
        for (const page of [1, 2, 3]) await studio.expect(200, `/index.php?page=${page}`);
        await studio.expect(200, '/large.php?kb=12');
        await haproxy.stop('SIGUSR1');
      }, [9000]);
    },
  },
  {
    file: 'haproxy-multiplexed.pcap',
    shows:
      'HAProxy with option mpxs-conns to an application that multiplexes (the application of `fcgi-inspect demo`): requests at the same time on one connection',
    look: 'GET_VALUES and its answer FCGI_MPXS_CONNS=1, then STDOUT records of several ids in turn',
    servers: ['haproxy', 'demo', 'tcpdump'],
    ports: [9000],
    connections: 1,
    requests: 4,
    outcomes: { completed: 4 },
    record: async (studio) => {
      const application = await startApplication({ kind: 'tcp', host: '127.0.0.1', port: 9000 });
      try {
        const haproxy = await startHaproxy(studio, {
          app: '  option keep-conn\n  option mpxs-conns\n  option get-values',
          backend: '  http-reuse always',
        });
        await studio.capture(async () => {
          await studio.expect(200, '/index.php?page=1');
          await Promise.all([
            studio.expect(200, '/events.php?channel=a'),
            studio.expect(200, '/events.php?channel=b'),
            studio.expect(200, '/index.php?page=2'),
          ]);
          await haproxy.stop('SIGUSR1');
        }, [9000]);
      } finally {
        await application.stop();
      }
    },
  },
  {
    file: 'haproxy-abort.pcap',
    shows: 'HAProxy gives up after its server timeout and says so with ABORT_REQUEST',
    look: 'ABORT_REQUEST half a second after BEGIN_REQUEST, and RST at once after it: nobody waits for END_REQUEST',
    servers: ['haproxy', 'php-fpm', 'tcpdump'],
    ports: [9000],
    connections: 1,
    requests: 1,
    outcomes: { aborted: 1 },
    record: async (studio) => {
      await startPhpFpm(studio);
      await startHaproxy(studio, { app: '  option keep-conn', serverTimeout: '500ms' });
      await studio.capture(async () => {
        await studio.expect(504, '/sleep.php?ms=1200');
        await studio.pause(1_000);
      }, [9000]);
    },
  },
];
