import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Application, startApplication } from '../../src/demo/application.js';
import { type Answer, BackendConnection } from '../../src/demo/backend-connection.js';
import { SCENARIOS } from '../../src/demo/scenarios.js';
import { ProtocolStatus } from '../../src/protocol/fastcgi/constants.js';

let application: Application;
const connections: BackendConnection[] = [];

beforeAll(async () => {
  application = await startApplication();
});

afterAll(async () => {
  await Promise.all(connections.map((connection) => connection.peer.closed));
  await application.stop();
});

async function play(name: string): Promise<readonly Answer[]> {
  const scenario = SCENARIOS.find((each) => each.name === name);
  if (scenario === undefined) throw new Error(`no scenario ${name}`);
  return scenario.run({
    connect: async () => {
      const connection = await BackendConnection.open(application.address);
      connections.push(connection);
      return connection;
    },
    wait: async (milliseconds) => sleep(milliseconds),
  });
}

const COMPLETE = { appStatus: 0, protocolStatus: ProtocolStatus.REQUEST_COMPLETE };

/** By scenario: what STDOUT holds, and what differs from a complete request without STDERR. */
const EXPECTED: Readonly<Record<string, readonly [RegExp, Partial<Record<'stderr' | 'end' | 'how', unknown>>?]>> = {
  'fast page': [/^X-Powered-By.*<h1>Page 2<\/h1>.*Item 24/s],
  'slow page': [/Sales of the year/],
  'large download': [/^Content-Type: application\/octet-stream\r\n/],
  'streamed events': [/^Content-Type: text\/event-stream.*id: 1\n.*id: 14\n/s],
  form: [/<dt>name<\/dt><dd>Ada Lovelace<\/dd>/],
  upload: [/<p>400000 bytes received<\/p>/],
  'JSON list': [/^Status: 200 OK.*"orders":\[\{"id":1/s],
  'JSON post': [/^Status: 201 Created.*"note":"Grüße"/s],
  'warning on STDERR': [/Total/, { stderr: expect.stringContaining('PHP Warning:  Undefined variable $total') }],
  'fatal error': [
    /^Status: 500 /,
    { stderr: expect.stringContaining('PHP Fatal error:  Uncaught TypeError'), end: { ...COMPLETE, appStatus: 255 } },
  ],
  redirect: [/^Status: 302 Found\r\nLocation: \/account.php\r\n/],
  'not found': [/^Status: 404 Not Found/, { stderr: 'Primary script unknown' }],
  overloaded: [/^$/, { end: { appStatus: 0, protocolStatus: ProtocolStatus.OVERLOADED } }],
  'backend closes in the middle': [/^Content-Type: text\/plain.*row imported\n$/s, { end: null, how: 'fin' }],
  'backend resets in the middle': [/^Content-Type: image\/png/, { end: null, how: 'reset' }],
  'access allowed': [/^Status: 200\r\nVariable-REMOTE_USER: alice/],
  'access denied': [/^Status: 403 Forbidden/],
  filter: [/ {3}1 {2}first line\n {3}2 {2}second line\n {3}3 {2}third line\n$/],
  'browser gone while it waits': [/^$/, { end: null, how: 'reset' }],
  'browser gone while it reads': [/id: 1\n/, { end: null, how: 'reset' }],
  'aborted upload': [/^$/],
};

describe('each scenario of one request', () => {
  it.concurrent.each(Object.entries(EXPECTED))('%s', async (name, [stdout, rest]) => {
    const answers = await play(name);
    expect(answers).toHaveLength(1);
    expect(answers[0]).toMatchObject({ stderr: '', end: COMPLETE, how: 'end-request', ...rest });
    expect(answers[0]!.stdout).toMatch(stdout);
  });
});

it('large download: all of it', async () => {
  const [answer] = await play('large download');
  expect(answer!.stdoutLength).toBe(answer!.stdout.indexOf('\r\n\r\n') + 4 + 6_000_000);
});

it('kept connection: four requests, one connection', async () => {
  const before = connections.length;
  const answers = await play('kept connection');
  expect(connections.length - before).toBe(1);
  expect(answers.map((answer) => answer.end)).toEqual([COMPLETE, COMPLETE, COMPLETE, COMPLETE]);
  expect(answers[3]!.stdout).toContain('"orders"');
});

it('multiplexed requests: three at once, each with its own answer', async () => {
  const before = connections.length;
  const answers = await play('multiplexed requests');
  expect(connections.length - before).toBe(1);
  expect(answers.map((answer) => answer.how)).toEqual(['end-request', 'end-request', 'end-request']);
  expect(answers[0]!.stdout).toContain('id: 14');
  expect(answers[1]!.stdoutLength).toBeGreaterThan(90_000);
  expect(answers[2]!.stdout).toContain('id: 14');
});

it('every scenario is expected somewhere above', () => {
  const names = [...Object.keys(EXPECTED), 'kept connection', 'multiplexed requests'].sort();
  expect(SCENARIOS.map((scenario) => scenario.name).sort()).toEqual(names);
});
