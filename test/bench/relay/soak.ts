/**
 * Memory of the real program over a long session: 200 000 requests through nginx, with and without kept connections, among them ones that
 * fail. With limits that are reached before the 50 000th request, memory at the end must be what it was then. Ends 1 when it is not.
 *
 *   npm run bench:soak
 */
import { load, median, memoryOf, Rig } from './rig.js';

const EARLY = 50_000;
const LATE = 200_000;
const KEPT_REQUESTS = '10000';
/** What V8 may leave uncollected at one moment and not at another. */
const SLACK = 1.15;

const rig = new Rig();
try {
  const { port, pid } = await rig.inspector(await rig.backend(), false, [
    '--max-requests',
    KEPT_REQUESTS,
    '--max-spool',
    '32MB',
  ]);
  const base = await rig.nginx([port]);
  let requests = 0;
  const until = async (count: number): Promise<number> => {
    const samples: number[] = [];
    while (requests < count) {
      for (const path of ['/kept0/', '/new0/', '/new0/?fail', '/kept0/?fail']) {
        requests += (await load(base + path, 16, 2)).requests;
        samples.push(memoryOf(pid));
      }
    }
    return median(samples.slice(-8));
  };
  const early = await until(EARLY);
  const at = requests;
  const late = await until(LATE);
  const grown = late > early * SLACK;
  console.log(
    `after ${at} requests ${(early / 1e6).toFixed(0)} MB, after ${requests} ${(late / 1e6).toFixed(0)} MB${grown ? '  TARGET MISSED' : ''}`,
  );
  if (grown) process.exitCode = 1;
} finally {
  await rig.close();
}
