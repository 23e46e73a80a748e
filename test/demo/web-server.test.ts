import { afterEach, describe, expect, it } from 'vitest';
import { startApplication } from '../../src/demo/application.js';
import { BackendConnection } from '../../src/demo/backend-connection.js';
import { requestParams } from '../../src/demo/request-params.js';
import { SCENARIOS } from '../../src/demo/scenarios.js';
import { scenarioOrder, startWebServer } from '../../src/demo/web-server.js';
import { RecordType } from '../../src/protocol/fastcgi/constants.js';
import { decodePairs } from '../../src/protocol/fastcgi/name-value.js';
import { type FaultBackend, SCRIPTS, type Script, startFaultBackend } from '../support/fault-backend.js';
import { openHandles } from '../support/open-handles.js';

const backends: FaultBackend[] = [];

afterEach(async () => {
  for (const backend of backends.splice(0)) await backend.stop();
});

async function backendWith(scripts: Script | readonly Script[]): Promise<FaultBackend> {
  const backend = await startFaultBackend(scripts);
  backends.push(backend);
  return backend;
}

describe('the order', () => {
  const names = (seed: number, count: number) => {
    const order = scenarioOrder(seed);
    return Array.from({ length: count }, () => order.next().value.name);
  };
  const round = SCENARIOS.reduce((sum, scenario) => sum + scenario.weight, 0);

  it('is fixed by the seed', () => {
    expect(names(7, 100)).toEqual(names(7, 100));
    expect(names(7, 100)).not.toEqual(names(8, 100));
  });

  it('has every scenario in every round, as often as its weight says', () => {
    const two = names(3, 2 * round);
    for (const part of [two.slice(0, round), two.slice(round)]) {
      for (const { name, weight } of SCENARIOS) expect(part.filter((each) => each === name)).toHaveLength(weight);
    }
    expect(two.slice(0, round)).not.toEqual(two.slice(round));
  });
});

describe('the mix', () => {
  it('plays a whole round against the application, and leaves nothing open', async () => {
    await expect.poll(openHandles, { timeout: 5_000 }).toEqual([]);
    const application = await startApplication();
    const failures: string[] = [];
    const web = startWebServer(application.address, {
      seed: 5,
      pace: 30,
      onFailure: (scenario) => failures.push(scenario.name),
    });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await web.stop();
    await application.stop();
    expect(failures).toEqual([]);
    await expect.poll(openHandles, { timeout: 5_000 }).toEqual([]);
  });

  it('stops at once when it gets no time, though the backend hangs', async () => {
    await expect.poll(openHandles, { timeout: 5_000 }).toEqual([]);
    const backend = await startFaultBackend(SCRIPTS.neverAnswers());
    const web = startWebServer(backend.address, { pace: 5 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    // Not more than it may have under way, each on one connection.
    expect(backend.connections.length).toBeLessThanOrEqual(21);
    expect(backend.connections.length).toBeGreaterThan(10);
    await web.stop(0);
    await backend.stop();
    await expect.poll(openHandles, { timeout: 5_000 }).toEqual([]);
  });

  it('goes on, slowly, when nobody listens', async () => {
    const backend = await startFaultBackend(SCRIPTS.neverAnswers());
    await backend.stop();
    const failures: Error[] = [];
    const web = startWebServer(backend.address, { pace: 5, onFailure: (_, error) => failures.push(error) });
    await new Promise((resolve) => setTimeout(resolve, 200));
    await web.stop();
    expect(failures.length).toBeGreaterThan(0);
    expect(failures.length).toBeLessThan(5);
    expect(failures[0]).toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('a connection to the backend', () => {
  const PLAN = {
    params: requestParams({ uri: '/x.php', contentLength: 70_000 }),
    stdin: new Uint8Array(70_000).fill(1),
  };

  it('sends what nginx sends', async () => {
    const backend = await backendWith(SCRIPTS.answers());
    const connection = await BackendConnection.open(backend.address);
    const answer = await connection.request(PLAN);
    expect(answer).toMatchObject({ stdout: expect.stringContaining('ok\n'), how: 'end-request' });
    await connection.close();
    const { records } = backend.connections[0]!;
    expect(records.map(({ type, content }) => [type, content.length])).toEqual([
      [RecordType.BEGIN_REQUEST, 8],
      [RecordType.PARAMS, expect.any(Number)],
      [RecordType.PARAMS, 0],
      [RecordType.STDIN, 32_768],
      [RecordType.STDIN, 32_768],
      [RecordType.STDIN, 4_464],
      [RecordType.STDIN, 0],
    ]);
    for (const { content, padding } of records) expect((content.length + padding) % 8).toBe(0);
    expect(decodePairs(records[1]!.content).params).toHaveLength(25);
  });

  it.each([
    ['closes', SCRIPTS.closesWithoutAnswer(), 'fin', 0],
    ['resets', SCRIPTS.resetsWithoutAnswer(), 'reset', 0],
    ['closes in the middle of a record', SCRIPTS.closesInRecord(), 'fin', 28],
    ['resets in the middle', SCRIPTS.resetsInAnswer(), 'reset', 35],
    ['does not speak FastCGI', SCRIPTS.garbage(), 'reset', 0],
  ])('says that the backend %s', async (_, script, how, length) => {
    const backend = await backendWith(script);
    const connection = await BackendConnection.open(backend.address);
    expect(await connection.request(PLAN)).toMatchObject({ end: null, how, stdoutLength: length });
    await connection.close();
  });

  it('waits for a backend that does not read', async () => {
    const backend = await backendWith(async (connection) => {
      connection.socket.pause();
      await connection.wait(200);
      connection.socket.resume();
      await SCRIPTS.answers()(connection);
    });
    const connection = await BackendConnection.open(backend.address);
    const stdin = new Uint8Array(20_000_000);
    expect(await connection.request({ params: PLAN.params, stdin })).toMatchObject({ how: 'end-request' });
    expect(backend.connections[0]!.stream(RecordType.STDIN).length).toBe(stdin.length);
    await connection.close();
  });
});
