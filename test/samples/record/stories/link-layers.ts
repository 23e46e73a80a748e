import { FORM, type Recording } from '../recording.js';
import { phpLocation, startNginx, startPhpFpm } from '../servers.js';
import type { Studio } from '../studio.js';

/** The same short story, captured in the ways that tcpdump offers. Most derived samples are made from it, too. */
export const LINK_LAYERS: readonly Recording[] = [
  short('short.pcap', 'three requests, the ones that most awkward samples are made of', ['-i', 'lo']),
  short('nanoseconds.pcap', 'times in nanoseconds', ['-i', 'lo', '--time-stamp-precision=nano']),
  short('cooked-v1.pcap', 'captured on all interfaces: Linux cooked capture v1', ['-i', 'any', '-y', 'LINUX_SLL']),
  short('cooked-v2.pcap', 'captured on all interfaces: Linux cooked capture v2', ['-i', 'any', '-y', 'LINUX_SLL2']),
  {
    ...short('ipv6.pcap', 'over IPv6', ['-i', 'lo']),
    record: (studio) => shortStory(studio, '[::1]:9000', ['-i', 'lo']),
  },
];

function short(file: string, shows: string, tcpdump: readonly string[]): Recording {
  return {
    file,
    shows,
    look: 'a GET, a form of 3 KB, a page of 20 KB; nginx to PHP-FPM',
    servers: ['nginx', 'php-fpm', 'tcpdump'],
    ports: [9000],
    connections: 3,
    requests: 3,
    outcomes: { completed: 3 },
    record: (studio) => shortStory(studio, '127.0.0.1:9000', tcpdump),
  };
}

async function shortStory(studio: Studio, address: string, tcpdump: readonly string[]): Promise<void> {
  await startPhpFpm(studio, { listen: address });
  await startNginx(studio, phpLocation('', address));
  await studio.capture(
    async () => {
      await studio.expect(200, '/index.php?page=2');
      await studio.expect(200, '/form.php', {
        body: `message=${'Lorem+ipsum+dolor+sit+amet.+'.repeat(107)}`,
        headers: { 'content-type': FORM },
      });
      await studio.expect(200, '/large.php?kb=20');
    },
    [9000],
    tcpdump,
  );
}
