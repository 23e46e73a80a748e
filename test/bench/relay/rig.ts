/**
 * What the benchmarks on real servers stand on: a libfcgi program as the backend, nginx in front, relays in between, wrk in front of all.
 */
import { execFileSync, spawn as spawnChild } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { spawn as spawnInTerminal } from '@lydell/node-pty';
import { listening } from '../../support/real/listening.js';
import { freePort, Workspace } from '../../support/real/workspace.js';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const PROGRAM = here('../../../bin/fcgi-inspect.js');
/** Kept connections pin a libfcgi process each: as many as nginx may keep, and some. */
const WORKERS = 24;
const KEPT = 16;

export interface Relayed {
  readonly port: number;
  readonly pid: number;
}

export interface Load {
  readonly requests: number;
  readonly perSecond: number;
  readonly p99: number;
}

export class Rig {
  readonly workspace = new Workspace();
  private readonly stops: (() => void)[] = [];
  private application = '';

  async close(): Promise<void> {
    for (const stop of this.stops.reverse()) stop();
    await this.workspace.close();
  }

  /** The port of a new set of backend processes. */
  async backend(): Promise<number> {
    if (this.application === '') {
      this.application = this.workspace.path('application');
      execFileSync('gcc', ['-O2', '-o', this.application, here('application.c'), '-lfcgi']);
    }
    const port = await freePort();
    const told = execFileSync(
      'spawn-fcgi',
      ['-a', '127.0.0.1', '-p', String(port), '-F', String(WORKERS), '-b', '4096', this.application],
      { encoding: 'utf8' },
    );
    for (const [, pid] of told.matchAll(/PID: (\d+)/g)) this.stops.push(() => kill(Number(pid)));
    return port;
  }

  bareRelay(upstream: number): Promise<Relayed> {
    return this.relay((port) => [here('bare-relay.js'), port, String(upstream)], false);
  }

  /** fcgi-inspect with lines on /dev/null, or with its terminal UI on a terminal of 200×50 that is read. */
  inspector(upstream: number, terminal: boolean, options: readonly string[] = []): Promise<Relayed> {
    return this.relay(
      (port) => [
        PROGRAM,
        '--listen',
        port,
        '--upstream',
        String(upstream),
        ...(terminal ? [] : ['--format', 'lines']),
        ...options,
      ],
      terminal,
    );
  }

  private async relay(args: (port: string) => string[], terminal: boolean): Promise<Relayed> {
    const port = await freePort();
    let pid: number;
    if (terminal) {
      const pty = spawnInTerminal(process.execPath, args(String(port)), {
        cols: 200,
        rows: 50,
        env: { ...process.env, TERM: 'xterm-256color' },
      });
      pty.onData(() => {});
      pid = pty.pid;
    } else {
      const output = openSync('/dev/null', 'w');
      pid = spawnChild(process.execPath, args(String(port)), { stdio: ['ignore', output, 'inherit'] }).pid!;
      closeSync(output);
    }
    this.stops.push(() => kill(pid));
    while (!listening({ kind: 'tcp', host: '127.0.0.1', port }))
      await new Promise((resolve) => setTimeout(resolve, 20));
    return { port, pid };
  }

  /**
   * nginx in front of each of `ports`: `/newN/` takes a connection a request to the Nth, `/keptN/` keeps its connections.
   * @returns the base of its URLs
   */
  async nginx(ports: readonly number[]): Promise<string> {
    const http = await freePort();
    const prefix = this.workspace.directory;
    const temporary = ['client_body', 'fastcgi', 'proxy', 'uwsgi', 'scgi']
      .map((each) => `${each}_temp_path ${prefix}/${each};`)
      .join(' ');
    const upstreams = ports.map(
      (port, n) => `upstream kept${n} { server 127.0.0.1:${port} max_fails=0; keepalive ${KEPT}; }`,
    );
    const locations = ports.map(
      (port, n) =>
        `location /new${n}/ { fastcgi_pass 127.0.0.1:${port}; }\nlocation /kept${n}/ { fastcgi_pass kept${n}; fastcgi_keep_conn on; }`,
    );
    const configuration = this.workspace.write(
      'nginx.conf',
      `user root; daemon off; worker_processes 1; pid ${prefix}/pid; error_log ${prefix}/error.log error;
events { worker_connections 1024; }
http {
  access_log off; ${temporary}
  include /etc/nginx/fastcgi_params;
  fastcgi_max_temp_file_size 0;
  ${upstreams.join('\n')}
  server {
    listen 127.0.0.1:${http};
    keepalive_requests 1000000;
    ${locations.join('\n')}
  }
}
`,
    );
    await this.workspace.start({
      name: 'nginx',
      command: 'nginx',
      args: ['-e', `${prefix}/error.log`, '-p', prefix, '-c', configuration],
      ready: () => listening({ kind: 'tcp', host: '127.0.0.1', port: http }),
      stopSignal: 'SIGTERM',
      log: () => this.workspace.read('error.log'),
    });
    return `http://127.0.0.1:${http}`;
  }
}

/**
 * Runs wrk. Asynchronous, so that terminals go on being read meanwhile.
 * @throws when a server answered anything but success
 */
export async function load(url: string, clients: number, seconds: number): Promise<Load> {
  const child = spawnChild('wrk', ['-t1', `-c${clients}`, `-d${seconds}s`, '--timeout', '20s', '--latency', url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  await new Promise((resolve) => child.once('close', resolve));
  if (/Non-2xx or 3xx responses: \d+|Socket errors: .*(?:connect|read|write|timeout) [1-9]/.test(out))
    throw new Error(`${url}: the servers answered errors:\n${out}`);
  const [, figure, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(out)!;
  return {
    requests: Number(/(\d+) requests in/.exec(out)![1]),
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)![1]),
    p99: Number(figure) * (unit === 'us' ? 0.001 : unit === 'ms' ? 1 : 1000),
  };
}

/** User and system time of a process in microseconds (proc(5), stat: fields 14 and 15 in ticks of 10 ms). */
export function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** Resident memory in bytes. */
export function memoryOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
}

function kill(pid: number): void {
  try {
    process.kill(pid);
  } catch {
    // It has ended by itself.
  }
}
