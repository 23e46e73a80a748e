import { PENDING_LIMIT, Spool } from '../../src/session/spool.js';
import { temporaryFiles } from '../../src/session/spool-files.js';

/**
 * What an append costs the relay, and how much the spool takes: `npx tsx test/bench/spool.ts`. Time is counted in append() only; the
 * disk follows in between.
 */
const AT = 1_789_000_000_123_456;
const ENDPOINT = { kind: 'tcp', host: '127.0.0.1', port: 9_000 } as const;

for (const [size, count] of [
  [200, 1_000_000],
  [65_472, 16_000],
] as const) {
  const spool = new Spool({ files: temporaryFiles() });
  const channel = spool.channel(1, ENDPOINT, ENDPOINT);
  const bytes = new Uint8Array(size).fill(1);
  const batch = Math.ceil(4_000_000 / (size + 200));
  let spent = 0;
  for (let i = 0; i < count; ) {
    const begin = performance.now();
    for (let j = 0; j < batch && i < count; j += 1, i += 1) channel.append('client', i * size, 0, bytes, AT + i, -1);
    spent += performance.now() - begin;
    do await new Promise((resolve) => setTimeout(resolve, 1));
    while (spool.pending > PENDING_LIMIT / 2);
  }
  const perAppend = ((spent * 1e6) / count).toFixed(0);
  const rate = ((size * count) / spent / 1_000).toFixed(0);
  console.log(`${size} bytes: ${perAppend} ns per append, ${rate} MB/s, ${spool.status().lost} bytes lost`);
  await spool.close();
}
