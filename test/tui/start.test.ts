import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { Overview, RowPage, RowQuery } from '../../src/model/inspection.js';
import { restore, type TuiOptions } from '../../src/tui/start.js';
import { stdoutOf, storedExchange } from '../support/exchange-fixture.js';
import { FakeInspection } from '../support/fake-inspection.js';
import { mixedRequest, mixedRequests } from './fixtures/requests.js';
import { VirtualTui } from './virtual-tui.js';

let tui: VirtualTui | null = null;

function start(
  inspection: FakeInspection,
  options: TuiOptions = {},
  size?: { columns: number; rows: number },
): VirtualTui {
  tui = new VirtualTui(inspection, options, size);
  return tui;
}

afterEach(async () => {
  await tui?.close();
  tui = null;
});

/** What stands in the row above the status line. */
function lastRow(text: string): string {
  return text.split('\n').at(-3)!;
}

describe('a tab with more than fits', () => {
  it('says which lines are seen, and of how many', async () => {
    const tui = start(new FakeInspection().put(mixedRequest(2)), {}, { columns: 100, rows: 24 });
    await tui.until('[1/1]');
    const text = await tui.see('\r2', / 1-\d+\/\d+ /);
    expect(text.split('\n').find((line) => line.includes('2 Params'))).toMatch(/─ 1-\d+\/\d+ *$/);
    await tui.see('j', / 2-\d+\/\d+ /);
  });
});

describe('the list', () => {
  it('follows the newest request until it is moved, and again when asked to', async () => {
    const inspection = new FakeInspection().put(...mixedRequests(40));
    const tui = start(inspection);
    await tui.until('[40/40] [following]');
    inspection.put(mixedRequest(41));
    expect(lastRow(await tui.until('[41/41] [following]'))).toMatch(/^ +41 /);
    await tui.see('k', '[40/41]');
    inspection.put(...mixedRequests(45).slice(41));
    const text = await tui.until('[40/45]');
    expect(text).not.toContain('[following]');
    expect(lastRow(text)).toMatch(/ 41 /);
    await tui.see('G', '[45/45] [following]');
  });

  it('stays with the selected request while others go', async () => {
    const inspection = new FakeInspection().put(...mixedRequests(40));
    const tui = start(inspection);
    await tui.until('[40/40]');
    await tui.see('20G', '[20/40]');
    const before = (await tui.text()).split('\n').findIndex((row) => / 20 /.test(row));
    for (let n = 1; n <= 15; n++) inspection.evict(n);
    const text = await tui.until('[5/25]');
    expect(text).toContain('evicted 15');
    expect(text.split('\n').findIndex((row) => / 20 /.test(row))).toBeLessThanOrEqual(before);
    inspection.evict(20);
    expect(await tui.until('[5/24]')).toContain('request 20 is no longer in the list');
  });

  it('selects a neighbour when the filter takes the selected one away', async () => {
    const tui = start(new FakeInspection().put(...mixedRequests(40)));
    await tui.until('[40/40]');
    await tui.see('k', '[39/40]');
    await tui.see('fstatus == 500\r', '[5/5]');
    await tui.see('\r', '#34 POST');
  });

  it('orders and reverses', async () => {
    const tui = start(new FakeInspection().put(...mixedRequests(16)), { follow: false });
    await tui.until('[1/16]');
    await tui.see('oo', 'by duration');
    // The new order stands in the status line at once, its rows come with the next page.
    const text = await tui.see('vg', /^(?:.*\n){3}.* 901ms[\s\S]*\[1\/16\].*\[by duration, reversed\]/);
    expect(text).toContain('total↓');
  });

  it('moves by pages and ends at the ends', async () => {
    const tui = start(new FakeInspection().put(...mixedRequests(200)), { follow: false });
    await tui.until('[1/200]');
    await tui.see(' ', '[25/200]');
    await tui.see('\x04', '[36/200]');
    await tui.see('\x15', '[25/200]');
    await tui.see('\x02\x02', '[1/200]');
    await tui.see('k', '[1/200]');
    await tui.see('150jj', '[152/200]');
    expect(lastRow(await tui.see('150j', '[200/200]'))).toMatch(/ 200 /);
  });

  it('says that a number is not there', async () => {
    const tui = start(new FakeInspection().put(...mixedRequests(5)));
    await tui.until('[5/5]');
    await tui.see('77G', 'request 77 is not in the list');
  });

  it('shows what the session complains of', async () => {
    const inspection = new FakeInspection().put(...mixedRequests(2));
    const tui = start(inspection);
    await tui.until('[2/2]');
    inspection.setOverview({
      warnings: ['the disk is full'],
      spool: { path: '/tmp/spool', bytes: 1, lost: 12_345, error: null },
    });
    const text = await tui.until('the disk is full');
    expect(text).toContain('12.3kB LOST');
  });

  it('shows why nothing can be fetched, and goes on when it can', async () => {
    const inspection = new FakeInspection().put(...mixedRequests(2));
    const { overview } = inspection;
    inspection.overview = async () => {
      throw new Error('the worker is gone');
    };
    const tui = start(inspection);
    await tui.until('the worker is gone');
    inspection.overview = overview;
    inspection.changed();
    expect(await tui.until('[2/2]')).not.toContain('the worker is gone');
  });
});

