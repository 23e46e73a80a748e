import { expect, it } from 'vitest';
import { timeline } from '../../../src/tui/panes/timeline.js';
import { BEGIN, storedExchange } from '../../support/exchange-fixture.js';
import { FakeInspection } from '../../support/fake-inspection.js';

const VIEW = { width: 100, height: 40, top: 0, cursor: 0, hexTop: 0 };

it('lists the log lines about the request below its records', async () => {
  const { exchange, ...rest } = storedExchange();
  const inspection = new FakeInspection().put({ exchange, ...rest }).putLogs(1, {
    file: '/var/log/fpm.log',
    line: 3,
    at: BEGIN,
    resolution: 1_000_000,
    text: '[20-Nov-2026 12:00:00] WARNING: \x1b[2J[pool www] child 9 exited on signal 9 (SIGKILL)',
    meaning: null,
    isNamed: true,
  });
  const want = { ...VIEW, exchange, mode: 'pretty' } as const;
  const content = await timeline.load(inspection, want, null);
  const lines = content.lines(VIEW).map(({ line }) => line.map(([text]) => text).join(''));
  const begin = lines.findIndex((line) =>
    line.startsWith('      ≡ fpm.log:3: [20-Nov-2026 12:00:00] WARNING: ␛[2J[pool www]'),
  );
  expect(begin).toBeGreaterThan(exchange.records.total);
  expect(lines[begin + 1]).toBe('        (SIGKILL)');
  expect(content.extent(VIEW)).toBe(lines.length - 1);
  // Nothing is asked twice for the same exchange.
  expect(await timeline.load(inspection, want, content)).toBe(content);
});
