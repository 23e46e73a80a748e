import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Endpoint, formatEndpoint } from '../../../src/model/connection.js';
import { dice } from '../conversation.js';
import { until } from '../real/daemon.js';
import { listening } from '../real/listening.js';
import { Workspace } from '../real/workspace.js';
import { material } from './hostile-bytes.js';
import { Lane } from './lane.js';
import { ToldLines } from './told-lines.js';

const COMMAND =
  process.env.FCGI_INSPECT_COMMAND ?? fileURLToPath(new URL('../../../bin/fcgi-inspect.js', import.meta.url));

/** The program has some hundred MB of its own (heap, code, spare buffers); bodies and index are bounded by what the options say. */
const MEMORY_LIMIT = 700 * 1024 * 1024;
/** What it may still have to write out when it is stopped. */
const LAST_WORDS = 180_000;
/** Connections at once whose peers do as they like and are not checked. */
const UNCHECKED = 4;

export interface CampaignOptions {
  readonly seed: number;
  /** How long connections are begun. */
  readonly milliseconds: number;
  readonly lanes: number;
  /** What the program is started with besides the routes. */
  readonly outputs: 'ndjson' | 'har';
  /** Only this connection, again and again. */
  readonly only?: { readonly lane: number; readonly index: number };
  readonly log?: (text: string) => void;
}

export interface CampaignResult {
  readonly connections: number;
  readonly bytes: number;
  readonly peakMemory: number;
  /** What the program wrote of them. */
  readonly requests: number;
  /** Everything that was not as it should be; the first of them, at most FAULTS_KEPT. */
  readonly faults: readonly string[];
}

const FAULTS_KEPT = 20;

/** The program between peers that send anything, for a time; then everything it was to keep is looked at. */
export async function campaign(options: CampaignOptions): Promise<CampaignResult> {
  const workspace = new Workspace();
  const lanes: Lane[] = [];
  const taken = new Set<number>();
  try {
    for (let i = 0; i < options.lanes; i++) lanes.push(await openLane(workspace, i, taken));
    return await new Campaign(options, workspace, lanes, taken).run();
  } finally {
    for (const lane of lanes) await lane.close();
    await workspace.close();
  }
}

async function openLane(workspace: Workspace, number: number, taken: Set<number>): Promise<Lane> {
  const kinds = [
    ['tcp', 'tcp'],
    ['unix', 'unix'],
    ['tcp', 'unix'],
    ['unix', 'tcp'],
  ] as const;
  const [front, back] = kinds[number % kinds.length]!;
  const address = (kind: 'tcp' | 'unix', name: string) => unlike(taken, () => workspace.address(kind, name));
  return Lane.open(number, await address(front, `listen-${number}`), await address(back, `upstream-${number}`));
}

/** Nobody listens yet on a port that is still to be used: the same one could be found twice. */
async function unlike(taken: Set<number>, find: () => Promise<Endpoint>): Promise<Endpoint> {
  for (;;) {
    const found = await find();
    if (found.kind === 'unix' || !taken.has(found.port)) {
      if (found.kind === 'tcp') taken.add(found.port);
      return found;
    }
  }
}

class Campaign {
  private readonly faults: string[] = [];
  private readonly told = new ToldLines((fault) => this.fault(fault));
  private peakMemory = 0;
  private stderr = '';

  constructor(
    private readonly options: CampaignOptions,
    private readonly workspace: Workspace,
    private readonly lanes: readonly Lane[],
    private readonly taken: Set<number>,
  ) {}

  async run(): Promise<CampaignResult> {
    const { options, lanes } = this;
    const nobody = await unlike(this.taken, () => this.workspace.address('tcp', 'nobody'));
    const refusing = await unlike(this.taken, () => this.workspace.address('tcp', 'refusing'));
    const child = this.start([...lanes, { listen: refusing, upstream: nobody }]);
    const exited = once(child, 'close');
    try {
      await until('the program listens', () => {
        if (child.exitCode !== null) throw new Error(`the program has ended: ${this.stderr}`);
        return [...lanes.map((lane) => lane.listen), refusing].every(listening);
      });
      const before = sockets(child);
      const end = performance.now() + options.milliseconds;
      const watch = setInterval(() => this.measure(child), 200);
      await Promise.all([
        ...lanes.map((lane, number) => this.occupy(lane, number, child, end)),
        ...Array.from({ length: UNCHECKED }, (_, i) => this.knock(refusing, i, child, end)),
      ]);
      clearInterval(watch);
      await until('the program has closed what it opened', () => sockets(child) <= before, 10_000).catch(() =>
        this.fault(`${sockets(child) - before} sockets are left open`),
      );
      this.measure(child);
      const asked = performance.now();
      child.kill('SIGINT');
      const stopped = await Promise.race([exited.then(() => true), delay(LAST_WORDS, false, { ref: false })]);
      this.options.log?.(`it ended ${((performance.now() - asked) / 1_000).toFixed(1)} s after it was asked to`);
      if (!stopped) this.fault(`it has not ended ${LAST_WORDS} ms after SIGINT`);
    } finally {
      child.kill('SIGKILL');
    }
    await this.judge(child);
    const played = lanes.flatMap((lane) => lane.played);
    return {
      connections: played.length,
      bytes: played.reduce((sum, { got }) => sum + got.client + got.server, 0),
      peakMemory: this.peakMemory,
      requests: this.told.requests,
      faults: this.faults,
    };
  }

