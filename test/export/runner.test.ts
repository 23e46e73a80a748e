import { describe, expect, it } from 'vitest';
import { pump } from '../../src/export/runner.js';
import type { Output } from '../../src/model/output.js';
import { BEGIN, connectionSummary, finding, storedExchange } from '../support/exchange-fixture.js';
import { FakeInspection } from '../support/fake-inspection.js';

/** Notes what it is told; `gate` is awaited before each request. */
function noting(gate: () => Promise<void> = async () => {}): Output & { readonly told: string[] } {
  const told: string[] = [];
  return {
    told,
    async exchange(exchange) {
      await gate();
      told.push(`request ${exchange.n}`);
    },
    async connection(connection) {
      told.push(`connection ${connection.connection}`);
    },
    async end(summary) {
      told.push(`end ${summary.shown}/${summary.requests}`);
    },
  };
}

const request = (n: number, status = 200) =>
  storedExchange({ n, stdout: `Status: ${status}\r\n\r\n`, begin: BEGIN + n * 1000 });
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('pump with rows', () => {
  const rows = (): Output & { readonly told: string[] } => {
    const told: string[] = [];
    return {
      told,
      async rows(page) {
        told.push(page.map((row) => row.n).join(' '));
      },
      async end(summary) {
        told.push(`end ${summary.shown}/${summary.requests}`);
      },
    };
  };

  it('gives what has settled at once, filtered by row or by what the store holds', async () => {
    for (const filter of [
      'status == 500',
      'status == 500 and header.Status == "500"',
      'status == 500 and stdout contains "500"',
    ]) {
      const inspection = new FakeInspection().put(request(1, 500), request(2), request(3, 500)).finish();
      const output = rows();
      const { summary } = await pump(inspection, [output], { filter });
      expect(output.told).toEqual(['1 3', 'end 2/3']);
      expect(summary).toMatchObject({ shown: 2, hidden: 1, outcomes: { completed: 3 } });
    }
  });

  it('stops in the middle of a page', async () => {
    const output = rows();
    await pump(new FakeInspection().put(request(1), request(2), request(3)), [output], { count: 2 });
    expect(output.told).toEqual(['1 2', 'end 2/3']);
  });
});

describe('pump', () => {
  it('gives everything once, in order, and ends when the session has', async () => {
    const inspection = new FakeInspection();
    const output = noting();
    const running = pump(inspection, [output]);
    await turn();
    inspection.put(request(2));
    await turn();
    expect(output.told).toEqual(['request 2']);
    inspection.put(request(1)).putConnection(connectionSummary());
    for (let n = 3; n <= 300; n++) inspection.put(request(n));
    inspection.finish();
    const { summary, failures } = await running;
    expect(output.told.slice(0, 4)).toEqual(['request 2', 'request 1', 'connection 1', 'request 3']);
    expect(output.told).toHaveLength(302);
    expect(output.told.at(-1)).toBe('end 300/300');
    expect(failures).toEqual([]);
    expect(summary).toMatchObject({ requests: 300, completed: 300, outcomes: { completed: 300 }, hidden: 0 });
    // From the connection's first packet to the last request's end.
    expect(summary.seconds).toBeCloseTo(0.3 + 0.0131 + 0.0001, 6);
  });

  it('does not miss a change that comes while it writes', async () => {
    const inspection = new FakeInspection().put(request(1));
    let once = true;
    const output = noting(async () => {
      if (once) inspection.put(request(2)).finish();
      once = false;
    });
    await pump(inspection, [output]);
    expect(output.told).toEqual(['request 1', 'request 2', 'end 2/2']);
  });

  it('applies the display filter to requests, also one that reads bodies, and counts the rest', async () => {
    const inspection = new FakeInspection()
      .put(request(1, 500), request(2), storedExchange({ n: 3, stderr: 'PHP Warning: x' }))
      .putConnection(connectionSummary())
      .finish();
    const output = noting();
    const { summary } = await pump(inspection, [output], { filter: 'status >= 500 or stderr contains "Warning"' });
    expect(output.told).toEqual(['request 1', 'request 3', 'connection 1', 'end 2/3']);
    expect(summary).toMatchObject({ shown: 2, hidden: 1, outcomes: { completed: 3 } });
    await expect(pump(inspection, [noting()], { filter: 'status >' })).rejects.toMatchObject({ code: 'bad-filter' });
  });

  it('stops after a number of requests, for every output alike', async () => {
    const inspection = new FakeInspection().put(request(1), request(2, 500), request(3, 500), request(4, 500));
    const outputs = [noting(), noting()];
    await pump(inspection, outputs, { count: 2, filter: 'status == 500' });
    for (const output of outputs) expect(output.told).toEqual(['request 2', 'request 3', 'end 2/4']);
  });

  it('ends the outputs when it is interrupted', async () => {
    const inspection = new FakeInspection().put(request(1));
    const controller = new AbortController();
    const output = noting();
    const running = pump(inspection, [output], { signal: controller.signal });
    await turn();
    controller.abort();
    await running;
    expect(output.told).toEqual(['request 1', 'end 1/1']);
  });

  it('lets no output wait for another, and reports one that fails', async () => {
    const inspection = new FakeInspection().put(request(1));
    let open = () => {};
    const slow = noting(() => new Promise((resolve) => (open = resolve)));
    const broken = noting(async () => {
      throw new Error('EPIPE');
    });
    const quick = noting();
    const running = pump(inspection, [slow, broken, quick]);
    await turn();
    inspection.put(request(2)).finish();
    await turn();
    await turn();
    expect(quick.told).toEqual(['request 1', 'request 2', 'end 2/2']);
    expect(slow.told).toEqual([]);
    while (slow.told.length < 3) {
      open();
      await turn();
    }
    const { failures } = await running;
    expect(failures).toMatchObject([{ output: 1, error: { message: 'EPIPE' } }]);
    expect(broken.told).toEqual(['end 1/1']);
  });

  it('ends the outputs when the session has died', async () => {
    const inspection = new FakeInspection().put(storedExchange({ findings: [finding('x')] }));
    const output = noting();
    const running = pump(inspection, [output]);
    await turn();
    const dead = () => Promise.reject(new Error('the worker has died'));
    inspection.settled = dead;
    inspection.overview = dead;
    inspection.changed();
    const { failures, summary } = await running;
    expect(output.told).toEqual(['request 1', 'end 1/1']);
    expect(failures).toMatchObject([{ output: 0, error: { message: 'the worker has died' } }]);
    expect(summary).toMatchObject({ requests: 1, completed: 1, findings: { error: 1 }, startedAt: BEGIN });
  });

  it('counts what was evicted before it could be given out', async () => {
    const inspection = new FakeInspection()
      .put(request(1), request(2))
      .evict(1)
      .setOverview({
        spool: { path: null, bytes: 0, lost: 77, error: null },
      });
    inspection.finish();
    const output = noting();
    const { summary } = await pump(inspection, [output]);
    expect(output.told).toEqual(['request 2', 'end 1/2']);
    expect(summary).toMatchObject({ skipped: 1, evicted: 1, lostBytes: 77 });
  });

  it('sees a session through without outputs', async () => {
    const stored = storedExchange({ outcome: 'backend-reset', findings: [finding('x'), finding('y', 'note')] });
    const { summary } = await pump(new FakeInspection().put(stored).finish(), []);
    expect(summary).toMatchObject({
      outcomes: { 'backend-reset': 1 },
      completed: 0,
      findings: { error: 1, warning: 0, note: 1 },
    });
    expect((await pump(new FakeInspection().finish(), [])).summary.seconds).toBe(0);
  });
});
