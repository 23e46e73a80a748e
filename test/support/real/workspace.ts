import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Endpoint } from '../../../src/model/connection.js';
import { Daemon, type DaemonOptions } from './daemon.js';

/** Below Linux's range for outgoing connections (32768 and up), so that no client of a parallel test can take a port meanwhile. */
const FIRST_PORT = 15_000;
const PORTS = 15_000;

/**
 * A temporary directory with the servers that live in it. `close` ends all of them, the last started first, and removes the directory:
 * call it in afterAll or onTestFinished, which run when the test failed, too.
 */
export class Workspace {
  readonly directory = mkdtempSync(join(tmpdir(), 'fcgi-inspect-test-'));
  private readonly daemons: Daemon[] = [];

  path(name: string): string {
    return join(this.directory, name);
  }

  /** Writes a file and returns its path. */
  write(name: string, content: string): string {
    writeFileSync(this.path(name), content);
    return this.path(name);
  }

  /** A file's text; empty when it is not there (a log to which nothing was written). */
  read(name: string): string {
    return existsSync(this.path(name)) ? readFileSync(this.path(name), 'utf8') : '';
  }

  /** An address that nobody uses: a TCP port on loopback, or a path in this directory. */
  async address(kind: 'tcp' | 'unix', name: string): Promise<Endpoint> {
    return kind === 'unix'
      ? { kind, path: this.path(`${name}.sock`) }
      : { kind, host: '127.0.0.1', port: await freePort() };
  }

  async start(options: DaemonOptions): Promise<Daemon> {
    const daemon = await Daemon.start(options);
    this.daemons.push(daemon);
    return daemon;
  }

  async close(): Promise<void> {
    for (const daemon of this.daemons.splice(0).reverse()) await daemon.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** A TCP port on loopback that can be bound now. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    if (await canBind(port)) return port;
  }
}

function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
