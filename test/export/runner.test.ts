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

describe('pump over a source that it drives', () => {
  /** Puts one request more with each advance, up to `last`. */
  function driven(last: number): {
    inspection: FakeInspection;
    advance: () => Promise<boolean>;
    advances: () => number;
  } {
    const inspection = new FakeInspection();
    let n = 0;
    return {
      inspection,
      advances: () => n,
      async advance() {
        await turn();
        n += 1;
        if (n <= last) inspection.put(request(n));
        else inspection.finish();
        return n <= last;
      },
    };
  }

  it('asks for more only when every output has been given all there is', async () => {
    const { inspection, advance, advances } = driven(20);
    let ahead = 0;
    const quick = noting();
    const slow = noting(async () => {
      for (let i = 0; i < 3; i += 1) await turn();
      ahead = Math.max(ahead, advances() - slow.told.length);
    });
    await pump(inspection, [quick, slow], { advance });
    expect(quick.told).toHaveLength(21);
    expect(slow.told).toEqual(quick.told);
    expect(ahead).toBe(1);
  });

  it('goes on for the others when one fails, and ends when all have', async () => {
    const broken = (at: number) => {
      let count = 0;
      return noting(async () => {
        count += 1;
        if (count === at) throw new Error('EPIPE');
      });
    };
    const one = driven(10);
    const whole = noting();
    const result = await pump(one.inspection, [broken(3), whole], { advance: one.advance });
    expect(whole.told).toHaveLength(11);
    expect(result.failures).toMatchObject([{ output: 0 }]);
    const other = driven(1_000);
    const { failures } = await pump(other.inspection, [broken(3), broken(5)], { advance: other.advance });
    expect(failures).toHaveLength(2);
    expect(other.advances()).toBe(5);
  });

  it('ends with the count and with the signal', async () => {
    const one = driven(1_000);
    await pump(one.inspection, [noting(), noting()], { advance: one.advance, count: 4 });
    expect(one.advances()).toBe(4);
    const other = driven(1_000);
    const controller = new AbortController();
    const output = noting(async () => {
      if (other.advances() === 6) controller.abort();
    });
    await pump(other.inspection, [output], { advance: other.advance, signal: controller.signal });
    expect(other.advances()).toBe(6);
    expect(output.told.at(-1)).toMatch(/^end/);
  });

  it('reports a source that fails, and ends the outputs', async () => {
    const inspection = new FakeInspection().put(request(1));
    const outputs = [noting(), noting()];
    const { failures } = await pump(inspection, outputs, { advance: () => Promise.reject(new Error('a defect')) });
    expect(failures).toMatchObject([{ error: { message: 'a defect' } }, { error: { message: 'a defect' } }]);
    for (const { told } of outputs) expect(told).toEqual(['request 1', 'end 1/1']);
  });

  it('flushes each output after what there was, so that nothing lies about while more is waited for', async () => {
    const { inspection, advance } = driven(3);
    const told: string[] = [];
    const output: Output = {
      exchange: async ({ n }) => void told.push(`request ${n}`),
      connection: async () => {},
      flush: async () => void told.push('flush'),
      end: async () => void told.push('end'),
    };
    await pump(inspection, [output], { advance });
    expect(told.filter((word, i) => word !== 'flush' || told[i - 1] !== 'flush')).toEqual([
      'flush',
      'request 1',
      'flush',
      'request 2',
      'flush',
      'request 3',
      'flush',
      'end',
    ]);
  });
});
