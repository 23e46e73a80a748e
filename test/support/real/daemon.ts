import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** How often a condition is looked at while waiting for it: short against a server's start, long against the look itself. */
const POLL_INTERVAL_MS = 10;
/** Long enough for a loaded two-core machine; what takes longer hangs. */
const READY_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 10_000;

export interface DaemonOptions {
  /** What people call it; begins each error message. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Looked at until it is true; the daemon is started only then. */
  readonly ready: (daemon: Daemon) => boolean;
  /** What asks it to end in order. */
  readonly stopSignal: NodeJS.Signals;
  /** Its own log, quoted when it fails to start. */
  readonly log?: () => string;
}

/**
 * A server as a child process in its own process group, so that its workers die with it. setpriv makes the kernel end it when the
 * test process dies without having cleaned up (a worker that vitest kills after a timeout).
 */
export class Daemon {
  stdout = '';
  stderr = '';

  private constructor(
    private readonly options: DaemonOptions,
    private readonly child: ChildProcess,
  ) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
  }

  static async start(options: DaemonOptions): Promise<Daemon> {
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', options.command, ...options.args], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
    });
    let failure: Error | null = null;
    child.on('error', (error) => {
      failure = error;
    });
    const daemon = new Daemon(options, child);
    try {
      await until(`${options.name} is ready`, () => {
        if (failure) throw failure;
        if (daemon.exited) throw new Error(`${options.name} ended with ${child.exitCode ?? child.signalCode}`);
        return options.ready(daemon);
      });
    } catch (error) {
      await daemon.stop();
      const log = options.log?.() ?? '';
      throw new Error(`${(error as Error).message}\n${daemon.stdout}${daemon.stderr}${log}`);
    }
    return daemon;
  }

  get pid(): number {
    return this.child.pid!;
  }

  get exited(): boolean {
    return this.child.pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** As a shell tells it: the exit code, or 128 and the number of the signal that ended it; null while it runs. */
  get exitStatus(): number | null {
    const { exitCode, signalCode } = this.child;
    return signalCode === null ? exitCode : 128 + constants.signals[signalCode];
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Asks it to end, waits until all its output has been read, and in any case leaves nothing of its group behind. */
  async stop(signal: NodeJS.Signals = this.options.stopSignal): Promise<void> {
    if (!this.exited) {
      const closed = once(this.child, 'close');
      this.child.kill(signal);
      const abort = new AbortController();
      await Promise.race([closed, delay(STOP_TIMEOUT_MS, undefined, { signal: abort.signal }).catch(() => undefined)]);
      abort.abort();
    }
    if (this.child.pid !== undefined) killGroup(this.child.pid);
  }
}

/** Waits for a condition of the outside world; rejects, naming it, when it does not come true. Errors of `condition` pass through. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeout = READY_TIMEOUT_MS,
): Promise<void> {
  const deadline = performance.now() + timeout;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeout} ms in vain until ${what}`);
    await delay(POLL_INTERVAL_MS);
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // The group is gone already: what we wanted.
  }
}
