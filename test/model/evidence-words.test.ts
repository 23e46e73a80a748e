import { describe, expect, it } from 'vitest';
import { evidenceRecords, evidenceWords } from '../../src/model/evidence-words.js';
import type { Evidence } from '../../src/model/finding.js';
import { storedExchange } from '../support/exchange-fixture.js';
import { FakeInspection } from '../support/fake-inspection.js';

const stored = storedExchange({ params: { EMPTY: '', EVIL: 'a\x1b[2Jb' } });

async function words(evidence: Evidence): Promise<string> {
  const records = await evidenceRecords(new FakeInspection().put(stored), 1, [evidence]);
  return evidenceWords(evidence, stored.exchange, records);
}

describe('evidence', () => {
  it.each([
    [
      { kind: 'record', record: 4 },
      'record #4, STDOUT of 80 bytes from the backend after 12.5ms, at byte 0 of what it sent',
    ],
    [
      { kind: 'record', record: 6 },
      'record #6, END_REQUEST of 8 bytes from the backend after 13.1ms, at byte 96 of what it sent: app status 0, request complete',
    ],
    [{ kind: 'record', record: 99 }, 'record #99'],
    [{ kind: 'param', name: 'REQUEST_METHOD' }, 'param REQUEST_METHOD = GET'],
    [{ kind: 'param', name: 'EMPTY' }, 'param EMPTY, which is empty'],
    [{ kind: 'param', name: 'EVIL' }, 'param EVIL = a␛[2Jb'],
    [{ kind: 'param', name: 'MISSING' }, 'param MISSING'],
    [{ kind: 'header', name: 'x-powered-by' }, 'header X-Powered-By: PHP/8.2'],
    [{ kind: 'header', name: 'Status' }, 'header Status, which is not there'],
    [{ kind: 'stderr', text: 'PHP\nWarning' }, 'STDERR: PHP␊Warning'],
    [{ kind: 'bytes', stream: 'stdin', offset: 10, length: 5 }, 'STDIN, bytes 10 to 14'],
    [{ kind: 'bytes', stream: 'stdout', offset: 10, length: 1 }, 'STDOUT, byte 10'],
    [{ kind: 'bytes', stream: 'stdout', offset: 80, length: 0 }, 'STDOUT, from byte 80 on: nothing more came'],
    [{ kind: 'bytes', stream: 'stdout', offset: 0, length: 0 }, 'STDOUT: nothing came'],
    [{ kind: 'time', milliseconds: 1_500 }, 'a time of 1.50s'],
    [{ kind: 'request', n: 7 }, 'request #7'],
  ] as const)('%j', async (evidence, text) => {
    expect(await words(evidence)).toBe(text);
  });

  it('asks for each record once', async () => {
    const inspection = new FakeInspection().put(stored);
    const record = { kind: 'record', record: 2 } as const;
    expect((await evidenceRecords(inspection, 1, [record, record])).size).toBe(1);
    expect(inspection.calls).toEqual(['records 1 2+1']);
  });
});
