import { describe, expect, it } from 'vitest';
import { ruleOf } from '../../../src/diagnosis/rule-groups.js';
import { diagnosis } from '../../../src/tui/panes/diagnosis.js';
import {
  BEGIN,
  connectionSummary,
  type ExchangeOptions,
  finding,
  storedExchange,
} from '../../support/exchange-fixture.js';
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

  it('reads from what happened over what to change to where to look, and names the places', async () => {
    const seen = {
      ...finding('crash-mid-response'),
      evidence: [
        { kind: 'record', record: 4 },
        { kind: 'param', name: 'REQUEST_METHOD' },
        { kind: 'header', name: 'X-Powered-By' },
        { kind: 'bytes', stream: 'stdin', offset: 3, length: 0 },
        { kind: 'stderr', text: 'a\x1bb' },
        { kind: 'request', n: 7 },
      ] as const,
    };
    const lines = await shown({ outcome: 'backend-closed', findings: [seen] });
    const at = lines.findIndex((line) => line.startsWith('ERROR  The title of crash-mid-response'));
    const { meaning } = ruleOf('crash-mid-response')!;
    expect(lines.slice(at + 1, at + 11)).toEqual([
      '  What was seen in this request.',
      '  Seen: record #4, STDOUT of 80 bytes from the backend after 12.5ms, at byte 0 of what it sent (tab Records)',
      '  Seen: param REQUEST_METHOD = GET (tab Params)',
      '  Seen: header X-Powered-By: PHP/8.2 (tab Response)',
      '  Seen: STDIN, from byte 3 on: nothing more came (tab Stdin)',
      '  Seen: STDERR: a␛b (tab Stderr)',
      '  Seen: request #7 (7G in the list)',
      '',
      '  Why',
      expect.stringContaining(meaning.slice(0, 40)),
    ]);
    const rest = lines.slice(lines.indexOf('  What to change'));
    expect(rest.slice(0, 12)).toEqual([
      '  What to change',
      '  - Look at the first thing.',
      '  - Then at the second.',
      '',
      '  What was seen fits it, and does not prove it.',
      '  What else it may be',
      '  ? Another cause.',
      '    To tell: The log says so.',
      '',
      '  Where to look',
      '  > The log of the backend.',
      '',
    ]);
    expect(rest.slice(12)).toEqual([
      'No END_REQUEST was seen.',
      expect.stringMatching(/^Params ended after 0\.10ms, /),
    ]);
  });

  it('says when the wire proves it', async () => {
    const proven = { ...finding('php-fatal'), certainty: 'proven', alternatives: [] } as const;
    const lines = await shown({ findings: [proven] });
    expect(lines).toContain('  What was seen proves it.');
    expect(lines).not.toContain('  What else it may be');
  });
});
