/**
 * The proxy against a bare two-socket relay and against no relay at all: requests per second and p99 latency of small responses, with
 * a connection per request and with kept connections, and MB/s of large ones. nginx stands in front, a libfcgi program behind, wrk in
 * front of all; recording and decoding are on. The variants take turns within each round and the order rotates, so that a machine whose
 * speed drifts treats them alike: the ratios are what counts.
 *
 *   npm run bench:relay -- [rounds] [seconds per measurement] [connections]
 */
import { execFileSync, spawn as spawnChild } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { spawn as spawnInTerminal } from '@lydell/node-pty';
import { listening } from '../../support/real/listening.js';
import { freePort, Workspace } from '../../support/real/workspace.js';

const [rounds = 5, seconds = 3, connections = 16] = process.argv.slice(2).map(Number);
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const PROXY = here('../../../bin/fcgi-inspect.js');
/** Kept connections pin a libfcgi process each: as many as nginx may keep, and some. */
const WORKERS = 24;
const KEPT = 16;

const VARIANTS = ['direct', 'bare', 'fcgi-inspect', 'fcgi-inspect with TUI'] as const;
type Variant = (typeof VARIANTS)[number];
const CASES = ['connection per request', 'kept connections', 'large bodies'] as const;
type Case = (typeof CASES)[number];

interface Measured {
  readonly rate: number;
  readonly p99: number;
  /** CPU microseconds of the relay per request; per MB for large bodies. */
  readonly cpu: number;
}

const workspace = new Workspace();
const stops: (() => void)[] = [];
try {
  await main();
} finally {
  for (const stop of stops.reverse()) stop();
  await workspace.close();
}

async function main(): Promise<void> {
  const application = workspace.path('application');
  execFileSync('gcc', ['-O2', '-o', application, here('application.c'), '-lfcgi']);

  const sites: { variant: Variant; port: number; pid: number }[] = [];
  for (const variant of VARIANTS) {
    const backend = await startApplication(application);
    if (variant === 'direct') sites.push({ variant, port: backend, pid: 0 });
    else sites.push({ variant, ...(await startRelay(variant, backend)) });
  }
  const http = await freePort();
  await startNginx(
    http,
    sites.map((site) => site.port),
  );

  const results = new Map<string, Measured[]>();
  for (let round = 0; round < rounds; round++)
    for (const which of CASES)
      for (let turn = 0; turn < sites.length; turn++) {
        const index = (turn + round) % sites.length;
        const site = sites[index]!;
        const measured = measure(which, `http://127.0.0.1:${http}`, index, site.pid);
        const key = `${which}/${site.variant}`;
        results.set(key, [...(results.get(key) ?? []), measured]);
        process.stderr.write(
          `round ${round + 1}/${rounds} ${key}: ${measured.rate.toFixed(0)}, p99 ${measured.p99.toFixed(2)} ms, cpu ${measured.cpu.toFixed(1)} µs\n`,
        );
      }
  report(results);
}

function measure(which: Case, base: string, index: number, pid: number): Measured {
  const path =
    which === 'kept connections'
      ? `/kept${index}/`
      : which === 'large bodies'
        ? `/new${index}/?mb=64`
        : `/new${index}/`;
  const clients = which === 'large bodies' ? 2 : connections;
  const before = cpuOf(pid);
  const out = execFileSync(
    'wrk',
    ['-t1', `-c${clients}`, `-d${seconds}s`, '--timeout', '20s', '--latency', base + path],
    { encoding: 'utf8' },
  );
  const used = cpuOf(pid) - before;
  const bad = /Non-2xx or 3xx responses: (\d+)|Socket errors: .*(?:connect|read|write|timeout) [1-9]/.exec(out);
  if (bad) throw new Error(`${which}: the servers answered errors:\n${out}`);
  const requests = Number(/(\d+) requests in/.exec(out)![1]);
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(out)![1]);
  const p99 = milliseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(out)!);
  const megabytes = 64 * 1.048576;
  return which === 'large bodies'
    ? { rate: rate * megabytes, p99, cpu: used / requests / megabytes }
    : { rate, p99, cpu: used / requests };
}

function milliseconds([, figure, unit]: RegExpExecArray): number {
  return Number(figure) * (unit === 'us' ? 0.001 : unit === 'ms' ? 1 : 1000);
}

