/**
 * The proxy against a bare two-socket relay and against no relay at all: requests per second and p99 latency of small responses, with
 * a connection per request and with kept connections, and MB/s of large ones; recording and decoding are on. The variants take turns
 * within each round and the order rotates, so that a machine whose speed drifts treats them alike: the ratios are what counts. Ends 1
 * when a target is missed.
 *
 *   npm run bench:relay -- [rounds] [seconds per measurement] [connections]
 */
import { cpuOf, load, median, Rig } from './rig.js';

const [rounds = 5, seconds = 3, connections = 16] = process.argv.slice(2).map(Number);

const VARIANTS = ['direct', 'bare', 'fcgi-inspect', 'fcgi-inspect with TUI'] as const;
type Variant = (typeof VARIANTS)[number];
const CASES = ['connection per request', 'kept connections', 'large bodies'] as const;
type Case = (typeof CASES)[number];
const BODY = 64;
const MEGABYTES = BODY * 1.048576;

/** To reach, as ratios to the bare relay. */
const LEAST_RATE = 0.9;
const MOST_P99 = 1.25;

interface Measured {
  readonly rate: number;
  readonly p99: number;
  /** CPU microseconds of the relay per request; per MB for large bodies. */
  readonly cpu: number;
}

const rig = new Rig();
try {
  await main();
} finally {
  await rig.close();
}

async function main(): Promise<void> {
  const sites: { readonly variant: Variant; readonly port: number; readonly pid: number | null }[] = [];
  for (const variant of VARIANTS) {
    const backend = await rig.backend();
    if (variant === 'direct') sites.push({ variant, port: backend, pid: null });
    else if (variant === 'bare') sites.push({ variant, ...(await rig.bareRelay(backend)) });
    else sites.push({ variant, ...(await rig.inspector(backend, variant === 'fcgi-inspect with TUI')) });
  }
  const base = await rig.nginx(sites.map((site) => site.port));
  const results = new Map<string, Measured[]>();
  for (let round = 0; round < rounds; round++)
    for (const which of CASES)
      for (let turn = 0; turn < sites.length; turn++) {
        const index = (turn + round) % sites.length;
        const { variant, pid } = sites[index]!;
        const measured = await measure(which, base, index, pid);
        const key = `${which}/${variant}`;
        results.set(key, [...(results.get(key) ?? []), measured]);
        process.stderr.write(
          `round ${round + 1}/${rounds} ${key}: ${measured.rate.toFixed(0)}, p99 ${measured.p99.toFixed(2)} ms\n`,
        );
      }
  report(results);
}

async function measure(which: Case, base: string, index: number, pid: number | null): Promise<Measured> {
  const large = which === 'large bodies';
  const path = which === 'kept connections' ? `/kept${index}/` : large ? `/new${index}/?mb=${BODY}` : `/new${index}/`;
  const before = pid === null ? 0 : cpuOf(pid);
  const { requests, perSecond, p99 } = await load(base + path, large ? 2 : connections, seconds);
  const cpu = ((pid === null ? 0 : cpuOf(pid)) - before) / requests;
  return large ? { rate: perSecond * MEGABYTES, p99, cpu: cpu / MEGABYTES } : { rate: perSecond, p99, cpu };
}

function report(results: ReadonlyMap<string, readonly Measured[]>): void {
  console.log(
    `\n${rounds} rounds of ${seconds} s, ${connections} connections; medians, and medians of the ratios to the bare relay in the same round`,
  );
  for (const which of CASES) {
    const unit = which === 'large bodies' ? 'MB/s' : 'req/s';
    const heads = [
      unit.padStart(10),
      'ratio'.padStart(8),
      'p99 ms'.padStart(10),
      'ratio'.padStart(8),
      'cpu µs'.padStart(10),
    ];
    console.log(`\n${which}\n${'variant'.padEnd(24)}${heads.join('')}`);
    const bare = results.get(`${which}/bare`)!;
    for (const variant of VARIANTS) {
      const own = results.get(`${which}/${variant}`)!;
      const ratio = (figure: keyof Measured): number =>
        median(own.map((each, round) => each[figure] / bare[round]![figure]));
      const missed =
        variant.startsWith('fcgi-inspect') &&
        (ratio('rate') < LEAST_RATE || (which !== 'large bodies' && ratio('p99') > MOST_P99));
      if (missed) process.exitCode = 1;
      const figures = [
        median(own.map((each) => each.rate))
          .toFixed(0)
          .padStart(10),
        ratio('rate').toFixed(2).padStart(8),
        median(own.map((each) => each.p99))
          .toFixed(2)
          .padStart(10),
        ratio('p99').toFixed(2).padStart(8),
        median(own.map((each) => each.cpu))
          .toFixed(1)
          .padStart(10),
      ];
      console.log(`${variant.padEnd(24)}${figures.join('')}${missed ? '  TARGET MISSED' : ''}`);
    }
  }
}