describe('a capture', () => {
  const GIGABYTE = 1_000_000_000;

  it('says how far it is read, then that it is, and nothing of rates', async () => {
    const inspection = new FakeInspection()
      .put(...mixedRequests(40))
      .setOverview({ progress: { read: 0, size: GIGABYTE }, requestsPerSecond: 5_000 });
    const tui = start(inspection, { follow: false });
    expect(await tui.until('reading 0% of 1.00GB  40 requests')).not.toMatch(/LIVE|req\/s/);
    inspection.setOverview({ progress: { read: GIGABYTE / 3, size: GIGABYTE } });
    await tui.until('reading 33% of 1.00GB');
    inspection.setOverview({ progress: { read: 2 * GIGABYTE, size: GIGABYTE } });
    await tui.until('reading 100% of 1.00GB');
    inspection.finish();
    const text = await tui.until('all read  40 requests');
    expect(text).not.toMatch(/reading|LIVE|ended|req\/s/);
    expect(text).toContain('[1/40]');
  });

  it('that comes through a pipe is live', async () => {
    const inspection = new FakeInspection().setOverview({ progress: { read: 0, size: null } });
    const tui = start(inspection);
    expect(await tui.until('No FastCGI request yet: 0B read…')).toMatch(/ LIVE {2}0 requests/);
    inspection.setOverview({ progress: { read: 12_345, size: null } });
    await tui.until('No FastCGI request yet: 12.3kB read…');
    inspection.put(...mixedRequests(2));
    expect(await tui.until('[2/2] [following]')).toContain('LIVE  2 requests');
  });

  it('without a request says why, in the newest of its warnings, and is no place to point a web server at', async () => {
    const warnings = Array.from({ length: 7 }, (_, i) => `remark ${i + 1} \x1b[2J`);
    const inspection = new FakeInspection().setOverview({ progress: { read: 1, size: 2 }, warnings });
    const tui = start(inspection);
    const reading = await tui.until('No FastCGI request yet: reading 50% of 2B…');
    expect(reading).not.toContain('Point the web server');
    inspection.finish();
    const text = await tui.until('There was no FastCGI request.');
    expect(text).toMatch(/^ {3}remark 3 ␛\[2J$/m);
    expect(text).toMatch(/^ {3}remark 7 ␛\[2J$/m);
    expect(text).not.toMatch(/^ {3}remark 2 /m);
    expect(text).not.toContain('No request matches');
  });

  it('is left without a question, while a proxy asks about open requests', async () => {
    const open = storedExchange({ n: 2, outcome: null });
    const live = start(new FakeInspection().put(...mixedRequests(1), open));
    await live.until('1 open');
    await live.see('Q', 'Quit? (y/n)');
    await live.close();
    for (const size of [2, null]) {
      const inspection = new FakeInspection()
        .put(...mixedRequests(1), open)
        .setOverview({ progress: { read: 1, size } });
      const capture = start(inspection);
      await capture.until('1 open');
      capture.type('Q');
      await capture.quit;
    }
  });
});

describe('the detail', () => {
  it('undoes the content coding and the charset', async () => {
    const stdout = stdoutOf(
      'Content-Type: text/plain; charset=iso-8859-1\nContent-Encoding: gzip',
      gzipSync(Buffer.from('caf\xe9 '.repeat(100), 'latin1')),
    );
    const tui = start(new FakeInspection().put(storedExchange({ stdout })));
    await tui.until('[1/1]');
    await tui.see('\r4', /gzip undone: 500B, windows-1252.*\n(café ){10}/);
    await tui.see('r', 'hex dump (no text)');
  });

  it('fetches the first megabyte of a long text, and says so', async () => {
    const inspection = new FakeInspection().put(
      storedExchange({ stdout: stdoutOf('Content-Type: text/plain', 'x'.repeat(3_000_000)) }),
    );
    const tui = start(inspection);
    await tui.until('[1/1]');
    await tui.see('\r4', 'the first 1.05MB of 3.00MB');
    const lengths = inspection.calls
      .filter((call) => call.startsWith('body'))
      .map((call) => Number(call.split('+')[1]));
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(1024 * 1024);
  });

  it('fetches of a hex dump only what is looked at', async () => {
    const inspection = new FakeInspection().put(
      storedExchange({ stdout: stdoutOf('Content-Type: image/png', new Uint8Array(3_000_000).fill(0xab)) }),
    );
    const tui = start(inspection);
    await tui.until('[1/1]');
    await tui.see('\r4', 'hex dump (no text)');
    await tui.see('r', 'hex dump (no text)');
    await tui.see('r', 'r: decoded');
    inspection.calls.length = 0;
    await tui.see('G', '002dc6b0  ab ab');
    const lengths = inspection.calls
      .filter((call) => call.startsWith('body'))
      .map((call) => Number(call.split('+')[1]));
    expect(Math.max(...lengths)).toBeLessThan(20_000);
  });

  it('says where bytes were never seen, and invents none', async () => {
    const stdout = stdoutOf('Content-Type: text/plain', 'before\nXXXXXXXXafter\n');
    const begin = stdout.length - 'XXXXXXXXafter\n'.length;
    const inspection = new FakeInspection().put(storedExchange({ stdout, gaps: { stdout: [[begin, begin + 8]] } }));
    const tui = start(inspection);
    await tui.until('[1/1]');
    expect(await tui.see('\r4', /before\n\[8B never seen\]\nafter/)).toContain('21B, 8B never seen');
    await tui.see('rr', /62 65 66 6f 72 65 0a -- {2}-- -- -- -- -- -- -- 61/);
  });

  it('pages through many records', async () => {
    const inspection = new FakeInspection().put(
      storedExchange({ stdout: stdoutOf('Content-Type: text/plain', 'y'.repeat(500_000)), recordSize: 100 }),
    );
    const tui = start(inspection);
    await tui.until('[1/1]');
    await tui.see('\r', 'BEGIN_REQUEST');
    await tui.see('G', /END_REQUEST +8B/);
    inspection.calls.length = 0;
    await tui.see(' \x02\x02', /STDOUT +100B/);
    for (const call of inspection.calls) {
      const count = /^records .*\+(\d+)$/.exec(call)?.[1];
      if (count !== undefined) expect(Number(count)).toBeLessThan(200);
    }
    await tui.see('\r', /header {4}01 06 00 01 00 64/);
    await tui.see('g', /header {4}01 01 00 01 00 08/);
    await tui.see(']]', /header {4}01 04 /);
  });

  it('shows an open request as it grows', async () => {
    const open = (body: string) =>
      storedExchange({ outcome: null, stdout: stdoutOf('Content-Type: text/plain', body) });
    const inspection = new FakeInspection().put(open('first\n'));
    const tui = start(inspection);
    await tui.until('[1/1]');
    await tui.see('\r4', /growing.*\nfirst/);
    inspection.put(open('first\nsecond\n'));
    await tui.until(/first\nsecond/);
  });

  it('says when the request is no longer kept', async () => {
    const inspection = new FakeInspection().put(storedExchange());
    inspection.exchange = async () => null;
    const tui = start(inspection);
    await tui.until('[1/1]');
    await tui.see('\r', 'This request is no longer kept.');
  });

  it('maximises either pane and comes back', async () => {
    const tui = start(new FakeInspection().put(...mixedRequests(40)));
    await tui.until('[40/40]');
    await tui.see('\r', 'Timeline');
    expect(await tui.see('\\', '[maximised]')).not.toContain('conn/id');
    const list = await tui.see('\t', / 20 .*\n(.*\n)* +39 /);
    expect(list).not.toContain('Timeline');
    await tui.see('\t', 'Timeline');
    expect(await tui.see('q', /conn|url/)).toContain('Timeline');
    expect(await tui.see('q', / 20 /)).not.toContain('Timeline');
    await tui.see('q', 'Q quits');
  });
});

describe('its end', () => {
  it('comes with the end of the input', async () => {
    const virtual = new VirtualTui(new FakeInspection());
    await virtual.until('fcgi-inspect');
    await virtual.close();
    expect(virtual.output.written.at(-1)).toMatch(/\x1b\[\?1049l$/);
  });

  it('comes with whoever needs the terminal back at once', async () => {
    const virtual = new VirtualTui(new FakeInspection());
    restore();
    await virtual.quit;
    expect(virtual.output.written.at(-1)).toMatch(/\x1b\[\?1049l$/);
    restore();
  });

  it('gives the terminal back when drawing fails, and tells why', async () => {
    const inspection = new FakeInspection().put(mixedRequest(1));
    const rows = inspection.rows.bind(inspection);
    inspection.rows = async (query) => {
      const page = await rows(query);
      return { ...page, rows: page.rows.map((row) => ({ ...row, url: 5 as never })) };
    };
    const virtual = new VirtualTui(inspection);
    await expect(virtual.quit).rejects.toThrow(TypeError);
    expect(virtual.output.written.at(-1)).toMatch(/\x1b\[\?1049l$/);
  });
});

describe('its pulls', () => {
  it('are one at a time', async () => {
    const inspection = new SlowInspection();
    inspection.put(...mixedRequests(40));
    const tui = start(inspection);
    await tui.until('[40/40]');
    for (const key of 'kkkkkkkk') {
      tui.type(key);
      inspection.put(mixedRequest(41));
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    await tui.until('[32/41]');
    expect(inspection.most).toBe(1);
  });

  it('stop while the terminal is frozen, and catch up when it is not', async () => {
    const inspection = new SlowInspection();
    inspection.put(...mixedRequests(3));
    const tui = start(inspection);
    await tui.until('[3/3]');
    tui.output.draining = false;
    inspection.put(mixedRequest(4));
    await tui.until('[4/4]');
    const [written, asked] = [tui.output.written.length, inspection.asked];
    for (let n = 5; n <= 60; n++) {
      inspection.put(mixedRequest(n));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(tui.output.written.length).toBe(written);
    // One may have been under way.
    expect(inspection.asked - asked).toBeLessThanOrEqual(1);
    tui.output.drain();
    await tui.until('[60/60]');
  });
});

/** Answers late, and counts how many questions it was asked at once. */
class SlowInspection extends FakeInspection {
  asked = 0;
  most = 0;
  private waiting = 0;

  override async overview(): Promise<Overview> {
    this.asked++;
    return this.late(() => super.overview());
  }

  override async rows(query: RowQuery): Promise<RowPage> {
    return this.late(() => super.rows(query));
  }

  private async late<T>(answer: () => Promise<T>): Promise<T> {
    this.most = Math.max(this.most, ++this.waiting);
    await new Promise((resolve) => setTimeout(resolve, 5));
    this.waiting--;
    return answer();
  }
}