/** User and system time of a process in microseconds (proc(5), stat: fields 14 and 15 in ticks of 10 ms). */
function cpuOf(pid: number): number {
  if (pid === 0) return 0;
  const stat = execFileSync('cat', [`/proc/${pid}/stat`], { encoding: 'utf8' });
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

async function startApplication(application: string): Promise<number> {
  const port = await freePort();
  const pids = execFileSync(
    'spawn-fcgi',
    ['-a', '127.0.0.1', '-p', String(port), '-F', String(WORKERS), '-b', '4096', application],
    { encoding: 'utf8' },
  );
  for (const [, pid] of pids.matchAll(/PID: (\d+)/g)) stops.push(() => kill(Number(pid)));
  return port;
}

function kill(pid: number): void {
  try {
    process.kill(pid);
  } catch {
    // It has ended by itself.
  }
}

async function startRelay(
  variant: Exclude<Variant, 'direct'>,
  upstream: number,
): Promise<{ port: number; pid: number }> {
  const port = await freePort();
  const options = ['--listen', String(port), '--upstream', String(upstream)];
  let pid: number;
  if (variant === 'fcgi-inspect with TUI') {
    const terminal = spawnInTerminal(process.execPath, [PROXY, ...options], {
      cols: 200,
      rows: 50,
      env: { ...process.env, TERM: 'xterm-256color' },
    });
    terminal.onData(() => {});
    pid = terminal.pid;
  } else {
    const output = openSync('/dev/null', 'w');
    const args =
      variant === 'bare'
        ? [here('bare-relay.js'), String(port), String(upstream)]
        : [PROXY, ...options, '--format', 'lines'];
    pid = spawnChild(process.execPath, args, { stdio: ['ignore', output, 'inherit'] }).pid!;
    closeSync(output);
  }
  stops.push(() => kill(pid));
  while (!listening({ kind: 'tcp', host: '127.0.0.1', port })) await new Promise((resolve) => setTimeout(resolve, 20));
  return { port, pid };
}

async function startNginx(http: number, ports: readonly number[]): Promise<void> {
  const prefix = workspace.directory;
  const temporary = ['client_body', 'fastcgi', 'proxy', 'uwsgi', 'scgi']
    .map((each) => `${each}_temp_path ${prefix}/${each};`)
    .join(' ');
  const configuration = workspace.write(
    'nginx.conf',
    `user root; daemon off; worker_processes 1; pid ${prefix}/pid; error_log ${prefix}/error.log error;
events { worker_connections 1024; }
http {
  access_log off; ${temporary}
  include /etc/nginx/fastcgi_params;
  fastcgi_max_temp_file_size 0;
${ports.map((port, index) => `  upstream kept${index} { server 127.0.0.1:${port} max_fails=0; keepalive ${KEPT}; }`).join('\n')}
  server {
    listen 127.0.0.1:${http};
    keepalive_requests 1000000;
${ports
  .map(
    (port, index) =>
      `    location /new${index}/ { fastcgi_pass 127.0.0.1:${port}; }\n    location /kept${index}/ { fastcgi_pass kept${index}; fastcgi_keep_conn on; }`,
  )
  .join('\n')}
  }
}
`,
  );
  await workspace.start({
    name: 'nginx',
    command: 'nginx',
    args: ['-e', `${prefix}/error.log`, '-p', prefix, '-c', configuration],
    ready: () => listening({ kind: 'tcp', host: '127.0.0.1', port: http }),
    stopSignal: 'SIGTERM',
    log: () => workspace.read('error.log'),
  });
}

function report(results: ReadonlyMap<string, readonly Measured[]>): void {
  console.log(
    `\n${rounds} rounds of ${seconds} s, ${connections} connections; medians, and medians of the ratios to the bare relay in the same round`,
  );
  for (const which of CASES) {
    const unit = which === 'large bodies' ? 'MB/s' : 'req/s';
    console.log(
      `\n${which}\n${'variant'.padEnd(24)}${unit.padStart(10)}${'ratio'.padStart(8)}${'p99 ms'.padStart(10)}${'ratio'.padStart(8)}${'cpu µs'.padStart(10)}`,
    );
    const bare = results.get(`${which}/bare`)!;
    for (const variant of VARIANTS) {
      const own = results.get(`${which}/${variant}`)!;
      const ratio = (figure: keyof Measured): string =>
        median(own.map((each, round) => each[figure] / bare[round]![figure])).toFixed(2);
      console.log(
        variant.padEnd(24) +
          median(own.map((each) => each.rate))
            .toFixed(0)
            .padStart(10) +
          ratio('rate').padStart(8) +
          median(own.map((each) => each.p99))
            .toFixed(2)
            .padStart(10) +
          ratio('p99').padStart(8) +
          median(own.map((each) => each.cpu))
            .toFixed(1)
            .padStart(10),
      );
    }
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
}
