import { describe, expect, it } from 'vitest';
import { connectionEndWords } from '../../src/model/connection-end.js';
import type { ConnectionEnd } from '../../src/model/exchange.js';
import { BEGIN, storedExchange } from '../support/exchange-fixture.js';

function words(end: Partial<ConnectionEnd>, lastRecordAt: number | null = BEGIN + 1000): string | null {
  const connectionEnd: ConnectionEnd = {
    endedBy: 'backend',
    how: 'fin',
    at: BEGIN + 13_300,
    afterRecords: 5,
    afterRecord: 'STDOUT record 4',
    ...end,
  };
  return connectionEndWords(storedExchange({ override: { connectionEnd } }).exchange, lastRecordAt);
}

describe('connectionEndWords', () => {
  const place = '12.3ms after STDOUT record 4 (record 5 of 7)';
  it.each([
    [{ how: 'reset' }, `the backend reset the connection (RST) first, ${place}`],
    [{}, `the backend closed the connection (FIN) first, ${place}`],
    [{ endedBy: 'web-server' }, `the web server closed the connection (FIN) first, ${place}`],
    [{ endedBy: 'timeout', how: 'timeout' }, `nobody closed: the connection was silent for too long, ${place}`],
    [
      { endedBy: 'capture-end', how: 'capture-end' },
      `nobody closed: the capture ended while the connection was open, ${place}`,
    ],
    [
      { afterRecord: null, afterRecords: 0 },
      'the backend closed the connection (FIN) first, 13.3ms after the request began, before any record of this request',
    ],
  ] as const)('%j', (end, text) => {
    expect(words(end)).toBe(text);
  });

  it('counts from the beginning when the record is not kept any more', () => {
    expect(words({ how: 'reset' }, null)).toBe(
      'the backend reset the connection (RST) first, 13.3ms after the request began, after STDOUT record 4 (record 5 of 7)',
    );
  });

  it('has none while both sides are open', () => {
    expect(connectionEndWords(storedExchange().exchange, null)).toBeNull();
  });
});
