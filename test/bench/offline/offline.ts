/**
 * Reading captures, against tshark and against a plain read of the file: captures of nginx and PHP-FPM (recorded now, and copied with
 * other addresses and times) are read by each in turn, some rounds over; then the TUI on the largest of them. Ends 1 when a target is missed.
 *
 *   npm run bench:offline -- [--rounds N] [--large] [--keep DIR] [--only comparison,shapes,screen]
 *
 * As root, with nginx, php-fpm, tcpdump, tshark and python3. About 6 GB in the temporary directory, 4 more with --large; what does not fit
 * is skipped. They are removed at the end, unless a directory to keep them in is given, from which they are taken again.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median } from '../relay/rig.js';
import { type BenchCapture, type CaptureName, Captures } from './captures.js';
import { type Contender, measure, requestsIn, type Taken } from './contenders.js';
import { measureScreen } from './first-screen.js';

const CONTENDERS: readonly Contender[] = ['ndjson', 'lines', 'tshark', 'plain read'];
const PARTS = ['comparison', 'shapes', 'screen'] as const;
type Part = (typeof PARTS)[number];

/** To reach. */
const LEAST_SPEED = 10;
const MOST_MEMORY = 1 / 4;
const MOST_OF_SHAPE = 1.5;
/** What a further byte costs in a large file, against the same in a small one. */
const MOST_OF_LINEAR = 1.25;
const MOST_FIRST_SCREEN = 500;
const MOST_ANSWER = 50;
/** Few enough that the file has not been read by then. */
const KEYS_BEFORE_LEAVING = 5;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    large: { type: 'boolean', default: false },
    keep: { type: 'string' },
    only: { type: 'string', default: PARTS.join() },
  },
});
const rounds = Number(values.rounds);
const directory = values.keep ?? mkdtempSync(join(tmpdir(), 'fcgi-inspect-bench-'));
const captures = new Captures(directory);

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    tidy();
    process.exit(130);
  });
try {
  await main(values.only.split(',') as Part[]);
} finally {
  tidy();
}

async function main(parts: readonly Part[]): Promise<void> {
  mkdirSync(directory, { recursive: true });
  console.log(`${rounds} rounds, medians; files in the disk cache; load average ${load()} at the start`);
  if (parts.includes('comparison')) await compare();
  if (parts.includes('shapes')) await shapes();
  if (parts.includes('screen')) await screen();
  console.log(`\nload average ${load()} at the end`);
}

async function compare(): Promise<void> {
  const capture = await prepared('1 GiB');
  if (!capture) return;
  const taken = await alternated(CONTENDERS.map((contender) => [contender, capture] as const));
  console.log(
    `\n${'1 GiB'.padEnd(18)}${heads('seconds', 'cpu s', 'MB/s', 'peak MB', 'speed', 'cpu speed', 'memory', 'of read')}`,
  );
  const [tshark, plain] = [taken.get(key('tshark', capture))!, taken.get(key('plain read', capture))!];
  for (const contender of CONTENDERS) {
    const own = taken.get(key(contender, capture))!;
    const figures = [
      own.seconds.toFixed(2),
      own.cpu.toFixed(2),
      (capture.bytes / own.seconds / 1e6).toFixed(0),
      (own.bytes / 1e6).toFixed(0),
      (tshark.seconds / own.seconds).toFixed(2),
      (tshark.cpu / own.cpu).toFixed(2),
      (own.bytes / tshark.bytes).toFixed(2),
      (plain.seconds / own.seconds).toFixed(2),
    ];
    console.log(`${contender.padEnd(18)}${heads(...figures)}`);
  }
  for (const contender of ['ndjson', 'lines'] as const) {
    const own = taken.get(key(contender, capture))!;
    target(
      `${contender}: times tshark's speed`,
      tshark.seconds / own.seconds,
      LEAST_SPEED,
      'at least',
      tshark.cpu / own.cpu,
    );
    target(`${contender}: part of tshark's memory`, own.bytes / tshark.bytes, MOST_MEMORY, 'at most');
  }
}

/** Whether the time follows the bytes, however large the file is and however they are divided among connections. */
async function shapes(): Promise<void> {
  const names: CaptureName[] = ['64 MiB', '256 MiB', '1 GiB', 'one connection', 'many connections'];
  if (values.large) names.splice(3, 0, '4 GiB');
  else console.log('\n4 GiB: skipped, wants --large');
  const all: BenchCapture[] = [];
  for (const name of names) {
    const capture = await prepared(name);
    if (capture) all.push(capture);
  }
  const taken = await alternated(all.map((capture) => ['ndjson', capture] as const));
  const of = (capture: BenchCapture) => taken.get(key('ndjson', capture))!;
  console.log(`\n${'ndjson'.padEnd(18)}${heads('MB', 'requests', 'seconds', 'cpu s', 'MB/s', 'peak MB')}`);
  for (const capture of all) {
    const own = of(capture);
    const { bytes, requests, name } = capture;
    const figures = [(bytes / 1e6).toFixed(0), String(requests), own.seconds.toFixed(2), own.cpu.toFixed(2)];
    const rates = [(bytes / own.seconds / 1e6).toFixed(0), (own.bytes / 1e6).toFixed(0)];
    console.log(`${name.padEnd(18)}${heads(...figures, ...rates)}`);
  }
  const [smallest, small, ...larger] = all.filter(({ name }) => name.endsWith('iB'));
  if (!smallest || !small) return;
  const marginal = (from: BenchCapture, to: BenchCapture, figure: 'seconds' | 'cpu') =>
    (of(to)[figure] - of(from)[figure]) / (to.bytes - from.bytes);
  for (const capture of larger) {
    const [ratio, cpu] = (['seconds', 'cpu'] as const).map(
      (figure) => marginal(small, capture, figure) / marginal(smallest, small, figure),
    );
    target(`${capture.name}: a byte more, against 64 to 256 MiB`, ratio!, MOST_OF_LINEAR, 'at most', cpu);
  }
  const mixed = all.find(({ name }) => name === '1 GiB');
  for (const capture of all.filter(({ name }) => !name.endsWith('iB'))) {
    if (!mixed) continue;
    const [ratio, cpu] = (['seconds', 'cpu'] as const).map(
      (figure) => of(capture)[figure] / capture.bytes / (of(mixed)[figure] / mixed.bytes),
    );
    target(`${capture.name}: time per byte against 1 GiB mixed`, ratio!, MOST_OF_SHAPE, 'at most', cpu);
  }
}

