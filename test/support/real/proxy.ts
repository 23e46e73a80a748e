import { fileURLToPath } from 'node:url';
import { type Endpoint, formatEndpoint } from '../../../src/model/connection.js';
import { type Daemon, until } from './daemon.js';
import { listening } from './listening.js';
import type { NdjsonConnection, NdjsonLine, NdjsonRequest, NdjsonSummary } from './ndjson.js';
import type { Workspace } from './workspace.js';

/** FCGI_INSPECT_COMMAND puts another build under test, such as an installed package. */
const COMMAND =
  process.env.FCGI_INSPECT_COMMAND ?? fileURLToPath(new URL('../../../bin/fcgi-inspect.js', import.meta.url));

export interface Pair {
  readonly listen: Endpoint;
  readonly upstream: Endpoint;
}

/** All that a finished run of the proxy said. */
export interface ProxyReport {
  readonly requests: readonly NdjsonRequest[];
  readonly connections: readonly NdjsonConnection[];
  readonly summary: NdjsonSummary | null;
  readonly exitStatus: number | null;
  readonly stderr: string;
}

/** The program under test as a child process, with NDJSON on its standard output. */
export class ProxyUnderTest {
  private readonly parsed: NdjsonLine[] = [];
  private consumed = 0;

  private constructor(private readonly daemon: Daemon) {}

  static async start(
    workspace: Workspace,
    pairs: readonly Pair[],
    options: readonly string[] = [],
  ): Promise<ProxyUnderTest> {
    const addresses = pairs.flatMap(({ listen, upstream }) => [
      ...['--listen', formatEndpoint(listen)],
      ...['--upstream', formatEndpoint(upstream)],
    ]);
    const daemon = await workspace.start({
      name: 'fcgi-inspect',
      command: process.execPath,
      args: [COMMAND, ...addresses, '--format', 'ndjson', ...options],
      ready: () => pairs.every(({ listen }) => listening(listen)),
      stopSignal: 'SIGINT',
    });
    return new ProxyUnderTest(daemon);
  }

  get pid(): number {
    return this.daemon.pid;
  }

  get stderr(): string {
    return this.daemon.stderr;
  }

  /** Waits for the one request that fits to settle. */
  async request(what: string, fits: (request: NdjsonRequest) => boolean): Promise<NdjsonRequest> {
    return this.line(`the request ${what} is in the NDJSON`, (line) => line.type === 'request' && fits(line));
  }

  async connection(what: string, fits: (connection: NdjsonConnection) => boolean): Promise<NdjsonConnection> {
    return this.line(`the connection ${what} is in the NDJSON`, (line) => line.type === 'connection' && fits(line));
  }

  /** How many requests had begun on the connections that it has told the end of. */
  requestsOfEndedConnections(): number {
    return this.lines().reduce((sum, line) => sum + (line.type === 'connection' ? line.requests : 0), 0);
  }

  /** Ends it like a person would, by Ctrl-C, and returns everything it wrote. */
  async stop(): Promise<ProxyReport> {
    await this.daemon.stop('SIGINT');
    const lines = this.lines();
    return {
      requests: lines.filter((line) => line.type === 'request'),
      connections: lines.filter((line) => line.type === 'connection'),
      summary: lines.find((line) => line.type === 'summary') ?? null,
      exitStatus: this.daemon.exitStatus,
      stderr: this.daemon.stderr,
    };
  }

  private async line<Line extends NdjsonLine>(what: string, fits: (line: NdjsonLine) => boolean): Promise<Line> {
    let found: NdjsonLine | undefined;
    try {
      await until(what, () => {
        found = this.lines().find(fits);
        return found !== undefined;
      });
    } catch (error) {
      throw new Error(
        `${(error as Error).message}; it wrote:\n${this.daemon.stdout.slice(-4_000)}\n${this.daemon.stderr}`,
      );
    }
    return found as Line;
  }

  /** What was written so far, whole lines only; a line that is not JSON throws. */
  private lines(): readonly NdjsonLine[] {
    const end = this.daemon.stdout.lastIndexOf('\n') + 1;
    for (const text of this.daemon.stdout.slice(this.consumed, end).split('\n')) {
      if (text !== '') this.parsed.push(JSON.parse(text) as NdjsonLine);
    }
    this.consumed = Math.max(this.consumed, end);
    return this.parsed;
  }
}
