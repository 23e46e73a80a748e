import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keepOne } from './kept-connection.js';
import { type Recorded, recorded } from './recorded.js';
import { type Made, replicate } from './replicas.js';

const MEBIBYTE = 1024 * 1024;
const GIBIBYTE = 1024 * MEBIBYTE;
const MANY = 100_000;
/** About what a request takes in a capture; for the question whether there is room. */
const REQUEST_BYTES = 22_000;
/** What is left of the disk for others. */
const SPARE = 2 * GIBIBYTE;

export type CaptureName = '64 MiB' | '256 MiB' | '1 GiB' | '4 GiB' | 'one connection' | 'many connections';

export interface BenchCapture extends Made {
  readonly name: CaptureName;
  readonly file: string;
}

interface Plan {
  readonly bytes: number;
  readonly make: (path: string, recordings: readonly Recorded[]) => Promise<Made>;
}

const PLANS: Readonly<Record<CaptureName, Plan>> = {
  '64 MiB': mixed(64 * MEBIBYTE),
  '256 MiB': mixed(256 * MEBIBYTE),
  '1 GiB': mixed(GIBIBYTE),
  '4 GiB': mixed(4 * GIBIBYTE),
  'one connection': {
    bytes: MANY * REQUEST_BYTES,
    make: (path, all) => {
      const kept = all.filter(({ exchanges }) => exchanges.length > 1).flatMap(({ exchanges }) => exchanges);
      return keepOne(path, kept, MANY);
    },
  },
  'many connections': {
    bytes: MANY * REQUEST_BYTES,
    make: (path, all) => {
      const single = all.filter(({ exchanges }) => exchanges.length === 1);
      return replicate(path, single, ({ connections }) => connections >= MANY);
    },
  },
};

function mixed(bytes: number): Plan {
  return { bytes, make: (path, all) => replicate(path, all, (made) => made.bytes >= bytes) };
}

/** The captures of a run, made when they are asked for; kept ones are taken again. */
export class Captures {
  private recordings: readonly Recorded[] | null = null;
  /** What is there only while a capture is made. */
  private readonly scraps = new Set<string>();
  private recorder: ChildProcess | null = null;

  /** @param directory where they go; there must be nothing else in it that is called like them */
  constructor(private readonly directory: string) {}

  /** Null where the disk has no room for it. */
  async get(name: CaptureName): Promise<BenchCapture | null> {
    const file = join(this.directory, `${name.replace(' ', '-')}.pcap`);
    const notes = `${file}.json`;
    if (existsSync(notes)) {
      const made = JSON.parse(readFileSync(notes, 'utf8')) as Made;
      if (existsSync(file) && statSync(file).size === made.bytes) return { name, file, ...made };
    }
    const { bytes, make } = PLANS[name];
    if (this.free() < bytes + SPARE) return null;
    this.recordings ??= await this.record();
    // Under another name until it is whole: nobody takes half a file for a kept one.
    const part = `${file}.part`;
    this.scraps.add(part);
    const made = await make(part, this.recordings);
    renameSync(part, file);
    writeFileSync(notes, JSON.stringify(made));
    return { name, file, ...made };
  }

  free(): number {
    const { bavail, bsize } = statfsSync(this.directory);
    return bavail * bsize;
  }

  /** Ends what is being made, and leaves only what is whole. */
  close(): void {
    // It ends all that it has started: nginx, PHP-FPM, tcpdump.
    this.recorder?.kill('SIGKILL');
    for (const path of this.scraps) rmSync(path, { recursive: true, force: true });
  }

  private async record(): Promise<Recorded[]> {
    const directory = mkdtempSync(join(this.directory, 'traffic-'));
    this.scraps.add(directory);
    try {
      return (await this.recordTraffic(directory)).flatMap(recorded);
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  /**
   * Once with segments of 64 KiB, as the loopback interface has them, and once with those of an Ethernet: for that, in a network of its own.
   * Where that is not permitted, only as the interface is.
   */
  private async recordTraffic(directory: string): Promise<string[]> {
    const program = fileURLToPath(new URL('traffic.ts', import.meta.url));
    const record = [process.execPath, '--import', 'tsx', program, directory];
    const permitted = allowed('unshare', [...ISOLATED, 'true']);
    const command = permitted ? ['unshare', ...ISOLATED, ...record, '65536', '1500'] : [...record, '0'];
    const child = spawn(command[0]!, command.slice(1), {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TMPDIR: directory },
    });
    this.recorder = child;
    let told = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      told += text;
    });
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (status !== 0) throw new Error(`the traffic was not recorded (${status})`);
    return told.trim().split('\n');
  }
}

const ISOLATED = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];

function allowed(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