  private start(routes: readonly { readonly listen: Endpoint; readonly upstream: Endpoint }[]): ChildProcess {
    const { outputs } = this.options;
    const args = routes.flatMap(({ listen, upstream }) => [
      ...['--listen', formatEndpoint(listen)],
      ...['--upstream', formatEndpoint(upstream)],
    ]);
    // The second has to make do with little, so that things are evicted while they are asked for.
    const more =
      outputs === 'ndjson'
        ? ['--format', 'ndjson', '--bodies', 'sha256']
        : [
            '--format',
            'detail',
            '--har',
            this.workspace.path('out.har'),
            '--max-requests',
            '500',
            '--max-spool',
            '64MB',
          ];
    const child = spawn(process.execPath, [COMMAND, ...args, ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-100_000);
    });
    if (outputs === 'ndjson') createInterface({ input: child.stdout! }).on('line', (line) => this.told.take(line));
    else child.stdout!.setEncoding('utf8').on('data', (text: string) => this.look(text));
    return child;
  }

  /** Nothing that was captured may reach a terminal as it is. */
  private look(text: string): void {
    const at = text.search(CONTROL);
    if (at >= 0)
      this.fault(`detail has a control character: ${JSON.stringify(text.slice(Math.max(0, at - 40), at + 40))}`);
  }

  private async occupy(lane: Lane, number: number, child: ChildProcess, end: number): Promise<void> {
    const { only, seed } = this.options;
    if (only !== undefined && only.lane !== number) return;
    for (let index = only?.index ?? 0; performance.now() < end && child.exitCode === null; index += only ? 0 : 1) {
      try {
        await lane.play(seed, index);
      } catch (error) {
        this.fault((error as Error).message);
        return;
      }
    }
  }

  /** Web servers that find no backend, leave at any time, and do not wait for one another. */
  private async knock(address: Endpoint, number: number, child: ChildProcess, end: number): Promise<void> {
    if (this.options.only !== undefined || address.kind !== 'tcp') return;
    const roll = dice(this.options.seed + number);
    while (performance.now() < end && child.exitCode === null) {
      const made = material(roll);
      const socket = connect({ host: address.host, port: address.port });
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => {}).resume();
      socket.write(made.client);
      if (roll(3) === 0) setTimeout(() => (roll(2) === 0 ? socket.resetAndDestroy() : socket.destroy()), roll(30));
      const limit = new AbortController();
      const hung = delay(30_000, true, { signal: limit.signal }).catch(() => false);
      if (await Promise.race([closed.then(() => false), hung])) this.fault('a web server without a backend is kept');
      limit.abort();
      socket.destroy();
      await delay(roll(20));
    }
  }

  private measure(child: ChildProcess): void {
    if (child.exitCode !== null) return;
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    this.peakMemory = Math.max(this.peakMemory, Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024);
  }

  private async judge(child: ChildProcess): Promise<void> {
    if (child.exitCode !== 128 + constants.signals.SIGINT)
      this.fault(`exit status ${child.exitCode} (${child.signalCode}): ${this.stderr.slice(-2_000)}`);
    const broken = DEFECTS.exec(this.stderr);
    if (broken !== null)
      this.fault(`standard error: ${this.stderr.slice(Math.max(0, broken.index - 200)).slice(0, 1_000)}`);
    if (this.peakMemory > MEMORY_LIMIT) this.fault(`it took ${Math.round(this.peakMemory / 1024 / 1024)} MB`);
    if (this.options.outputs === 'ndjson') this.told.compare(this.lanes);
    else await this.readHar();
  }

  /** Line by line: the exporter writes an entry on each, and the whole may be larger than a string can be. */
  private async readHar(): Promise<void> {
    let previous: string | null = null;
    let entries = 0;
    try {
      for await (const line of createInterface({ input: createReadStream(this.workspace.path('out.har')) })) {
        if (previous === null) JSON.parse(`${line}]}}`);
        else if (line !== ']}}') {
          const { time, response, timings } = JSON.parse(line.replace(/,$/, ''));
          if (![time, response.status, timings.wait].every(Number.isFinite))
            this.fault(`an entry lacks numbers: ${line.slice(0, 300)}`);
          entries += 1;
        }
        previous = line;
      }
      if (previous !== ']}}' || entries === 0)
        this.fault(`the HAR has ${entries} entries and ends with ${previous?.slice(0, 100)}`);
    } catch (error) {
      this.fault(`the HAR is not JSON: ${(error as Error).message}`);
    }
  }

  private fault(text: string): void {
    this.options.log?.(`FAULT ${text}`);
    if (this.faults.length < FAULTS_KEPT) this.faults.push(text);
  }
}

const CONTROL = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/;
/** What the program says when something in it has failed. */
const DEFECTS = /decoder failed|not decoded any more| is lost|unrecorded|not everything was written|Error:|at file:/;

function sockets(child: ChildProcess): number {
  const folder = `/proc/${child.pid}/fd`;
  try {
    return readdirSync(folder).filter((fd) => readlinkSync(`${folder}/${fd}`).startsWith('socket:')).length;
  } catch {
    // One was closed between the look and the reading; look again.
    return child.exitCode === null ? sockets(child) : 0;
  }
}
