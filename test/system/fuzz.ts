/**
 * The live proxy between peers that send anything, for as long as one likes. What a seed makes two peers say is always the same, and a
 * fault names its connection, which can be played alone, again and again:
 *
 *   npm run fuzz -- [--seconds 60] [--seed N] [--lanes 24] [--only LANE.INDEX]
 */
import { parseArgs } from 'node:util';
import { campaign } from '../support/fuzz/campaign.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    lanes: { type: 'string', default: '24' },
    only: { type: 'string' },
  },
});
const [lane, index] = (values.only ?? '').split('.').map(Number);
const seed = Number(values.seed);
const log = (text: string): void => console.log(text);
let failed = false;
for (const outputs of ['ndjson', 'har'] as const) {
  const { faults, connections, requests, bytes, peakMemory } = await campaign({
    seed,
    outputs,
    milliseconds: (Number(values.seconds) * 1_000) / 2,
    lanes: Number(values.lanes),
    log,
    ...(values.only === undefined ? {} : { only: { lane: lane!, index: index! } }),
  });
  log(
    `${outputs}, seed ${seed}: ${connections} connections, ${(bytes / 1e6).toFixed(0)} MB, ${requests} requests told of, ` +
      `${(peakMemory / 1024 / 1024).toFixed(0)} MB of memory at most, ${faults.length} faults`,
  );
  failed ||= faults.length > 0;
}
process.exitCode = failed ? 1 : 0;
