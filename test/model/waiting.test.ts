import { describe, expect, it } from 'vitest';
import type { Exchange, StreamName, StreamTotals } from '../../src/model/exchange.js';
import { type WaitedFor, waitingAt, waitingShort, waitingWords } from '../../src/model/waiting.js';
import { BEGIN, type ExchangeOptions, storedExchange } from '../support/exchange-fixture.js';

const LATER = BEGIN + 12_345_678;

/** An open request, of whose streams nothing has come but what is said. */
function open(
  streams: Partial<Record<StreamName, Partial<StreamTotals>>>,
  options: ExchangeOptions = {},
  override: Partial<Exchange> = {},
): Exchange {
  const none: StreamTotals = { bytes: 0, records: 0, ended: false, missing: 0 };
  const { exchange } = storedExchange({ outcome: null, stdout: '', ...options });
  const all = { params: none, stdin: none, stdout: none, stderr: none, data: none };
  for (const [name, totals] of Object.entries(streams)) all[name as StreamName] = { ...none, ...totals };
  return { ...exchange, streams: all, ...override };
}

const ended = { ended: true };
const sent = { params: ended, stdin: ended };
const answered = { firstStdout: BEGIN + 2000, lastStdout: BEGIN + 3000 };

describe('what a request waits for', () => {
  const cases: readonly (readonly [WaitedFor, Exchange])[] = [
    ['params', open({})],
    ['stdin', open({ params: ended, stdin: { bytes: 5 } }, { params: { CONTENT_LENGTH: '6' } })],
    ['stdin-end', open({ params: ended, stdin: { bytes: 6 } }, { params: { CONTENT_LENGTH: '6' } })],
    ['stdin-end', open({ params: ended, stdin: { bytes: 4, missing: 2 } }, { params: { CONTENT_LENGTH: '6' } })],
    ['stdin-end', open({ params: ended })],
    ['stdin', open({ params: ended, stdin: { bytes: 6 } })],
    ['stdin', open({ params: ended, stdin: { bytes: 6 } }, { params: { CONTENT_LENGTH: '-1' } })],
    ['stdin', open({ params: ended, stdin: { bytes: 6 } }, { params: { CONTENT_LENGTH: 'many' } })],
    ['data', open(sent, {}, { role: 'filter' })],
    ['first-stdout', open({ ...sent, data: ended }, {}, { role: 'filter' })],
    ['first-stdout', open({ params: ended }, {}, { role: 'authorizer' })],
    ['first-stdout', open({}, {}, { role: 'unknown' })],
    ['first-stdout', open({ ...sent, stderr: { bytes: 9 } })],
    ['more-stdout', open({ ...sent, stdout: { bytes: 9 } }, { timing: { firstStdout: 2, lastStdout: 3 } })],
    // An answer that begins before the request has been read to its end.
    ['more-stdout', open({ params: ended, stdout: { bytes: 9 } }, { timing: { firstStdout: 2, lastStdout: 3 } })],
    ['end-request', open({ ...sent, stdout: ended }, { timing: { firstStdout: 2, lastStdout: 3 } })],
    ['end-request', open({ ...sent, stdout: ended })],
  ];

  it.each(cases)('%s', (what, exchange) => {
    expect(waitingAt(exchange, LATER).for).toBe(what);
  });

  it('counts from the last record', () => {
    const exchange = open(sent, { timing: { lastRecord: 345.678 } });
    expect(waitingAt(exchange, LATER).milliseconds).toBe(12_000);
    expect(waitingAt(exchange, BEGIN).milliseconds).toBe(0);
  });

  it('forgets what came after the end it is asked for', () => {
    const end = {
      endedBy: 'web-server',
      how: 'fin',
      at: BEGIN + 1000,
      afterRecords: 4,
      afterRecord: 'STDIN record 1',
    } as const;
    const late = open({ ...sent, stdout: { bytes: 9 } }, {}, { connectionEnd: end });
    const times = { ...late.times, ...answered };
    expect(waitingAt({ ...late, times }, end.at)).toEqual({ for: 'first-stdout', milliseconds: 0.8 });
    // It had only half-closed, and the answer goes on.
    expect(waitingAt({ ...late, times }, BEGIN + 9000)).toEqual({ for: 'more-stdout', milliseconds: 6 });
  });

  it('is said in words', () => {
    const first = { for: 'first-stdout', milliseconds: 12_345 } as const;
    expect(waitingWords(first)).toBe('waiting for the backend’s first STDOUT, 12 s');
    expect(waitingShort(first)).toBe('first STDOUT 12 s');
    expect(waitingShort({ for: 'stdin', milliseconds: 100_000 })).toBe('STDIN 1m40s');
  });
});
