import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Endpoint, formatEndpoint } from '../../src/model/connection.js';
import { until } from './real/daemon.js';
import { listening } from './real/listening.js';
import type { Workspace } from './real/workspace.js';

export const PROGRAM = fileURLToPath(new URL('../../bin/fcgi-inspect.js', import.meta.url));

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Anything for standard output but a pipe to us: a file descriptor. */
  readonly stdout?: number;
  /** A pipe that the test writes to (`child.stdin`), or a file descriptor; nothing unless told. */
  readonly stdin?: 'pipe' | number;
}

/** The built program as a child process, with a temporary directory of its own in the workspace. */
export class Program {
  stdout = '';
  stderr = '';
  /** As a shell tells it; resolves when all output has been read. */
  readonly ended: Promise<number>;
  readonly child: ChildProcess;

  constructor(
    private readonly workspace: Workspace,
    args: readonly string[],
    options: ProgramOptions = {},
  ) {
    const temporary = workspace.path('tmp');
    mkdirSync(temporary, { recursive: true });
    const { NO_COLOR: _, FORCE_COLOR: __, ...inherited } = process.env;
    this.child = spawn(process.execPath, [PROGRAM, ...args], {
      stdio: [options.stdin ?? 'ignore', options.stdout ?? 'pipe', 'pipe'],
      env: { ...inherited, TMPDIR: temporary, ...options.env },
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) =>
      this.child.once('close', (code, signal) => resolve(signal === null ? code! : 128 + constants.signals[signal])),
    );
  }

  /** Starts the proxy and waits until it listens on all addresses. */
  static async proxy(
    workspace: Workspace,
    pairs: readonly (readonly [listen: Endpoint, upstream: Endpoint])[],
    args: readonly string[] = [],
    options: ProgramOptions = {},
  ): Promise<Program> {
    const addresses = pairs.flatMap(([listen, upstream]) => [
      ...['--listen', formatEndpoint(listen)],
      ...['--upstream', formatEndpoint(upstream)],
    ]);
    const program = new Program(workspace, [...addresses, ...args], options);
    await program.until('it listens', () => pairs.every(([listen]) => listening(listen)));
    return program;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Waits for a condition; rejects with what the program said when it has ended meanwhile. */
  async until(what: string, condition: () => boolean): Promise<void> {
    await until(what, () => {
      if (condition()) return true;
      if (!this.running) throw new Error(`it ended before ${what}:\n${this.stdout}${this.stderr}`);
      return false;
    });
  }

  /** The names of the folders in which recordings lie. */
  spools(): string[] {
    return readdirSync(this.workspace.path('tmp'));
  }

  /** The lines of its standard output. */
  lines(): string[] {
    return this.stdout.split('\n').slice(0, -1);
  }
}
