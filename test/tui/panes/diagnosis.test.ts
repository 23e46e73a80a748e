import { describe, expect, it } from 'vitest';
import { diagnosis } from '../../../src/tui/panes/diagnosis.js';
import { BEGIN, connectionSummary, type ExchangeOptions, storedExchange } from '../../support/exchange-fixture.js';
import { FakeInspection } from '../../support/fake-inspection.js';

const NOTE = 'the reset reached the backend as a plain close: a Unix socket knows no reset';
const VIEW = { width: 140, height: 40, top: 0, cursor: 0, hexTop: 0 };

async function shown(options: ExchangeOptions): Promise<string[]> {
  const stored = storedExchange(options);
  const inspection = new FakeInspection().put(stored).putConnection(connectionSummary({ notes: [NOTE] }));
  const content = await diagnosis.load(inspection, { ...VIEW, exchange: stored.exchange, mode: 'pretty' }, null);
  return content.lines(VIEW).map(({ line }) => line.map(([text]) => text).join(''));
}

const ended = (how: 'reset' | 'fin'): ExchangeOptions => ({
  outcome: 'web-server-reset',
  override: {
    connectionEnd: { endedBy: 'web-server', how, at: BEGIN + 5_000, afterRecords: 3, afterRecord: 'STDIN record 1' },
  },
});

describe('Diagnosis', () => {
  it('tells what could not be passed on of the end that the request met', async () => {
    const lines = await shown(ended('reset'));
    const end = lines.findIndex((line) => line.startsWith('The web server reset the connection (RST) first'));
    expect(lines[end + 1]).toBe(`T${NOTE.slice(1)}.`);
  });

  it('does not bother with what came after the request, or does not concern it', async () => {
    expect((await shown(ended('fin'))).join('\n')).not.toContain('plain close');
    expect((await shown({})).join('\n')).not.toContain('plain close');
  });

  it('tells that our decoder failed', async () => {
    expect((await shown({ outcome: 'undecodable' })).join('\n')).toContain('plain close');
  });
});
