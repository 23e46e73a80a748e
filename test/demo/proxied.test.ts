import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DebuggingProxy } from '../../src/capture/proxy.js';
import { type Application, startApplication } from '../../src/demo/application.js';
import { BackendConnection } from '../../src/demo/backend-connection.js';
import { SCENARIOS } from '../../src/demo/scenarios.js';
import type { Endpoint } from '../../src/model/connection.js';
import type { ExchangeRow } from '../../src/model/exchange.js';
import { fastcgi } from '../../src/protocol/fastcgi/analyzer.js';
import { recordingSession } from '../../src/session/recording-session.js';
import type { Session } from '../../src/session/session.js';

/** The demo as its user sees it: every scenario through the real proxy, and what the session makes of it. */

let application: Application;
let session: Session;
let address: Endpoint;
let last = 0;

beforeAll(async () => {
  application = await startApplication();
  const clock = () => Date.now() * 1_000;
  const route = { listen: { kind: 'tcp', host: '127.0.0.1', port: 0 }, upstream: application.address } as const;
  const proxy = new DebuggingProxy([route], clock, () => {});
  session = recordingSession({ source: proxy, protocol: fastcgi, clock });
  await session.start();
  address = proxy.endpoints[0]!;
});

afterAll(async () => {
  await session.stop(0);
  await session.close();
  await application.stop();
});

async function play(name: string): Promise<readonly ExchangeRow[]> {
  const connect = () => BackendConnection.open(address);
  await SCENARIOS.find((each) => each.name === name)!.run({ connect, wait: async (ms) => sleep(ms) });
  const before = last;
  // The proxy tells what has passed a little later.
  await sleep(50);
  await expect.poll(async () => (await session.overview()).exchanges, { timeout: 5_000 }).toMatchObject({ open: 0 });
  const rows = await shown(`n > ${before}`);
  last = rows.at(-1)?.n ?? last;
  return rows;
}

async function shown(filter: string): Promise<readonly ExchangeRow[]> {
  const query = { filter, order: 'n', reverse: false, from: 0, count: 1_000 } as const;
  await expect.poll(async () => (await session.rows(query)).searching, { timeout: 5_000 }).toBe(false);
  return (await session.rows(query)).rows;
}

const OUTCOMES: Readonly<Record<string, readonly (readonly [outcome: string, status: number | null])[]>> = {
  'slow page': [['completed', 200]],
  'large download': [['completed', 200]],
  upload: [['completed', 200]],
  'JSON post': [['completed', 201]],
  'fatal error': [['completed', 500]],
  redirect: [['completed', 302]],
  'not found': [['completed', 404]],
  overloaded: [['rejected', null]],
  'backend closes in the middle': [['backend-closed', 200]],
  'backend resets in the middle': [['backend-reset', 200]],
  'access allowed': [['completed', 200]],
  'access denied': [['completed', 403]],
  filter: [['completed', 200]],
  'kept connection': Array(4).fill(['completed', 200]),
  'multiplexed requests': Array(3).fill(['completed', 200]),
  // The application does not hear of it until it answers, so the answer came too.
  'browser gone while it waits': [['web-server-closed', 200]],
  'browser gone while it reads': [['web-server-closed', 200]],
  'aborted upload': [['aborted', null]],
};

it.each(Object.entries(OUTCOMES))('%s', async (name, expected) => {
  const rows = await play(name);
  expect(rows.map(({ outcome, status }) => [outcome, status])).toEqual(expected);
  expect(rows.every((row) => row.problems === 0 || row.outcome === 'backend-closed')).toBe(true);
});

it('filters find their requests, in rows, params, headers and bodies', async () => {
  const paths = async (filter: string) => [...new Set((await shown(filter)).map((row) => new URL(row.url!).pathname))];
  expect(await paths('ttfb > 1s')).toEqual(['/report.php']);
  expect(await paths('size.out > 1MB')).toEqual(['/export.php']);
  expect(await paths('param.FCGI_DATA_LENGTH > 0')).toEqual(['/terms.txt']);
  expect(await paths('header.location == /account.php')).toEqual(['/login.php']);
  expect(await paths('stderr contains "Uncaught TypeError"')).toEqual(['/checkout.php']);
  expect(await paths('stdin contains "Grüße"')).toEqual(['/api/orders.php']);
  expect(await paths('data matches "^first"')).toEqual(['/terms.txt']);
  expect(await paths('stdout contains "row imported\\nrow" and outcome matches ^backend-')).toEqual(['/import.php']);
  expect(await paths('role == authorizer and status in {400..499}')).toEqual(['/staff/prices.php']);
});
