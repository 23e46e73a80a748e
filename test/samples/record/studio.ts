import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Daemon, DaemonOptions } from '../../support/real/daemon.js';
import { type HttpRequest, type HttpResponse, http } from '../../support/real/http.js';
import { listening } from '../../support/real/listening.js';
import { Workspace } from '../../support/real/workspace.js';

/** Where the sites live while they are recorded: in a tmpfs that only the studio sees. */
export const DOCUMENT_ROOT = '/srv/www';
export const RUN = '/srv/run';
/** The studio has a network of its own, so the usual ports are free. */
export const HTTP_PORT = 80;
export const FASTCGI_PORT = 9000;

/** The kernel hands the last packets over within a few milliseconds of what the client saw. */
const SETTLE_MS = 250;
/** In immediate mode each packet takes a slot of the whole snap length. */
const KERNEL_BUFFER_KIB = '65536';

/** What a story has at hand while it is recorded: servers of its own, a capture, an HTTP client. */
export class Studio {
  private readonly workspace = new Workspace();

  /** @param target where the finished capture goes */
  constructor(private readonly target: string) {}

  static furnish(): void {
    for (const folder of [DOCUMENT_ROOT, RUN]) mkdirSync(folder, { recursive: true });
    cpSync(new URL('www', import.meta.url), DOCUMENT_ROOT, { recursive: true });
    chmodSync(RUN, 0o777);
  }

  path(name: string): string {
    return this.workspace.path(name);
  }

  write(name: string, content: string): string {
    return this.workspace.write(name, content);
  }

  /** Starts a server and waits until it listens on all of its ports. */
  start(
    name: string,
    command: string,
    args: readonly string[],
    ports: readonly number[],
    options: Partial<DaemonOptions> = {},
  ): Promise<Daemon> {
    return this.workspace.start({
      name,
      command,
      args,
      ready: () => ports.every((port) => listening({ kind: 'tcp', host: '127.0.0.1', port })),
      stopSignal: 'SIGTERM',
      ...options,
    });
  }

  /** Records what happens on `ports` while `play` runs. */
  async capture(play: () => Promise<void>, ports: readonly number[], extra: readonly string[] = ['-i', 'lo']) {
    const file = this.path('capture.pcap');
    const filter = ports.map((port) => `tcp port ${port}`).join(' or ');
    const daemon = await this.workspace.start({
      name: 'tcpdump',
      command: 'tcpdump',
      // --immediate-mode: no packet waits in the kernel for a block to fill. -Z root: keep the right to write in the workspace.
      args: [
        ...extra,
        '-n',
        '-s',
        '0',
        '--immediate-mode',
        '-B',
        KERNEL_BUFFER_KIB,
        '-U',
        '-Z',
        'root',
        '-w',
        file,
        filter,
      ],
      ready: ({ stderr }) => stderr.includes('listening on'),
      stopSignal: 'SIGINT',
    });
    await play();
    await delay(SETTLE_MS);
    await daemon.stop();
    if (!daemon.stderr.includes('\n0 packets dropped by kernel'))
      throw new Error(`tcpdump lost packets: ${daemon.stderr}`);
    copyFileSync(file, this.target);
  }

  /** One HTTP request to the web server, as a browser of few words makes it. */
  get(path: string, options: Partial<HttpRequest> = {}): Promise<HttpResponse> {
    const { headers, ...rest } = options;
    return http({
      port: HTTP_PORT,
      path,
      headers: { host: 'example.test', 'user-agent': 'samples/1.0', accept: '*/*', ...headers },
      ...rest,
    });
  }

  /** As `get`, and sees to it that the story went as it was written. */
  async expect(status: number | null, path: string, options: Partial<HttpRequest> = {}): Promise<HttpResponse> {
    const response = await this.get(path, options);
    if (response.status !== status) {
      throw new Error(
        `${path} was answered with ${response.status} (${response.error}), not ${status}:\n${response.body}`,
      );
    }
    return response;
  }

  async pause(milliseconds: number): Promise<void> {
    await delay(milliseconds);
  }

  /** A file's text; empty when it is not there yet. */
  read(path: string): string {
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  async close(): Promise<void> {
    await this.workspace.close();
  }
}
