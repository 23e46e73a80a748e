import { Agent } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import type { Endpoint } from '../../../src/model/connection.js';
import { startApache } from '../../support/real/apache.js';
import { startCaddy } from '../../support/real/caddy.js';
import { startHaproxy } from '../../support/real/haproxy.js';
import { http } from '../../support/real/http.js';
import { startLighttpd } from '../../support/real/lighttpd.js';
import type { NdjsonRequest } from '../../support/real/ndjson.js';
import { startNginx } from '../../support/real/nginx.js';
import { startPhpFpm } from '../../support/real/php.js';
import { ProxyUnderTest } from '../../support/real/proxy.js';
import { requireServers, type Server } from '../../support/real/requirements.js';
import { Workspace } from '../../support/real/workspace.js';
import { SLOW_VISIT, VISITS, type Visit } from './healthy-mix.js';

/**
 * Nothing is wrong with what goes by here, and nothing must be said to be wrong: 10 000 requests through every web server at hand. What a
 * rule takes for a failure in it, it would cry over on every site.
 */

const REQUESTS_EACH = 1_120;
/** HTTP connections at a time, each used again and again. */
const CLIENTS = 4;
/** One in so many is slow. */
const SLOW_EVERY = 160;

/** Notes that are no alarm, and why they are right here. */
const NOTES: Readonly<Record<string, string>> = {
  'authorization-missing':
    'a browser’s first request has no Authorization either; behind Apache and HAProxy, which keep it to themselves unless told, that is worth a word',
  'finish-request-blocks-connection':
    'a slow request on a kept connection looks like one that waited for its worker; that it was slow itself is the alternative it names',
};

interface Ground {
  readonly server: Server;
  readonly kind: 'tcp' | 'unix';
  /** Gives the HTTP port. */
  readonly start: (workspace: Workspace, backend: Endpoint) => Promise<number>;
  /** What it does not pass on. */
  readonly refuses?: RegExp;
  /** What it makes of a status. */
  readonly rewrites?: Readonly<Record<number, number>>;
}

/** HAProxy 2.6 takes the status of any response with a Location for 302. */
const HAPROXY = { server: 'haproxy', kind: 'tcp', rewrites: { 303: 302 } } as const;

const GROUNDS: Readonly<Record<string, Ground>> = {
  nginx: { server: 'nginx', kind: 'tcp', start: nginx(false) },
  'nginx with fastcgi_keep_conn': { server: 'nginx', kind: 'tcp', start: nginx(true) },
  'nginx over a Unix socket': { server: 'nginx', kind: 'unix', start: nginx(false) },
  lighttpd: {
    server: 'lighttpd',
    kind: 'tcp',
    start: async (workspace, site) => (await startLighttpd(workspace, { site })).sites.site.port,
    // Control characters, also encoded ones: 400.
    refuses: /%0D/,
  },
  'Apache mod_proxy_fcgi': { server: 'apache2', kind: 'tcp', start: on(startApache, false) },
  'Apache with enablereuse': { server: 'apache2', kind: 'tcp', start: on(startApache, true) },
  Caddy: { server: 'caddy', kind: 'tcp', start: async (...where) => (await startCaddy(...where)).port },
  HAProxy: { ...HAPROXY, start: on(startHaproxy, false) },
  'HAProxy with keep-conn': { ...HAPROXY, start: on(startHaproxy, true) },
};

for (const [name, { server, kind, start, refuses, rewrites = {} }] of Object.entries(GROUNDS)) {
  requireServers(server, 'php-fpm')(`healthy requests through ${name}`, () => {
    it('are completed, and no finding is an error or a warning', async () => {
      const workspace = new Workspace();
      onTestFinished(() => workspace.close());
      const upstream = await workspace.address(kind, 'backend');
      const listen = await workspace.address(kind, 'proxy');
      await startPhpFpm(workspace, upstream);
      const proxy = await ProxyUnderTest.start(workspace, [{ listen, upstream }]);
      const visits = plan(refuses);
      const answers = await make(visits, await start(workspace, listen));
      expect(counted(answers)).toEqual(
        counted(visits.map((visit) => told(visit, rewrites[visit.status] ?? visit.status))),
      );
      const { requests, summary } = await proxy.stop();
      expect(requests).toHaveLength(visits.length);
      expect(counted(requests.map(({ outcome }) => outcome))).toEqual({ completed: visits.length });
      expect(counted(requests.map(({ status }) => status))).toEqual(counted(visits.map(({ status }) => status)));
      expect(alarms(requests)).toEqual([]);
      expect(notes(requests).filter((id) => !(id in NOTES))).toEqual([]);
      expect(summary).toMatchObject({ requests: visits.length, findings: { error: 0, warning: 0 } });
    }, 60_000);
  });
}

/** The same mix each time, each visit about as often. */
function plan(refused: RegExp | undefined): Visit[] {
  const passed = VISITS.filter(({ path }) => refused?.test(path) !== true);
  return Array.from({ length: REQUESTS_EACH }, (_, i) =>
    i % SLOW_EVERY === SLOW_EVERY - 1 ? SLOW_VISIT : passed[i % passed.length]!,
  );
}

function told({ method = 'GET', path }: Visit, answer: string | number | null): string {
  return `${method} ${path.slice(0, 120)}: ${answer}`;
}

/** What each was answered, with the words of the plan. */
async function make(visits: readonly Visit[], port: number): Promise<string[]> {
  const answers: string[] = [];
  let next = 0;
  const client = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (next < visits.length) {
      const visit = visits[next]!;
      next += 1;
      const { status, complete, error } = await http({ ...visit, port, agent });
      answers.push(told(visit, complete ? status : (error ?? 'not to its end')));
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return answers;
}

function counted(all: readonly unknown[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of all) counts[String(one)] = (counts[String(one)] ?? 0) + 1;
  return counts;
}

/** What each says of whom; a few of them tell enough. */
function alarms(requests: readonly NdjsonRequest[]): string[] {
  return requests
    .flatMap(({ findings, method, url, status }) =>
      findings
        .filter(({ severity }) => severity !== 'note')
        .map(({ id, severity, detail }) => `${severity} ${id}: ${method} ${url} ${status}: ${detail}`),
    )
    .slice(0, 20);
}

function notes(requests: readonly NdjsonRequest[]): string[] {
  return [...new Set(requests.flatMap(({ findings }) => findings.map(({ id }) => id)))];
}

function nginx(keepConnections: boolean): Ground['start'] {
  return async (workspace, site) => (await startNginx(workspace, { site }, { keepConnections })).sites.site.port;
}

function on(start: typeof startApache | typeof startHaproxy, keepConnections: boolean): Ground['start'] {
  return async (workspace, backend) => (await start(workspace, backend, { keepConnections })).port;
}
