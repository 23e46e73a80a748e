import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse } from 'pcap-parser';
import { describedInterface, enhancedPacket, pcap, section } from '../packet/formats/written-captures.js';

/**
 * Reading capture files: our own parsers, the package pcap-parser and a plain read of the same file, in turns, on the built code. Then what each
 * of the two does with nanoseconds and with one damaged length. Ends 1 when a target is missed.
 */
type Input = typeof import('../../src/capture/capture-input.js');

const built = async (name: string): Promise<unknown> =>
  import(pathToFileURL(join(import.meta.dirname, '../../dist', `${name}.js`)).href);
const { CaptureInput } = (await built('capture/capture-input')) as Input;

const ROUNDS = 5;
const FILE_LENGTH = 512 * 1024 * 1024;
const PACKET_LENGTH = 1400;
const CHUNK = 1024 * 1024;
/** The package copies all it has for each chunk of 64 KiB that comes, so what it cannot read must be short. */
const DAMAGED_LENGTHS = [8, 16, 32];
const TARGET_GIGABYTES = 2;

const folder = mkdtempSync(join(tmpdir(), 'fcgi-inspect-bench-'));

/** A capture of about `length` bytes: `head`, then a pattern of packets again and again. */
function written(name: string, length: number, head: Uint8Array, packets: Uint8Array): string {
  const path = join(folder, name);
  const file = openSync(path, 'w');
  let at = writeSync(file, head);
  while (at < length) at += writeSync(file, packets);
  closeSync(file);
  return path;
}

const bytes = Uint8Array.from({ length: PACKET_LENGTH }, (_, i) => (i * 89) & 0xff);
const packets = Array.from({ length: 700 }, (_, i) => ({ seconds: 1_700_000_000, fraction: i, bytes }));
const HEAD = 24;
const classic = (magic: number): Uint8Array => pcap(packets, { magic });
const blocks = packets.map(({ fraction }) =>
  enhancedPacket({ ticks: 1_700_000_000_000_000n + BigInt(fraction), bytes }),
);

function classicFile(name: string, length: number, magic = 0xa1b2c3d4): string {
  const whole = classic(magic);
  return written(name, length, whole.subarray(0, HEAD), whole.subarray(HEAD));
}

interface Result {
  readonly packets: number;
  readonly milliseconds: number;
  readonly said: string;
}

async function timed(work: () => Promise<{ packets: number; said: string }>): Promise<Result> {
  globalThis.gc?.();
  const start = process.hrtime.bigint();
  const result = await work();
  return { ...result, milliseconds: Number(process.hrtime.bigint() - start) / 1e6 };
}

async function ours(path: string): Promise<{ packets: number; said: string }> {
  let said = 'nothing';
  const input = await CaptureInput.open(path, {
    warn: (line) => {
      said = line.slice(path.length + 2);
    },
  });
  let seen = 0;
  const sink = ({ start, end }: { readonly start: number; readonly end: number }): void => {
    seen += end - start;
  };
  while (await input.next(sink));
  await input.close();
  if (seen !== input.packets * PACKET_LENGTH) throw new Error('bytes are missing');
  return { packets: input.packets, said };
}

function theirs(path: string): Promise<{ packets: number; said: string }> {
  return new Promise((resolve) => {
    const parser = parse(path);
    let count = 0;
    let said = 'nothing';
    parser.on('packet', () => {
      count += 1;
    });
    parser.on('error', (error) => {
      said = error.message;
    });
    parser.on('end', () => resolve({ packets: count, said }));
  });
}

async function plain(path: string): Promise<{ packets: number; said: string }> {
  const file = openSync(path, 'r');
  const buffer = new Uint8Array(CHUNK);
  while (readSync(file, buffer) > 0);
  closeSync(file);
  return { packets: 0, said: '' };
}

function show(what: string, { packets, milliseconds, said }: Result, length: number): void {
  const rate = packets === 0 && said !== '' ? '' : `${(length / milliseconds / 1e6).toFixed(2)} GB/s`;
  const time = `${milliseconds.toFixed(0)} ms`;
  console.log(
    `${what.padEnd(36)} ${time.padStart(8)} ${rate.padStart(11)}  ${packets} packets${said && `, said: ${said}`}`,
  );
}

try {
  const pcapPath = classicFile('classic.pcap', FILE_LENGTH);
  const nextGeneration = written(
    'blocks.pcapng',
    FILE_LENGTH,
    Buffer.concat([section(), describedInterface(1)]),
    Buffer.concat(blocks),
  );
  const nanoseconds = classicFile('nanoseconds.pcap', FILE_LENGTH, 0xa1b23c4d);
  const lanes: readonly (readonly [string, () => Promise<Result>])[] = [
    ['plain read, 1 MiB at a time', () => timed(() => plain(pcapPath))],
    ['ours, pcap', () => timed(() => ours(pcapPath))],
    ['ours, pcap with nanoseconds', () => timed(() => ours(nanoseconds))],
    ['ours, pcapng', () => timed(() => ours(nextGeneration))],
    ['pcap-parser, pcap', () => timed(() => theirs(pcapPath))],
    ['pcap-parser, pcap with nanoseconds', () => timed(() => theirs(nanoseconds))],
  ];
  const best = new Map<string, Result>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, run] of lanes) {
      const result = await run();
      if (result.milliseconds < (best.get(name)?.milliseconds ?? Number.POSITIVE_INFINITY)) best.set(name, result);
    }
  }
  for (const [name, result] of best) show(name, result, FILE_LENGTH);
  const reached = FILE_LENGTH / best.get('ours, pcap')!.milliseconds / 1e6;

  console.log('\none length of 2 ** 31 - 1 in the first packet');
  for (const mebibytes of DAMAGED_LENGTHS) {
    const length = mebibytes * 1024 * 1024;
    const path = classicFile('damaged.pcap', length);
    const file = openSync(path, 'r+');
    writeSync(file, Uint8Array.of(0xff, 0xff, 0xff, 0x7f), 0, 4, HEAD + 8);
    closeSync(file);
    show(`ours, ${mebibytes} MiB`, await timed(() => ours(path)), length);
    show(`pcap-parser, ${mebibytes} MiB`, await timed(() => theirs(path)), length);
  }
  if (reached < TARGET_GIGABYTES) {
    console.log(`\nours reads ${reached.toFixed(2)} GB/s, less than ${TARGET_GIGABYTES}`);
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