async function screen(): Promise<void> {
  const capture = await prepared('1 GiB');
  if (!capture) return;
  const firsts: number[] = [];
  const cpus: number[] = [];
  const answers: number[] = [];
  const quits: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const seen = await measureScreen(capture.file);
    firsts.push(seen.first);
    cpus.push(seen.firstCpu);
    answers.push(...seen.answers);
    quits.push((await measureScreen(capture.file, KEYS_BEFORE_LEAVING)).quit);
  }
  console.log(`\n${'TUI on 1 GiB'.padEnd(18)}${heads('median ms', 'worst ms', 'count')}`);
  for (const [name, figures] of Object.entries({
    'first screen': firsts,
    'CPU until then': cpus,
    'key answered': answers,
    'quit, half read': quits,
  })) {
    if (figures.length === 0) continue;
    const texts = [median(figures).toFixed(0), Math.max(...figures).toFixed(0), String(figures.length)];
    console.log(`${name.padEnd(18)}${heads(...texts)}`);
  }
  target('first screen, ms', median(firsts), MOST_FIRST_SCREEN, 'at most');
  if (answers.length > 0)
    target('answer to a key while it loads, worst, ms', Math.max(...answers), MOST_ANSWER, 'at most');
  else console.log('no key was answered while it loaded: the file is read too fast, or none is answered');
}

/** A capture that has been read once, whole: so it is in the disk cache, and what is measured is no error message. */
async function prepared(name: CaptureName): Promise<BenchCapture | null> {
  const capture = await captures.get(name);
  if (!capture) {
    console.log(`\n${name}: skipped, ${(captures.free() / 1e9).toFixed(1)} GB free in ${directory} are too little`);
    return null;
  }
  const { requests, completed } = await requestsIn(capture.file);
  if (requests !== capture.requests || completed !== requests)
    throw new Error(`${name} has ${capture.requests} requests; ${requests} were found, ${completed} of them whole`);
  const { packets, connections, bytes } = capture;
  const size = `${(bytes / requests).toFixed(0)} bytes a request`;
  console.log(`\n${name}: ${requests} requests on ${connections} connections, ${packets} packets, ${size}`);
  return capture;
}

/** Each once a round, the order rotated, so that a machine whose speed drifts treats them alike. */
async function alternated(runs: readonly (readonly [Contender, BenchCapture])[]): Promise<Map<string, Taken>> {
  const all = new Map<string, Taken[]>();
  for (let round = 0; round < rounds; round++)
    for (let turn = 0; turn < runs.length; turn++) {
      const [contender, capture] = runs[(turn + round) % runs.length]!;
      const taken = await measure(contender, capture.file);
      all.set(key(contender, capture), [...(all.get(key(contender, capture)) ?? []), taken]);
      const figures = `${taken.seconds.toFixed(2)} s, ${(taken.bytes / 1e6).toFixed(0)} MB, load ${load()}`;
      process.stderr.write(`round ${round + 1}/${rounds} ${key(contender, capture)}: ${figures}\n`);
    }
  const middle = (taken: readonly Taken[]): Taken => ({
    seconds: median(taken.map(({ seconds }) => seconds)),
    cpu: median(taken.map(({ cpu }) => cpu)),
    bytes: median(taken.map(({ bytes }) => bytes)),
  });
  return new Map([...all].map(([name, taken]) => [name, middle(taken)]));
}

function key(contender: Contender, { name }: BenchCapture): string {
  return `${contender} of ${name}`;
}

/** @param cpu the same of CPU times, which say more where others use the machine */
function target(what: string, value: number, limit: number, how: 'at least' | 'at most', cpu?: number): void {
  const reached = how === 'at least' ? value >= limit : value <= limit;
  if (!reached) process.exitCode = 1;
  const beside = cpu === undefined ? '' : `; of CPU time ${cpu.toFixed(2)}`;
  console.log(`${reached ? 'pass' : 'FAIL'}  ${what}: ${value.toFixed(2)} (${how} ${limit}${beside})`);
}

function heads(...texts: readonly string[]): string {
  return texts.map((text) => text.padStart(11)).join('');
}

function load(): string {
  return loadavg()[0]!.toFixed(2);
}

function tidy(): void {
  captures.close();
  if (values.keep === undefined) rmSync(directory, { recursive: true, force: true });
}
